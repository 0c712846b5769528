package job

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"newterms/alerts"
	"newterms/alerts/alert"
)

// alert writes the alerts of first occurrences.
func (d *detection) alert(ctx context.Context, found []Occurrence) error {
	for made, err := range d.maker.Alerts(ctx, found) {
		if err != nil {
			return err
		}
		for _, alert := range made {
			if err := d.write(ctx, alert); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *detection) write(ctx context.Context, a alert.Alert) error {
	if d.DryRun {
		return d.written(alerts.Result{Written: []alert.Alert{a}}, nil)
	}
	return d.written(d.writer.Add(ctx, a))
}

// flush writes the alerts that the writer still holds.
func (d *detection) flush(ctx context.Context) error { return d.written(d.writer.Flush(ctx)) }

// written counts and emits the alerts that were written. It keeps the first error about
// an alert that was refused, and returns any other.
func (d *detection) written(result alerts.Result, err error) error {
	d.counts.Written += int64(len(result.Written))
	d.counts.AlreadyAlerted += int64(result.Existing)
	d.reportProgress()
	for _, alert := range result.Written {
		d.sharing.Add(alert, d.finder.Source.IsMapped)
		if len(alert.LeftOut) > 0 {
			d.Warn(&LeftOut{alert.LeftOut, alert.ID, alert.Event()})
		}
		if err := d.Emit(alert); err != nil {
			return &PrintError{alert.ID, !d.DryRun, err}
		}
	}
	var refused *alerts.RejectedError
	refusals := []int{http.StatusBadRequest, http.StatusConflict, http.StatusInternalServerError}
	if errors.As(err, &refused) && slices.Contains(refusals, refused.Status) {
		if d.rejected == nil {
			d.rejected = err
		}
		return nil
	}
	return err
}
