package job

import (
	"context"
	"iter"

	"newterms/esquery"
)

// Prefetch runs a sequence in a goroutine of its own, so that the next value is
// there, or on its way, while the last one is dealt with. Never are there more
// than these two. The values come in order, up to the sequence's own end or error.
// When the loop over it ends, so has the goroutine.
func Prefetch[T any](ctx context.Context, sequence func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	type step struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		steps, left := make(chan step), make(chan struct{})
		go func() {
			defer close(steps)
			for value, err := range sequence(ctx) {
				select {
				case steps <- step{value, err}:
				case <-left:
					return
				}
			}
		}()
		defer func() {
			close(left)
			cancel()
			for range steps { // until the goroutine has ended
			}
		}()
		for s := range steps {
			if !yield(s.value, s.err) {
				return
			}
		}
	}
}

// opening makes the source of a run, while the start of the run is recorded. What
// it returns waits for it.
func (j *Job) opening(ctx context.Context) func() (*esquery.Source, error) {
	var source *esquery.Source
	var err error
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		source, err = j.Open(ctx, j.Rule.Search)
	}()
	return func() (*esquery.Source, error) {
		<-opened
		return source, err
	}
}
