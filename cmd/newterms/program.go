package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"newterms/alerts"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic"
)

// A program is one call of the command line.
type program struct {
	settings settings.Settings
	streams  [2]*terminal.Stream // stdout and stderr, for endingWith
	stdout   io.Writer
	stderr   io.Writer // for loggers only
	action   string    // the command, for the log
	log      *slog.Logger
	progress *progress
	now      func() time.Time
	retry    func() []backoff.RetryOption
	pageSize int // 0 means the default
}

// memoryLimit is the garbage collector's soft limit, unless GOMEMLIMIT is set. A run
// over 1,000,000 pairs that wrote 100,000 alerts took 120 MB before, and as long; one
// over pairs of 11 kB took 3 s more.
const memoryLimit = 48 << 20

// gcPercent is how far the heap grows, in percent, before it is collected, unless GOGC
// is set. With 100 a run took a tenth more time.
const gcPercent = 400

// run runs the command in args and logs its errors on stderr, one line each. The
// returned error is for failure.Code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	isSet := func(name string) bool {
		return slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	if !isSet("GOMEMLIMIT") {
		debug.SetMemoryLimit(memoryLimit)
	}
	if !isSet("GOGC") {
		debug.SetGCPercent(gcPercent)
	}
	p := program{now: time.Now, retry: elastic.DefaultRetry}
	return p.execute(ctx, args, environ, stdout, stderr)
}

func (p program) execute(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	var settingsErr error
	p.settings, settingsErr = settings.Read(environ)
	p.action = "newterms"
	if len(args) > 0 && slices.ContainsFunc(p.commands(), func(c command) bool { return c.name == args[0] }) {
		p.action = args[0]
	}
	if p.action == "run" {
		var end context.CancelFunc
		ctx, end = p.withDeadline(ctx)
		defer end()
	}
	p.streams = [2]*terminal.Stream{terminal.NewStream("stdout", stdout), terminal.NewStream("stderr", stderr)}
	p.progress = newProgress(terminal.NewProgress(p.streams[1].Until(ctx.Done())))
	p = p.endingWith(ctx)
	err := p.dispatch(ctx, args, environ, settingsErr)
	for _, cause := range failure.Causes(err) {
		switch code := failure.Code(cause); {
		case failure.Is[*failure.Reported](cause):
		case failure.Is[*failure.StoppedError](cause):
			p.log.Warn(cause.Error(), "exit_code", code)
		case code == failure.ExitUsage && p.settings.LogFormat != "json": // somebody has typed it, also where stderr is no terminal
			fmt.Fprintf(terminal.Fitting(p.stderr), "newterms: %s\n", failure.Line(cause))
		default:
			p.log.Error(failure.Line(cause), "exit_code", code)
		}
	}
	return err
}

// endingWith returns the program for work that ends with ctx: its output then no longer
// waits for a reader.
func (p program) endingWith(ctx context.Context) program {
	p.stdout, p.stderr = p.progress.Beside(p.streams[0].Until(ctx.Done())), p.progress.Beside(p.streams[1].Until(ctx.Done()))
	p.log = newLogger(p.settings, p.action, p.stderr)
	return p
}

// store returns the store of the settings' targets.
func (p program) store(client *elastic.Client) *alerts.Store {
	return alerts.NewStore(client, p.settings.AlertsTarget, p.settings.RunsTarget)
}

// stamped is the version that the linker sets in a build without a checkout: -X
// main.stamped=0.1.0.
var stamped string

// version returns stamped, or the module's version in the build info.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
