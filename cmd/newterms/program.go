package main

import (
	"context"
	"errors"
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
	"newterms/cmd/newterms/logging"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/job/rule"
)

// A program is one call of the command line.
type program struct {
	settings settings.Settings
	streams  [2]*terminal.Stream // stdout and stderr, for endingWith
	stdout   io.Writer
	stderr   io.Writer // for loggers only
	action   string    // the command, for the log
	log      *slog.Logger
	progress *show.Progress
	now      func() time.Time
	retry    func() []backoff.RetryOption
	pageSize int // 0 means the default
	// onRuleWarning gets the warnings about rule files; nil logs them.
	onRuleWarning func(*rule.Warning)
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
	if len(args) > 0 && p.commands().Has(args[0]) {
		p.action = args[0]
	}
	if p.action == "run" {
		var end context.CancelFunc
		ctx, end = p.settings.WithDeadline(ctx)
		defer end()
	}
	p.streams = [2]*terminal.Stream{terminal.NewStream("stdout", stdout), terminal.NewStream("stderr", stderr)}
	p.progress = show.NewProgress(terminal.NewProgress(p.streams[1].Until(ctx.Done())))
	p = p.endingWith(ctx)
	err := p.dispatch(ctx, args, environ, settingsErr)
	for _, cause := range failure.Causes(err) {
		switch code := failure.Code(cause); {
		case failure.Is[*failure.Reported](cause):
		case failure.Is[*failure.StoppedError](cause):
			p.log.Warn(cause.Error(), "exit_code", code)
		case code == failure.ExitUsage && p.settings.LogFormat != "json": // a person has typed it, even if stderr is no terminal
			fmt.Fprintf(terminal.Fitting(p.stderr), "newterms: %s\n", failure.Line(cause))
		default:
			p.log.Error(failure.Line(cause), "exit_code", code)
		}
	}
	return err
}

// endingWith returns a program whose output no longer waits for its reader once ctx has
// ended.
func (p program) endingWith(ctx context.Context) program {
	p.stdout, p.stderr = p.progress.Beside(p.streams[0].Until(ctx.Done())), p.progress.Beside(p.streams[1].Until(ctx.Done()))
	p.log = logging.New(p.settings, version(), p.action, p.stderr)
	return p
}

// during shows the progress while a command runs, until done is called.
func (p program) during(command string) (done func()) {
	text := func(spent time.Duration) string { return command + ": " + p.progress.Text(spent) }
	return p.progress.During(text, func(text string) { p.log.Info(text) })
}

// asCommandError names the command in each of joined errors.
func asCommandError(command string, err error) error {
	var failures []error
	for _, cause := range failure.Causes(err) {
		failures = append(failures, fmt.Errorf("%s: %w", command, cause))
	}
	return errors.Join(failures...)
}

// connect makes the client for all requests to Elasticsearch. It sends nothing.
func (p program) connect() (*elastic.Client, error) { return p.connectAs(p.settings.Credentials()) }

// connectAs is connect with the given credentials, or returns their error.
func (p program) connectAs(credentials settings.Credentials, credentialsErr error) (*elastic.Client, error) {
	client, err := p.settings.Connect(credentials, "newterms/"+version(), elastic.Options{Retry: p.retry, Log: p.log})
	if err := errors.Join(err, credentialsErr); err != nil {
		return nil, err
	}
	return client, nil
}

// store returns the store of the settings' targets.
func (p program) store(client *elastic.Client) *alerts.Store {
	return alerts.NewStore(client, p.settings.AlertsTarget, p.settings.RunsTarget)
}

// loadRules loads rules, and applies the settings and the exclusions of --exclude to
// their searches. Its error may be about some rules; it still returns the others.
func (p program) loadRules(paths []string, exclude []kql.Query, missing settings.MissingTerms) ([]rule.Rule, error) {
	// The settings always apply, so that a rerun by hand excludes what scheduled
	// runs exclude. All rules share the list, which may be long.
	always, err := p.settings.Exclusions()
	if err != nil {
		return nil, err
	}
	s := rule.Settings{Indices: p.settings.Index, Exclude: slices.Concat(always, exclude), MissingTerms: bool(missing), PageSize: p.pageSize}
	if len(paths) == 0 {
		paths = p.settings.Rules
	}
	library, err := rule.Read(paths...)
	err = errors.Join(err, library.Apply(s, p.now()))
	warn := p.onRuleWarning
	if warn == nil {
		warn = func(warning *rule.Warning) { p.log.Warn(failure.Line(warning)) }
	}
	for _, warning := range library.Warnings {
		warn(warning)
	}
	if len(library.Skipped) > 0 {
		p.log.Info(show.Skipped(library.Skipped), "skipped", library.Skipped)
	}
	for _, e := range library.Expired {
		p.log.Info(fmt.Sprintf("%s: the exception %s expired at %s and excludes nothing", e.Rule, e.Name, e.Expires.UTC().Format(time.RFC3339)), "rule", e.Rule)
	}
	return library.Rules, err
}
