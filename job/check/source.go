package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/esquery"
)

const (
	// staleAfter is when data or runs look dead. It is only a warning, since
	// few users may well be quiet for as long at night.
	staleAfter = time.Hour
	// lateAfter is an ingest lag that is no longer a matter of polling.
	lateAfter = 10 * time.Minute
	// skewed is more than the time that a request takes explains.
	skewed = 5 * time.Second
)

// checkRule looks at what a rule reads and at its runs.
func (c *Check) checkRule(ctx context.Context, r Rule) {
	before := len(c.findings)
	now := c.Now()
	health, err := esquery.Inspect(ctx, c.Client, r.Search, esquery.Range{From: now.Add(-r.History), To: now})
	if c.indices(r, health, err) {
		c.clock(health.Now.Sub(c.Now()))
		if c.data(r, health, now) {
			c.fields(r, health)
			c.matching(r, health)
		}
	}
	c.runs(ctx, r)
	for i := range c.findings[before:] {
		c.findings[before+i].Rule = r.Name
	}
}

// indices judges what there is to search. It returns false if it cannot be
// searched.
func (c *Check) indices(r Rule, h esquery.Health, err error) bool {
	var forbidden []string
	for _, index := range r.Search.Indices {
		if c.missing[esquery.Privilege{Index: index, Name: "read"}] {
			forbidden = append(forbidden, index)
		}
	}
	patterns := strings.Join(forbidden, ", ")
	someReadable := len(forbidden) < len(r.Search.Indices)
	if len(forbidden) > 0 && (someReadable || err == nil) {
		c.warn("indices", "grant read on "+patterns+", or leave it out with NEWTERMS_INDEX",
			"this user may not read all that %s can match: events there are not seen", patterns)
	}
	var nothing *esquery.NotFoundError
	var misfit *esquery.MappingError
	switch {
	case err == nil:
		c.ok("indices", "%s: %d match", strings.Join(r.Search.Indices, ", "), len(h.Indices))
		return true
	case !someReadable:
		c.fail("indices", "grant read on "+patterns+" to the API key or user (deploy/elasticsearch/run.json)",
			&esquery.PrivilegeError{Missing: esquery.Privilege{Index: patterns, Name: "read"}})
	case errors.As(err, &nothing):
		c.fail("indices", "install the integration that collects the events, or set NEWTERMS_INDEX to where its events are", err)
	case errors.As(err, &misfit):
		c.fail("query", "correct the value or wildcard in the rule or in NEWTERMS_EXCLUDE: a network is written 203.0.113.0/24", err)
	case isStatus(err, http.StatusForbidden), isStatus(err, http.StatusUnauthorized):
		c.fail("indices", "grant read to the API key or user", err)
	default:
		c.fail("indices", "mend the rule, its indices or the cluster, whichever the message names", err)
	}
	return false
}

// fields judges the types of the fields that a rule names, once there is data.
func (c *Check) fields(r Rule, h esquery.Health) {
	fine := 0
	for _, name := range h.Names {
		types := h.Fields[name].Types
		isTerm := slices.Contains(r.Search.Fields, name)
		switch {
		case len(types) == 0:
			c.unmapped(r, h, name, isTerm)
		case h.Misfits[name] != nil:
			c.fail("fields", "use a field of another type in the rule, or reindex the indices that differ", h.Misfits[name])
		case len(types) > 1:
			c.warn("fields", "reindex the indices that differ", "%s has several types: %s", name, strings.Join(types, ", "))
		default:
			fine++
		}
	}
	if fine > 0 {
		c.ok("fields", "%d of the rule's %d fields are mapped as it needs them", fine, len(h.Names))
	}
}

// unmapped judges a field that no event has.
func (c *Check) unmapped(r Rule, h esquery.Health, name string, isTerm bool) {
	switch {
	case isTerm && r.Search.MissingTerms: // its absence counts; lacking tells
	case isTerm && h.Matching > 0:
		c.unusable(r, "fields", sourceOf(name), "no index maps the new-terms field %s: no event has it, so there can be no alert", name)
	case isTerm:
		c.warn("fields", sourceOf(name), "no index maps the new-terms field %s: no event has it so far", name)
	case name == r.Search.Timestamp && r.Search.Fallback == "":
		c.unusable(r, "fields", "index events with that field, or change the rule's timestamp_override", "no index maps %s, which dates the events", name)
	case name == r.Search.Timestamp:
		c.warn("fields", "nothing to do if events are never late; else set the field at ingest", "no index maps %s: %s dates the events", name, r.Search.Fallback)
	default:
		c.warn("fields", "check that the events are of the kind that the rule expects", "no index maps %s: what the rule says of it matches as if it were empty", name)
	}
}

// sourceOf says where a new-terms field comes from.
func sourceOf(field string) string {
	if strings.HasPrefix(field, "cloud.") {
		return field + " of Okta events does not come from Okta but from the host of the Elastic Agent (add_cloud_metadata): run the agent on a cloud host, " +
			"set the field in the ingest pipeline logs-okta.system@custom, or let its absence count with NEWTERMS_MISSING_TERMS=include"
	}
	return "set the field at ingest, or let its absence count with NEWTERMS_MISSING_TERMS=include"
}

// clock judges how far the server's clock is ahead of ours.
func (c *Check) clock(ahead time.Duration) {
	ahead = ahead.Round(time.Second)
	const synchronize = "synchronize the clock of this machine (NTP)"
	switch {
	case -ahead > c.Overlap:
		c.fail("clock", synchronize, fmt.Errorf("the clock here is %s ahead of the server's, more than NEWTERMS_OVERLAP=%s: scheduled runs miss events", -ahead, c.Overlap))
	case ahead.Abs() > skewed:
		c.warn("clock", synchronize, "the clock here differs from the server's by %s", ahead.Abs())
	default:
		c.ok("clock", "as the server's, to %s", skewed)
	}
}

// data judges how fresh the events are, whether they match or not. It returns
// false if there are none.
func (c *Check) data(r Rule, h esquery.Health, now time.Time) bool {
	if h.Newest.IsZero() {
		c.fail("data", "check that the Elastic Agent with the integration runs, and that NEWTERMS_INDEX is right",
			fmt.Errorf("there is no event of %s", window(r.History)))
		return false
	}
	if age := now.Sub(h.Newest).Round(time.Second); age > staleAfter {
		c.warn("data", "check that the Elastic Agent with the integration runs", "the newest event is %s old (%s)", age, stamp(h.Newest))
	} else {
		c.ok("data", "the newest event is %s old", max(age, 0))
	}
	if n := len(h.Lags); n > 0 {
		median, longest := h.Lags[n/2].Round(time.Second), h.Lags[n-1].Round(time.Second)
		message := fmt.Sprintf("of the newest %d events, half were ingested within %s and all within %s", n, median, longest)
		if median > lateAfter {
			c.warn("lag", "check the Elastic Agent and Okta's rate limits: a run sees an event only once it is ingested", "%s", message)
		} else {
			c.ok("lag", "%s", message)
		}
	}
	return true
}

func (c *Check) matching(r Rule, h esquery.Health) {
	days := window(r.History)
	if h.Matching == 0 {
		c.warn("matching", "nothing to do if there are none; else compare the query (newterms rule) with an event", "no event of %s matches the rule", days)
		return
	}
	c.ok("matching", "%d events of %s match the rule", h.Matching, days)
	c.lacking(r, h)
}

func (c *Check) lacking(r Rule, h esquery.Health) {
	for _, field := range r.Search.Fields {
		n := h.Lacking[field]
		switch mapped := len(h.Fields[field].Types) > 0; {
		case n == 0:
			c.ok("terms", "all of them have %s", field)
		case r.Search.MissingTerms:
			c.ok("terms", "%d of them lack %s, which counts as a term (NEWTERMS_MISSING_TERMS=include)", n, field)
		case n < h.Matching:
			c.warn("terms", sourceOf(field), "%d of them lack %s and cannot be judged", n, field)
		case mapped: // else the fields have told
			c.unusable(r, "terms", sourceOf(field), "all of them lack %s, so there can be no alert", field)
		}
	}
}

func (c *Check) runs(ctx context.Context, r Rule) {
	last, ok, err := c.Store.LastRun(ctx, r.ID)
	now := c.Now()
	age := now.Sub(last.At).Round(time.Second)
	const lookAt = "look at the CronJob (kubectl get cronjob,job,pod) and at the log of its pods"
	switch {
	case isStatus(err, http.StatusForbidden): // which the privileges tell
	case err != nil:
		c.fail("runs", "check the health of the cluster", err)
	case !ok:
		c.warn("runs", "nothing to do if the CronJob is new; else "+lookAt, "there was no run yet: the first one looks back %s", r.Lookback)
	case last.State == alerts.Failure:
		c.warn("runs", "the next run does its window again; if it keeps failing, "+lookAt, "the newest run failed %s ago: %s", age, last.Error)
	case last.State == alerts.Started && age > staleAfter:
		c.warn("runs", lookAt+": it was killed, or ran out of memory or time", "the newest run started %s ago and never ended", age)
	case last.Succeeded.IsZero():
		c.warn("runs", "nothing to do if the CronJob is new; else "+lookAt, "the newest run is %s (%s, %s ago); there was no successful scheduled one yet", last.State, last.Type, age)
	case now.Sub(last.Succeeded) > staleAfter:
		c.warn("runs", lookAt, "the last successful scheduled run looked at events up to %s, %s ago", stamp(last.Succeeded), now.Sub(last.Succeeded).Round(time.Second))
	default:
		c.ok("runs", "the newest is %s (%s, %s ago); all events up to %s were looked at", last.State, last.Type, age, stamp(last.Succeeded))
	}
}

func window(d time.Duration) string {
	if day := 24 * time.Hour; d%day == 0 {
		return fmt.Sprintf("the last %d days", d/day)
	}
	return fmt.Sprintf("the last %s", d)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
