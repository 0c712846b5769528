package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/esquery/access"
	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
	"newterms/esquery/query"
	"newterms/job/limits"
)

const (
	// staleAfter is the age from which data or runs are reported. It is only a warning:
	// with few users, no event in an hour of the night is normal.
	staleAfter = time.Hour
	// lateAfter is an ingest lag too long to come from polling.
	lateAfter = 10 * time.Minute
	// maxSkew is more than clocks differ that are synchronized.
	maxSkew = 5 * time.Second
)

// run checks the events that a rule reads, and its runs.
func (c *ruleCheck) run(ctx context.Context) {
	now := c.Now()
	if clauses := c.Search.TimeClauses(); len(clauses) > 0 {
		c.warn("query", problem(TimeLimited, "%v", &limits.TimeLimited{Clauses: clauses}))
	}
	health, err := inspect.Events(ctx, c.Client, c.Search, query.Range{From: now.Add(-c.History), To: now})
	if c.indices(health, err) {
		c.clock(skew(health.Now, now, c.Now()))
		c.hidden(ctx, health)
		c.refresh(ctx)
		c.futureEvents(health)
		if c.data(health, now) {
			c.arrival(health)
			c.fields(ctx, health)
			c.matching(health)
			c.sources(health)
			c.exclusions(health)
		}
	}
	c.runs(ctx, err == nil && health.Arrival.Events == 0)
	c.jobs(ctx)
	c.beside(ctx)
}

// indices checks the rule's indices. It returns false if they cannot be searched.
func (c *ruleCheck) indices(h inspect.Health, err error) bool {
	var forbidden []string
	for _, index := range c.Search.Indices {
		for _, p := range access.ReadPrivileges([]string{index}) {
			if c.missing[p] {
				forbidden = append(forbidden, index)
			}
		}
	}
	unreadable := &access.PrivilegeError{Missing: access.Privilege{Index: strings.Join(forbidden, ", "), Name: "read"}}
	switch {
	case len(forbidden) == 0:
	case err != nil && len(forbidden) == len(c.Search.Indices):
		c.fail("indices", unreadable)
		return false
	default:
		c.warn("indices", fmt.Errorf("%w: events in the other indices that it matches are not searched", unreadable))
	}
	for _, u := range h.Unavailable {
		if err == nil {
			c.warn("indices", problem(IndexUnavailable, "%s: its events are not searched, and known pairs may look new", u))
		}
	}
	switch {
	case err == nil:
		c.ok("indices", "%s: %d match", strings.Join(c.Search.Indices, ", "), len(h.Indices))
	case errors.As(err, new(*query.MappingError)):
		c.fail("query", err)
	case errors.As(err, new(*query.TypeError)):
		c.fail("fields", err)
	default:
		c.fail("indices", err)
	}
	return err == nil
}

// skew returns how far the server's time is from ours, which was before when the server
// was asked, and after when it had answered: a slow answer is no skew.
func skew(server, before, after time.Time) time.Duration {
	return max(before.Sub(server), server.Sub(after), 0)
}

// clock reports the difference between the server's clock and ours. Windows end by the
// server's clock; ours dates only the documents and --from.
func (c *ruleCheck) clock(skew time.Duration) {
	if skew = skew.Round(time.Second); skew > maxSkew {
		c.warn("clock", problem(ClockDiffers, "this machine's clock differs from the server's by %s", words.Span(skew)))
		return
	}
	c.ok("clock", "within %s of the server's", words.Span(maxSkew))
}

// refresh reports indices whose events become searchable after the overlap, if this
// user may read the setting.
func (c *ruleCheck) refresh(ctx context.Context) {
	overlap := max(c.Check.Overlap, c.Rule.Overlap)
	index, interval, err := inspect.SlowestRefresh(ctx, c.Client, c.Search.Indices)
	switch {
	case err != nil:
		c.fail("refresh", err)
	case interval == inspect.NeverRefreshed:
		c.warn("refresh", problem(SlowRefresh, "events of %s become searchable only after an explicit refresh: scheduled runs miss them", index))
	case interval > overlap:
		c.warn("refresh", problem(SlowRefresh, "events of %s become searchable after up to %s, more than the overlap of %s: scheduled runs miss some", index, words.Span(interval), words.Span(overlap)))
	}
}

// data reports the age and the ingest lag of all events, matching or not. It returns
// false if there are none.
func (c *ruleCheck) data(h inspect.Health, now time.Time) bool {
	if h.Newest.IsZero() {
		c.fail("data", problem(NoEvents, "there is no event in %s", lastDays(c.History)))
		return false
	}
	if age := now.Sub(h.Newest).Round(time.Second); age > staleAfter {
		c.warn("data", problem(StaleEvents, "the newest event is %s old (%s)", words.Span(age), stamp(h.Newest)))
	} else {
		c.ok("data", "the newest event is %s old", words.Span(max(age, 0)))
	}
	if n := len(h.Lags); n > 0 {
		median, longest := h.Lags[n/2].Round(time.Second), h.Lags[n-1].Round(time.Second)
		message := fmt.Sprintf("of the newest %s, half were ingested within %s and all within %s", words.Plural(int64(n), "event", "events"), words.Span(median), words.Span(longest))
		if median > lateAfter {
			c.warn("lag", problem(LateEvents, "%s", message))
		} else {
			c.ok("lag", "%s", message)
		}
	}
	return true
}

// fields checks the types of the rule's fields.
func (c *ruleCheck) fields(ctx context.Context, h inspect.Health) {
	unmapped := slices.DeleteFunc(slices.Clone(h.Names), func(name string) bool { return len(h.Fields[name].Types) > 0 })
	similar, err := inspect.SimilarFields(ctx, c.Client, c.Search.Indices, unmapped)
	if err != nil {
		c.fail("fields", err)
	}
	fine := 0
	for _, name := range h.Names {
		types := h.Fields[name].Types
		switch {
		case len(types) == 0:
			c.unmapped(h, name, limits.DidYouMean(similar[name]))
		case h.Misfits[name] != nil:
			c.fail("fields", h.Misfits[name])
		case len(types) > 1:
			c.warn("fields", problem(SeveralTypes, "%s has several types: %s", name, strings.Join(types, ", ")).of(name))
		default:
			fine++
		}
	}
	if fine > 0 {
		c.ok("fields", "%d of the rule's %d fields are mapped as it needs them", fine, len(h.Names))
	}
}

// unmapped reports a field of the rule that no index maps. hint names similar ones.
func (c *ruleCheck) unmapped(h inspect.Health, name, hint string) {
	isTerm := slices.Contains(c.Search.Fields, name)
	switch {
	case isTerm && c.Search.MissingTerms: // its absence counts; lacking reports it
	case isTerm && h.Matching > 0:
		c.fail("fields", problem(TermUnmapped, "no index maps the new-terms field %s%s: no event has it, so there can be no alert", name, hint).of(name))
	case isTerm:
		c.warn("fields", problem(TermUnmapped, "no index maps the new-terms field %s%s: no event has it so far", name, hint).of(name))
	case name == c.Search.Timestamp && c.Search.Fallback == "":
		c.fail("fields", problem(TimestampUnmapped, "no index maps %s%s, which dates the events", name, hint).of(name))
	case name == c.Search.Timestamp:
		c.warn("fields", problem(TimestampUnmapped, "no index maps %s%s: %s dates the events", name, hint, c.Search.Fallback).of(name))
	default:
		c.warn("fields", problem(FieldUnmapped, "no index maps %s%s: the rule works as if no event had a value there", name, hint).of(name))
	}
}

func (c *ruleCheck) matching(h inspect.Health) {
	days := lastDays(c.History)
	if h.Matching == 0 {
		c.warn("matching", problem(NothingMatches, "no event in %s matches the rule", days))
		return
	}
	c.ok("matching", "%s the rule in %s", words.Plural(h.Matching, "event matches", "events match"), days)
	if young := h.Now.Sub(h.Oldest); young < c.History && !c.partly { // else there may be older ones
		c.warn("history", problem(YoungSource, "the oldest matching event is %s old, younger than the history window of %s: pairs seen before it look new",
			words.Span(young.Round(time.Second)), words.Span(c.History)))
	}
	for _, field := range c.Search.Fields {
		n := h.Lacking.ByField[field]
		switch mapped := len(h.Fields[field].Types) > 0; {
		case n == 0:
			c.ok("terms", "all of them have %s", field)
		case c.Search.MissingTerms:
			c.ok("terms", "%s no %s, and its absence counts as a term", words.Plural(n, "of them has", "of them have"), field)
		case h.Lacking.Ignored[field] > 0:
			c.warn("terms", problem(TermIgnored, "%d of them have a value of %s that is not indexed, because it is too long or malformed", h.Lacking.Ignored[field], field).of(field))
		case n < h.Matching:
			c.warn("terms", problem(TermLacking, "%s no %s: runs skip %s", words.Plural(n, "of them has", "of them have"), field, map[bool]string{true: "it", false: "them"}[n == 1]).of(field))
		case mapped: // else fields has reported it
			c.fail("terms", problem(TermLacking, "none of them has %s, so there can be no alert", field).of(field))
		}
	}
}

// sources reports indices whose alerts would lack the events that they are about.
func (c *ruleCheck) sources(h inspect.Health) {
	for _, index := range h.WithoutSource {
		c.warn("source", problem(SourceOff, "%s keeps no _source: alerts about its events hold only the pair and the times", index))
	}
	for _, index := range h.Unread {
		c.warn("source", problem(SourceUnreadable, "Elasticsearch cannot read the newest matching event of %s: alerts about such events hold only the pair and the times", index))
	}
}

func lastDays(d time.Duration) string {
	return "the last " + words.Span(d)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
