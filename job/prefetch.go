package job

import (
	"context"
	"iter"
	"sync"

	"newterms/esquery"
)

// Prefetch runs a sequence in a goroutine, and stays one value ahead of the loop over
// it. It yields the values in order, up to the sequence's end or first error. When the
// loop ends, the goroutine has ended too.
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

// openInBackground makes the source in a goroutine, while the start of the run is
// recorded. The returned function waits for the source.
func (j *Job) openInBackground(ctx context.Context) func() (*esquery.Source, error) {
	open := sync.OnceValues(func() (*esquery.Source, error) { return j.Open(ctx, j.Rule.Search) })
	go open()
	return open
}
