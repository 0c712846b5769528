package job

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// gracePeriod is how long a run that was told to stop may go on to write and record its
// results.
const gracePeriod = 3 * time.Second

// ErrTerminated is wrapped by the error of a run that was told to stop.
var ErrTerminated = errors.New("terminated")

// withGracePeriod returns a context that ends gracePeriod after ctx.
func withGracePeriod(ctx context.Context) (context.Context, context.CancelFunc) {
	withGracePeriod, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(gracePeriod, func() { cancel(context.Cause(ctx)) })
	})
	return withGracePeriod, func() { stop(); cancel(nil) }
}

// terminated adds ErrTerminated and the signal to the error of a request that a signal
// ended.
func terminated(ctx context.Context, err error) error {
	if ctx.Err() == nil || err == nil {
		return err
	}
	return fmt.Errorf("%w: %w: %w", ErrTerminated, context.Cause(ctx), err)
}
