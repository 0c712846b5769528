package main

import (
	"context"
	"errors"
	"flag"
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
	err := p.dispatch(ctx, args, settingsErr)
	for _, cause := range failure.Causes(err) {
		if !failure.Is[*failure.Reported](cause) {
			p.log.Error(failure.Line(cause), "exit_code", failure.Code(cause))
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

// parseFlags parses the arguments after the command: flags and others in any order. It
// returns the others, at most maxRest.
func parseFlags(flags *flag.FlagSet, args []string, maxRest int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var rest []string
	for {
		err := flags.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil, err
		case err != nil:
			return nil, failure.Usagef("%s: %w; see newterms --help", flags.Name(), err)
		case flags.NArg() == 0:
			return rest, nil
		case len(rest) == maxRest:
			return nil, failure.Usagef("%s: %q is one argument too many; see newterms --help", flags.Name(), flags.Arg(0))
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// isGiven reports whether a flag was given, whatever its value.
func isGiven(flags *flag.FlagSet, name string) bool {
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// store returns the store of the settings' targets.
func (p program) store(client *elastic.Client) *alerts.Store {
	return alerts.NewStore(client, p.settings.AlertsTarget, p.settings.RunsTarget)
}

// stringsFlag is a flag that may be repeated.
type stringsFlag []string

func (l *stringsFlag) String() string     { return strings.Join(*l, ",") }
func (l *stringsFlag) Set(s string) error { *l = append(*l, s); return nil }

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
