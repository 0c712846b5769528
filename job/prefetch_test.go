package job

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"

	"newterms/esquery"
	"newterms/esquery/query"
)

// counting yields 1, 2, … up to last, and then an error if there is one. Like what
// sends requests it fails once it is canceled.
func counting(last int, failure error, made *atomic.Int64, ended *atomic.Bool) func(context.Context) iter.Seq2[int, error] {
	return func(ctx context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			defer ended.Store(true)
			for n := 1; n <= last; n++ {
				made.Store(int64(n))
				if err := context.Cause(ctx); err != nil {
					yield(0, err)
					return
				}
				if !yield(n, nil) {
					return
				}
			}
			if failure != nil {
				yield(0, failure)
			}
		}
	}
}

func TestPrefetch(t *testing.T) {
	failure := errors.New("the disk is full")
	for _, want := range []error{nil, failure} {
		var made atomic.Int64
		var ended atomic.Bool
		var got []int
		var last error
		for n, err := range Prefetch(t.Context(), counting(50, want, &made, &ended)) {
			if last = err; err != nil {
				break
			}
			if ahead := made.Load() - int64(n); ahead > 1 {
				t.Errorf("at %d there are %d more", n, ahead)
			}
			got = append(got, n)
		}
		if len(got) != 50 || !slices.IsSorted(got) || !errors.Is(last, want) || !ended.Load() {
			t.Errorf("got %v, %v; ended: %v", got, last, ended.Load())
		}
	}
}

// TestPrefetchEnds leaves the loop early: the goroutine has ended when that is over.
func TestPrefetchEnds(t *testing.T) {
	var made atomic.Int64
	var ended atomic.Bool
	for n := range Prefetch(t.Context(), counting(50, nil, &made, &ended)) {
		if n == 3 {
			break
		}
	}
	if !ended.Load() || made.Load() > 5 {
		t.Errorf("it made %d; ended: %v", made.Load(), ended.Load())
	}
}

// TestPrefetchIsCanceled must not take that for the end of the sequence.
func TestPrefetchIsCanceled(t *testing.T) {
	why := errors.New("a signal")
	for range 200 { // whether the goroutine sees it or the loop is a matter of chance
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		var made atomic.Int64
		var ended atomic.Bool
		var last error
		got := 0
		for n, err := range Prefetch(ctx, counting(5, nil, &made, &ended)) {
			if last = err; err == nil {
				got = n
			}
			if n == 2 {
				cancel(why)
			}
		}
		if got < 5 && !errors.Is(last, why) || got == 5 && last != nil || !ended.Load() {
			t.Fatalf("got %d values and %v; ended: %v", got, last, ended.Load())
		}
	}
}

// TestOpening opens sources: one that fails, and one until the run is told to
// stop.
func TestOpening(t *testing.T) {
	wanted := errors.New("no such index")
	j := &Job{Open: func(ctx context.Context, s query.Search) (*esquery.Source, error) {
		if len(s.Indices) > 0 {
			return nil, wanted
		}
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}}
	ctx, cancel := context.WithCancelCause(t.Context())
	open := j.openInBackground(ctx)
	why := errors.New("a signal")
	cancel(why)
	if source, err := open(); source != nil || err != why {
		t.Errorf("got %v, %v", source, err)
	}
	j.Rule.Search.Indices = []string{"logs-*"}
	if source, err := j.openInBackground(t.Context())(); source != nil || err != wanted {
		t.Errorf("got %v, %v", source, err)
	}
}
