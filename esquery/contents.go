package esquery

import (
	"context"

	"newterms/esquery/elastic"
)

// content says how much of an event is asked for.
type content int

const (
	// place is where an event is, and the values by which it is found.
	place content = iota
	// asSent is that, its _source as it was sent and the wanted fields. The answer
	// is no JSON if the source is none: Elasticsearch also takes JSON with a byte
	// order mark or comments, UTF-16 and YAML, and gives them back as they are.
	asSent
	// reencoded is the same with the source in plain JSON, in which numbers have
	// lost digits beyond those of a double.
	reencoded
)

// source is what a search is asked for.
func (c content) source() any {
	if c == reencoded { // a filter makes Elasticsearch write what it has read; no field has this name
		return dsl{"excludes": []string{""}}
	}
	return c == asSent
}

// Why an event is Missing. Unreadable is of one that was asked for by itself.
const (
	Gone       = "it is gone since it was listed"
	tooLarge   = "it is too large to fetch"
	Unreadable = "Elasticsearch cannot read its source, which was not sent as plain JSON in UTF-8"
	among      = "it was asked for together with others, of which there are many that Elasticsearch cannot read"
)

// maxSplits bounds how often events are fetched in halves because some cannot be
// read, in all of a run: to find one of 500 takes 9. Where there are more of them,
// readable events that are asked for together with these are Missing as well.
const maxSplits = 100

// eventsApart finds where the events are, and then fetches what they hold: of as
// many together as can be had.
func (s *Source) eventsApart(ctx context.Context, candidates []Candidate) ([]*Event, error) {
	events, err := s.eventsWith(ctx, candidates, place)
	if err != nil {
		return nil, err
	}
	var unread []*Event
	seen := map[*Event]bool{} // candidates may share one
	for _, e := range events {
		if e.ID != "" && !seen[e] {
			seen[e] = true
			unread = append(unread, e)
		}
	}
	return events, s.read(ctx, unread)
}

func (e *Event) place() string { return e.Index + "/" + e.ID }

// read fetches what events hold that are known by their places. It tells an event
// that cannot be read from a cluster that does not answer: of the former
// Elasticsearch still tells the place. And it asks for reencoded sources alone: if
// such an answer is no JSON, it is spoiled on its way.
func (s *Source) read(ctx context.Context, events []*Event) error {
	if len(events) == 0 {
		return nil
	}
	err := s.fill(ctx, events, reencoded, everyOf(s.wanted))
	tooMuch := elastic.TooMuchToAnswer(err) || elastic.TooMuchToAsk(err) || elastic.TooManyHits(err)
	switch {
	case err == nil || !tooMuch && !elastic.ShardFailed(err):
		return err
	case len(events) > 1 && (tooMuch || s.splits < maxSplits):
		if !tooMuch {
			s.splits++
		}
		half := len(events) / 2
		if err := s.read(ctx, events[:half]); err != nil {
			return err
		}
		return s.read(ctx, events[half:])
	case tooMuch:
		events[0].Missing = tooLarge
		return nil
	}
	without := s.fill(ctx, events, reencoded, make([]bool, len(s.wanted)))
	missing, lacks := "", ""
	switch {
	case without == nil:
		lacks = "what only its mapping has of the event, because that cannot be read"
	case elastic.ShardFailed(without) && len(events) == 1:
		missing = Unreadable
	case elastic.ShardFailed(without):
		missing = among
	default:
		return without
	}
	if missing != "" && s.fill(ctx, events, place, nil) != nil {
		return err
	}
	for _, e := range events {
		if e.Lacks = lacks; e.Missing == "" {
			e.Missing = missing
		}
	}
	return nil
}

// fill puts what a search answers into events.
func (s *Source) fill(ctx context.Context, events []*Event, what content, asked []bool) error {
	var hits []foundEvent
	_, err := s.client.Hits(ctx, s.request(s.bodies.read(events, what, fieldsOf(s.wanted[:len(asked)], asked))), &hits)
	if err != nil {
		return s.explain(ctx, err)
	}
	found := map[string]*Event{}
	for _, hit := range hits {
		e := s.eventOf(hit)
		found[e.place()] = e
	}
	for _, e := range events {
		if read := found[e.place()]; read != nil {
			*e = *read
		} else {
			e.Missing = Gone
		}
	}
	return nil
}
