package job

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"sync"

	"newterms/alerts"
	"newterms/esquery"
)

// alert fetches the events of first occurrences and has their alerts written, in
// the order of their times: events of about the same time are the cheapest to
// fetch together. Beside that it makes sure that all of the history could be seen.
func (d *detection) alert(ctx context.Context, part Window, found []occurrence) error {
	slices.SortStableFunc(found, func(a, b occurrence) int { return a.candidate.First.Compare(b.candidate.First) })
	candidates := make([]esquery.Candidate, len(found))
	for i, o := range found {
		candidates[i] = o.candidate
	}
	if len(candidates) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	asked := make(chan error, 1)
	go func() { asked <- d.source.Unchanged(ctx) }()
	unchanged := sync.OnceValue(func() error { return <-asked })
	defer unchanged() // so that it has ended
	defer cancel()
	fetched := func(ctx context.Context) iter.Seq2[[]*esquery.Event, error] { return d.source.Events(ctx, candidates) }
	for events, err := range ahead(ctx, fetched) {
		if err != nil {
			return err
		}
		if err := unchanged(); err != nil {
			return err
		}
		for _, alert := range d.alertsOf(part, found[:len(events)], events) {
			if err := d.write(ctx, alert); err != nil {
				return err
			}
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
			d.warnIfSourceOff(e)
			read[e] = d.maker.Event(alerts.SourceEvent{Index: e.Index, ID: e.ID, Source: e.Source, Fields: e.Fields, Missing: e.Missing, Lacks: e.Lacks})
		}
		made[i] = d.maker.Alert(alerts.Finding{
			Key: o.key, Terms: o.candidate.Terms, LastSeen: o.lastSeen, Events: o.candidate.Events, From: part.From, To: part.To, Event: read[e],
		}, d.Now())
	}
	return made
}

// warnIfSourceOff tells of an index whose events come without their _source, once.
func (d *detection) warnIfSourceOff(e *esquery.Event) {
	if e.Source == nil && e.Missing == "" && e.Index != "" && !slices.Contains(d.sourceOff, e.Index) {
		d.sourceOff = append(d.sourceOff, e.Index)
		d.Warn(&SourceOff{e.Index})
	}
}

func (d *detection) write(ctx context.Context, alert alerts.Alert) error {
	if d.DryRun {
		return d.written(alerts.Result{Written: []alerts.Alert{alert}}, nil)
	}
	return d.written(d.writer.Add(ctx, alert))
}

// flush writes what is not written yet.
func (d *detection) flush(ctx context.Context) error { return d.written(d.writer.Flush(ctx)) }

// written tells of alerts that were written, and of an error in doing so.
func (d *detection) written(result alerts.Result, err error) error {
	d.counts.Written += int64(len(result.Written))
	d.counts.AlreadyAlerted += int64(result.Existing)
	d.tell()
	for _, alert := range result.Written {
		if len(alert.LeftOut) > 0 {
			d.Warn(&LeftOut{alert.LeftOut, alert.ID, alert.Event()})
		}
		if err := d.Emit(alert); err != nil {
			return &PrintError{alert.ID, !d.DryRun, err}
		}
	}
	var refused *alerts.RejectedError
	ofThese := []int{http.StatusBadRequest, http.StatusConflict, http.StatusInternalServerError}
	if errors.As(err, &refused) && slices.Contains(ofThese, refused.Status) {
		if d.rejected == nil {
			d.rejected = err
		}
		return nil
	}
	return err
}
