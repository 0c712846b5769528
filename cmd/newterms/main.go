// Command newterms is Elastic's new_terms detection as a batch job.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"newterms/cmd/newterms/failure"
)

func main() {
	ctx := untilSignal(context.Background())
	os.Exit(failure.Code(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)))
}

// sameSignal is how long after the first signal a second one is ignored: timeout and
// some container runtimes send it to the process and to its group at once.
const sameSignal = time.Second

// untilSignal returns a context that SIGINT or SIGTERM ends, with the signal in its
// cause. A second signal kills the process, unless it comes within sameSignal. If the
// reader of stdout is gone, as with head, only the write fails.
func untilSignal(parent context.Context) context.Context {
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		received := <-signals
		if received == os.Interrupt {
			cancel(failure.ErrInterrupted)
		} else {
			cancel(fmt.Errorf("%s signal received", received))
		}
		time.Sleep(sameSignal)
		signal.Stop(signals)
	}()
	return ctx
}
