package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"newterms/alerts"
	"newterms/esquery/elastic"
)

const usage = `newterms finds first occurrences and indexes an alert for each.

  newterms run    [--from T] [--to T] [--rule PATH]... [--exclude KQL]...
                  [--missing-terms skip|include] [--dry-run]
                  [--output table|ndjson|none]
                  runs once, over the scheduled window or over [from, to)
  newterms check  [--rule PATH]... [--output text|json]
                  says whether a run would work, and what to do; writes nothing
  newterms setup  [--dashboards] [--notify]
                  installs the index templates and, in Kibana, the dashboards
                  and two rules that notify through KIBANA_CONNECTOR_ID;
                  changes nothing the second time
  newterms keys   [run|setup|close|notify]... [--rotate] [--expires D]
                  [--output json|secret]
                  as a user makes API keys with what each needs, run and setup
                  if none is named, and prints them once, as JSON or as Secrets
                  for kubectl; --rotate makes another key, tries it and ends
                  the one there is
  newterms rule   [PATH] [--among FOLDER] [--requests] [--output text|json]
                  prints what there is to know of a rule: ATT&CK, indicators,
                  exclusions, the triage guide; --among counts what the rules
                  of a folder have in common with it; needs no cluster
  newterms rules  [PATH]... [--output table|json]
                  lists what would run: fields, history, indices, exceptions
                  and, with a cluster, the last run and alert of each
  newterms explain --term FIELD=VALUE... [--from T] [--to T] [--rule PATH]...
                  [--exclude KQL]... [--missing-terms skip|include]
                  [--output text|json]
  newterms explain ALERT_ID [--rule PATH]... [--output text|json]
                  says why a pair has an alert or has none, or what keeps its
                  events from matching; without --from in the last 7 days, or
                  what the rule's history is; writes nothing
  newterms backtest --from T [--to T] [--rule PATH]... [--exclude KQL]...
                  [--exclude-file FILE]... [--missing-terms skip|include]
                  [--history 7d,14d] [--output text|json]
                  what rules would have found, by day and by value, alerted
                  already or not, and what each exclusion takes; several rules
                  as a table; writes nothing
  newterms close|acknowledge ALERT_ID... [--reason TEXT]
  newterms close|acknowledge --where KQL [--reason TEXT] [--yes]
                  sets the status of alerts, by id or all that KQL matches;
                  without --yes that only shows how many there are
  newterms version

T is RFC 3339, YYYY-MM-DD (UTC) or Elastic date math such as now-7d/d.
Settings are environment variables, ELASTICSEARCH_URL first: see the README.
`

const commandNames = "run, check, setup, keys, rule, rules, explain, backtest, close, acknowledge or version"

// program is one call of the command line.
type program struct {
	settings settings
	streams  [2]*stream // stdout and stderr, for until
	stdout   io.Writer
	stderr   io.Writer // only for loggers
	log      *slog.Logger
	progress *progress
	now      func() time.Time
	retry    func() []backoff.RetryOption
	pageSize int // 0 is the default
}

// memoryLimit is where the garbage collector begins to work harder, unless
// GOMEMLIMIT says otherwise. A run over 1,000,000 pairs that wrote 100,000 alerts
// took 120 MB before, and no less time; one over pairs of 11 kB took 3 s more.
const memoryLimit = 48 << 20

// collectAt lets the heap grow, in percent of what is in use, before it is
// collected, unless GOGC says otherwise: with 100 a run took a tenth more time.
const collectAt = 400

// run does what args say and reports an error, one line for each cause, on
// stderr. The error that it returns is for exitCode.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	isSet := func(name string) bool {
		return slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	if !isSet("GOMEMLIMIT") {
		debug.SetMemoryLimit(memoryLimit)
	}
	if !isSet("GOGC") {
		debug.SetGCPercent(collectAt)
	}
	p := program{now: time.Now, retry: elastic.DefaultRetry}
	return p.execute(ctx, args, environ, stdout, stderr)
}

func (p program) execute(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	var settingsErr error
	p.settings, settingsErr = readSettings(environ)
	if len(args) > 0 && args[0] == "run" {
		var end context.CancelFunc
		ctx, end = p.withDeadline(ctx)
		defer end()
	}
	p.streams = [2]*stream{newStream("stdout", stdout), newStream("stderr", stderr)}
	p.progress = newProgress(p.streams[1].until(ctx.Done()))
	p = p.until(ctx)
	p.progress.log = p.log
	err := p.dispatch(ctx, args, settingsErr)
	if errors.As(err, new(checkFailure)) {
		return err // its findings are on stdout
	}
	for _, cause := range causes(err) {
		if !is[reported](cause) {
			p.log.Error(withAdvice(cause), "exit_code", exitCode(cause))
		}
	}
	return err
}

// until returns the program for what ends with a context: then it waits no longer
// for who reads what it prints and logs.
func (p program) until(ctx context.Context) program {
	p.stdout, p.stderr = p.progress.beside(p.streams[0].until(ctx.Done())), p.progress.beside(p.streams[1].until(ctx.Done()))
	p.log = newLogger(p.settings, p.stderr)
	return p
}

func (p program) dispatch(ctx context.Context, args []string, settingsErr error) error {
	if len(args) == 0 {
		return usageError{errors.New("a command is missing: " + commandNames + "; see newterms --help")}
	}
	command, args := args[0], args[1:]
	switch command {
	case "-h", "-help", "--help", "help":
		_, err := io.WriteString(p.stdout, usage)
		return err
	case "version":
		_, err := fmt.Fprintln(p.stdout, "newterms", version(), runtime.Version())
		return err
	}
	commands := map[string]func(context.Context, []string) error{
		"run": p.run, "check": p.check, "setup": p.setup, "keys": p.keys, "rule": p.rule, "rules": p.list, "explain": p.explain, "backtest": p.backtest,
		"close": p.decide("close", alerts.Closed), "acknowledge": p.decide("acknowledge", alerts.Acknowledged),
	}
	do, ok := commands[command]
	if !ok {
		return usageError{fmt.Errorf("there is no command %q: use %s; see newterms --help", command, commandNames)}
	}
	if settingsErr != nil {
		return settingsErr
	}
	err := do(ctx, args)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(p.stdout, usage)
	}
	return err
}

// parseFlags parses what follows the command, flags and other arguments in any
// order, and returns the others, at most maxRest.
func parseFlags(flags *flag.FlagSet, args []string, maxRest int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var rest []string
	for {
		err := flags.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil, err
		case err != nil:
			return nil, usageError{fmt.Errorf("%s: %w; see newterms --help", flags.Name(), err)}
		case flags.NArg() == 0:
			return rest, nil
		case len(rest) == maxRest:
			return nil, usageError{fmt.Errorf("%s: %q is one argument too many; see newterms --help", flags.Name(), flags.Arg(0))}
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// isGiven reports whether a flag is there, whatever its value is.
func isGiven(flags *flag.FlagSet, name string) bool {
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// store is what is written to and read of the settings' targets.
func (p program) store(client *elastic.Client) *alerts.Store {
	return alerts.NewStore(client, p.settings.AlertsTarget, p.settings.RunsTarget)
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// stamped is the version that a build without a checkout is told, by the linker:
// -X main.stamped=0.1.0.
var stamped string

// version is the stamped one, or the module's, as the go command stamped it.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
