package esquery

import (
	"context"

	"newterms/esquery/elastic"
	"newterms/esquery/wanted"
)

// A content says how much of an event to fetch.
type content int

const (
	// place is the event's place, and the values that identify it.
	place content = iota
	// asSent adds the _source as it was sent, and the wanted fields. The answer is no
	// JSON if the source is none. Elasticsearch also accepts JSON with a byte order
	// mark or comments, UTF-16 and YAML, and returns them unchanged.
	asSent
	// reencoded is the same with the source in plain JSON. Its numbers have lost digits
	// beyond those of a double.
	reencoded
)

// source returns the _source option of a search.
func (c content) source() any {
	if c == reencoded { // a filter makes Elasticsearch encode the source again; no field has this name
		return dsl{"excludes": []string{""}}
	}
	return c == asSent
}

// Why an event is Missing. Unreadable is for an event that was fetched alone.
const (
	Gone       = "it is gone since it was listed"
	tooLarge   = "it is too large to fetch"
	Unreadable = "Elasticsearch cannot read its source, which was not sent as plain JSON in UTF-8"
	among      = "it was fetched together with others, many of which Elasticsearch cannot read"
)

// maxSplits bounds how often a run fetches events in halves because some cannot be
// read: to find one of 500 takes 9. Beyond it, readable events fetched together with
// unreadable ones are Missing too.
const maxSplits = 100

// eventsByPlace finds the places of the events, and then fetches their contents, as many
// together as possible.
func (s *Source) eventsByPlace(ctx context.Context, candidates []Candidate) ([]*Event, error) {
	events, err := s.eventsWith(ctx, candidates, place)
	if err != nil {
		return nil, err
	}
	var unread []*Event
	seen := map[*Event]bool{} // candidates may share an event
	for _, e := range events {
		if e.ID != "" && !seen[e] {
			seen[e] = true
			unread = append(unread, e)
		}
	}
	return events, s.read(ctx, unread)
}

// read fetches the contents of events with known places. If Elasticsearch still returns
// the place of an event, the event is unreadable; otherwise the cluster does not
// answer. It fetches reencoded sources separately. If such an answer is no JSON, it was
// spoiled on its way.
func (s *Source) read(ctx context.Context, events []*Event) error {
	if len(events) == 0 {
		return nil
	}
	err := s.fill(ctx, events, reencoded, wanted.All(s.wanted))
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

// fill copies the hits of a search into events.
func (s *Source) fill(ctx context.Context, events []*Event, what content, selected []bool) error {
	var hits []wanted.Hit
	_, err := s.Client.Hits(ctx, s.Request(s.bodies.read(events, what, wanted.Options(s.wanted[:len(selected)], selected))), &hits)
	if err != nil {
		return s.Diagnose(ctx, err)
	}
	found := map[string]*Event{}
	for _, hit := range hits {
		e := s.eventOf(hit)
		found[e.Place()] = e
	}
	for _, e := range events {
		if read := found[e.Place()]; read != nil {
			*e = *read
		} else {
			e.Missing = Gone
		}
	}
	return nil
}
