// Command newterms is Elastic's new_terms detection as a batch job.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx := untilSignal(context.Background())
	os.Exit(exitCode(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)))
}

// untilSignal returns a context that SIGINT or SIGTERM ends, with the signal in
// its cause. A second signal kills: signal.NotifyContext would restore that
// only some time after the context has ended.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		received := <-signals
		signal.Stop(signals)
		cancel(fmt.Errorf("%s signal received", received))
	}()
	return ctx
}
