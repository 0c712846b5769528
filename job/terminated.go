package job

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// recordTimeout bounds the attempt to record a run that was told to stop.
const recordTimeout = 3 * time.Second

// ErrTerminated is wrapped by the error of a run that was told to stop.
var ErrTerminated = errors.New("terminated")

// lingering returns a context that ends some time after the one it is made of.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	lingering, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(recordTimeout, func() { cancel(context.Cause(ctx)) })
	})
	return lingering, func() { stop(); cancel(nil) }
}

// terminated says why a request was given up, if it was because of a signal.
func terminated(ctx context.Context, err error) error {
	if ctx.Err() == nil || err == nil {
		return err
	}
	return fmt.Errorf("%w: %w: %w", ErrTerminated, context.Cause(ctx), err)
}
