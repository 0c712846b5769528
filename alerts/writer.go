package alerts

import (
	"context"
	"fmt"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/alerts/alert"
	"newterms/esquery/elastic"
)

// A Result is the outcome of writing alerts.
type Result struct {
	Written []alert.Alert
	// Existing counts alerts that another run wrote in the meantime.
	Existing int
}

// A Writer writes the alerts of a run in bulks of about 2 MB. It is not safe for
// concurrent use.
type Writer struct {
	store *Store
	ready []alert.Alert
	size  int // of these, in bytes
	// unrefreshed holds the ids of written alerts that may not be searchable yet, by
	// backing index.
	unrefreshed map[string][]string
}

// Writer returns a new Writer.
func (s *Store) Writer() *Writer { return &Writer{store: s, unrefreshed: map[string][]string{}} }

// Add adds an alert, and writes those before it if they fill a bulk. It returns the
// same as Flush.
func (w *Writer) Add(ctx context.Context, a alert.Alert) (Result, error) {
	var result Result
	var err error
	size := a.Size()
	if len(w.ready) > 0 && w.size+size > maxBulk {
		result, err = w.write(ctx, false)
	}
	w.ready, w.size = append(w.ready, a), w.size+size
	return result, err
}

// Flush writes the remaining alerts, and makes all alerts searchable. An alert that the
// target refuses is written again with less of its event, at last without it; LeftOut
// lists what it lacks. If the target rejects some even so, the result holds the others
// and the error is a *RejectedError.
func (w *Writer) Flush(ctx context.Context) (Result, error) {
	var result Result
	var err error
	if len(w.ready) > 0 {
		result, err = w.write(ctx, true)
	}
	if refreshErr := w.refresh(ctx); err == nil {
		err = refreshErr
	}
	return result, err
}

func (w *Writer) write(ctx context.Context, refresh bool) (Result, error) {
	batch := w.ready
	w.ready, w.size = nil, 0
	var result Result
	var rejected []outcome
	for len(batch) > 0 {
		outcomes, err := w.send(ctx, batch, refresh)
		if err != nil {
			return result, fmt.Errorf("write alerts: %w", err)
		}
		var conflicts, again []alert.Alert
		var conflicting []outcome
		for i, o := range outcomes {
			smaller, ok := batch[i], false
			if o.isRefused() {
				smaller, ok = batch[i].Shrink(o.Status, o.Error)
			}
			switch {
			case o.isCreated(w.store.alertsTarget):
				result.Written = append(result.Written, batch[i])
			case o.Status == http.StatusConflict:
				conflicts, conflicting = append(conflicts, batch[i]), append(conflicting, o)
			case ok:
				again = append(again, smaller)
			default:
				rejected = append(rejected, o)
			}
		}
		more, err := w.store.judgeConflicts(ctx, conflicts, conflicting, &result)
		if err != nil {
			return result, fmt.Errorf("write alerts: %w", err)
		}
		rejected, batch = append(rejected, more...), again
	}
	if err := rejection(w.store.alertsTarget, rejected); err != nil {
		return result, fmt.Errorf("write alerts: %w", w.store.withPipelines(ctx, err))
	}
	return result, nil
}

func (w *Writer) send(ctx context.Context, batch []alert.Alert, refresh bool) ([]outcome, error) {
	items := make([]item, len(batch))
	for i, a := range batch {
		text, err := a.Document()
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", a.ID, err)
		}
		items[i] = item{id: a.ID, document: text}
	}
	outcomes, err := w.store.send(ctx, w.store.alertsTarget, items, refresh)
	for _, o := range outcomes {
		if !refresh && o.Index != "" && len(w.unrefreshed[o.Index]) < maxUnrefreshed {
			w.unrefreshed[o.Index] = append(w.unrefreshed[o.Index], o.ID)
		}
	}
	return outcomes, err
}

// maxUnrefreshed is how many ids of an index are kept. One alert of a shard refreshes
// all of it, and so many alerts include some of every shard.
const maxUnrefreshed = 1000

// refresh makes the alerts of earlier bulks searchable. The last bulk refreshes only
// the shards it wrote to; earlier bulks may have gone to other shards or, after a
// rollover, to another index. The refresh API needs a privilege that a run has no other
// use for; a get needs only that of a search. If a run is killed before this, the index
// refreshes by itself before the next run searches for alerts.
func (w *Writer) refresh(ctx context.Context) error {
	var docs []dsl
	for index, ids := range w.unrefreshed {
		for _, id := range ids {
			docs = append(docs, dsl{"_index": index, "_id": id, "_source": false})
		}
	}
	if len(docs) == 0 {
		return nil
	}
	w.unrefreshed = map[string][]string{}
	yes, no := true, false
	var answer struct {
		Docs []struct {
			Error elastic.Cause `json:"error"`
		} `json:"docs"`
	}
	err := w.store.client.Do(ctx, esapi.MgetRequest{Body: elastic.JSON(dsl{"docs": docs}), Refresh: &yes, Realtime: &no}, &answer) // a realtime get would not refresh
	for _, d := range answer.Docs {
		if err == nil && d.Error.Type != "" {
			err = fmt.Errorf("get: %s", d.Error)
		}
	}
	if err != nil {
		return fmt.Errorf("refresh %s: %w", w.store.alertsTarget, err)
	}
	return nil
}
