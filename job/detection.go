package job

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
)

// isFirstOccurrence is the definition of an alert. first is the earliest event of
// a pair in a window no longer than H, and lastSeen the latest one in the H
// before that window, the zero time if there is none. An event exactly H before
// first is still history.
func isFirstOccurrence(first, lastSeen time.Time, history time.Duration) bool {
	return lastSeen.IsZero() || first.Sub(lastSeen) > history
}

// detection is the state of one run.
type detection struct {
	*Job
	maker   *alerts.Maker
	search  string // what identifies it
	source  Source
	counts  *alerts.Counts
	lacking LackingTerms
	warned  bool // that there is no history
	// rejected is the first error about alerts that cannot be indexed. The run
	// goes on, so that they hold up no others, and fails in the end.
	rejected error
}

// occurrence is a first occurrence that has no alert yet.
type occurrence struct {
	candidate esquery.Candidate
	key       alerts.Key
}

func (d *detection) part(ctx context.Context, part Window) error {
	var pending []occurrence // of the whole part, only if MaxAlerts asks for it
	candidates := 0
	anyHistory := false
	for page, err := range d.source.Candidates(ctx, part.timeRange()) {
		if err != nil {
			return err
		}
		d.lacking.add(page.Lacking)
		d.counts.LackingTerms = d.lacking.Any
		if len(page.Candidates) == 0 {
			continue
		}
		candidates += len(page.Candidates)
		d.counts.Candidates += int64(len(page.Candidates))
		found, seen, err := d.firstOccurrences(ctx, part, page.Candidates)
		if err != nil {
			return err
		}
		anyHistory = anyHistory || seen
		if d.MaxAlerts == 0 {
			if err := d.alert(ctx, part, found); err != nil {
				return err
			}
			continue
		}
		if pending = append(pending, found...); len(pending) > d.MaxAlerts {
			return &MaxAlertsError{d.MaxAlerts}
		}
	}
	if candidates > 0 && !anyHistory {
		if err := d.warnIfNoHistory(ctx, part); err != nil {
			return err
		}
	}
	return d.alert(ctx, part, pending)
}

// firstOccurrences returns those of the candidates that are first occurrences
// and not alerted yet, and whether any candidate was seen before.
func (d *detection) firstOccurrences(ctx context.Context, part Window, candidates []esquery.Candidate) ([]occurrence, bool, error) {
	history := esquery.Range{From: part.From.Add(-d.Rule.History), To: part.From}
	lastSeen, err := d.source.LastSeen(ctx, history, candidates)
	if err != nil {
		return nil, false, err
	}
	var found []occurrence
	anyHistory := false
	for i, c := range candidates {
		anyHistory = anyHistory || !lastSeen[i].IsZero()
		if !isFirstOccurrence(c.First, lastSeen[i], d.Rule.History) {
			continue
		}
		key, err := alerts.NewKey(d.Rule.ID, d.Rule.Search.Fields, c.Terms, c.First)
		if err != nil {
			return nil, false, err
		}
		found = append(found, occurrence{c, key})
	}
	d.counts.New += int64(len(found))
	found, err = d.unalerted(ctx, found)
	return found, anyHistory, err
}

// unalerted leaves out what has an alert already.
func (d *detection) unalerted(ctx context.Context, found []occurrence) ([]occurrence, error) {
	var fresh []occurrence
	for batch := range slices.Chunk(found, alerts.MaxBatch) {
		keys := make([]alerts.Key, len(batch))
		for i, o := range batch {
			keys[i] = o.key
		}
		alerted, err := d.Store.AlreadyAlerted(ctx, keys, alerts.Lookup{History: d.Rule.History, Search: d.search, Fields: d.Rule.Search.Fields})
		if err != nil {
			return nil, err
		}
		for i, already := range alerted {
			if already {
				d.counts.AlreadyAlerted++
			} else {
				fresh = append(fresh, batch[i])
			}
		}
	}
	return fresh, nil
}

// alert fetches the events of first occurrences and writes their alerts.
func (d *detection) alert(ctx context.Context, part Window, found []occurrence) error {
	candidates := make([]esquery.Candidate, len(found))
	for i, o := range found {
		candidates[i] = o.candidate
	}
	for events, err := range d.source.Events(ctx, candidates) {
		if err != nil {
			return err
		}
		if err := d.write(ctx, d.alertsOf(part, found[:len(events)], events)); err != nil {
			return err
		}
		found = found[len(events):]
	}
	return nil
}

// alertsOf builds the alerts of first occurrences, each with its event.
func (d *detection) alertsOf(part Window, found []occurrence, events []*esquery.Event) []alerts.Alert {
	read := map[*esquery.Event]*alerts.Event{}
	made := make([]alerts.Alert, len(found))
	for i, o := range found {
		e := events[i]
		if read[e] == nil {
			read[e] = alerts.NewEvent(alerts.SourceEvent{Index: e.Index, ID: e.ID, Source: e.Source, Fields: e.Fields, Missing: e.Missing})
		}
		made[i] = d.maker.Alert(alerts.Finding{
			Key: o.key, Terms: o.candidate.Terms, Events: o.candidate.Events, From: part.From, To: part.To, Event: read[e],
		}, d.Now())
	}
	return made
}

func (d *detection) write(ctx context.Context, documents []alerts.Alert) error {
	result := alerts.Result{Written: documents}
	var err error
	if !d.DryRun {
		result, err = d.Store.Write(ctx, documents)
	}
	d.counts.Written += int64(len(result.Written))
	d.counts.AlreadyAlerted += int64(result.Existing)
	for _, alert := range result.Written {
		if len(alert.LeftOut) > 0 {
			d.Warn(&LeftOut{alert.LeftOut, alert.ID, alert.Event()})
		}
		if err := d.Emit(alert); err != nil {
			return fmt.Errorf("print alert %s, which is written: %w", alert.ID, err)
		}
	}
	var refused *alerts.RejectedError
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
		if d.rejected == nil {
			d.rejected = err
		}
		return nil
	}
	return err
}

// A MaxAlertsError says that a part of the window has more alerts than allowed,
// and that none of them was written.
type MaxAlertsError struct{ Max int }

func (e *MaxAlertsError) Error() string {
	return fmt.Sprintf("more than %d new alerts, which is the limit: none of this part was written", e.Max)
}

// warnIfNoHistory tells apart candidates that are new from a source that is: where
// there is no event at all in the history, everything looks new.
func (d *detection) warnIfNoHistory(ctx context.Context, part Window) error {
	if d.warned {
		return nil
	}
	whole := esquery.Range{From: part.From.Add(-d.Rule.History), To: part.To}
	oldest, ok, err := d.source.Oldest(ctx, whole)
	if err != nil || !ok || oldest.Before(part.From) {
		return err
	}
	d.warned = true
	d.Warn(&NoHistory{oldest, whole.From})
	return nil
}
