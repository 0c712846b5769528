package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"newterms/alerts"
	"newterms/cmd/newterms/failure"
)

// A command is a command of newterms.
type command struct {
	name string
	help string // its lines in the help; close, acknowledge and reopen share theirs
	run  func(context.Context, []string) error
}

// commands lists the commands in the order of the help.
func (p program) commands() []command {
	return []command{
		{"run", runHelp, p.run},
		{"check", checkHelp, p.check},
		{"setup", setupHelp, p.setup},
		{"keys", keysHelp, p.keys},
		{"rule", ruleHelp, p.rule},
		{"rules", rulesHelp, p.listRules},
		{"explain", explainHelp, p.explain},
		{"backtest", backtestHelp, p.backtest},
		{"alerts", alertsHelp, p.listAlerts},
		{"close", statusHelp, p.setStatus("close", alerts.Closed)},
		{"acknowledge", statusHelp, p.setStatus("acknowledge", alerts.Acknowledged)},
		{"reopen", statusHelp, p.setStatus("reopen", alerts.Open)},
		{"version", "  newterms version\n", p.version},
	}
}

const (
	helpBegins = "newterms finds first occurrences and indexes an alert for each.\n\n"
	helpEnds   = `
T is RFC 3339, YYYY-MM-DD (UTC) or Elastic date math such as now-7d/d.
Settings are environment variables, ELASTICSEARCH_URL first: see the README.
`
)

func (p program) dispatch(ctx context.Context, args []string, settingsErr error) error {
	if len(args) == 0 {
		return failure.Usagef("a command is missing: %s; see newterms --help", p.commandNames())
	}
	name, args := args[0], args[1:]
	if slices.Contains([]string{"-h", "-help", "--help", "help"}, name) {
		return p.help(args)
	}
	do, err := p.command(name)
	if err != nil {
		return err
	}
	if settingsErr != nil && name != "version" {
		return settingsErr
	}
	if err = do.run(ctx, args); errors.Is(err, flag.ErrHelp) {
		return p.help([]string{name})
	}
	return err
}

func (p program) command(name string) (command, error) {
	for _, c := range p.commands() {
		if c.name == name {
			return c, nil
		}
	}
	return command{}, failure.Usagef("there is no command %q: use %s; see newterms --help", name, p.commandNames())
}

func (p program) commandNames() string {
	var names []string
	for _, c := range p.commands() {
		names = append(names, c.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// help prints the help of the named commands, or of all.
func (p program) help(names []string) error {
	var sections []string
	for _, name := range names {
		c, err := p.command(name)
		if err != nil {
			return err
		}
		sections = append(sections, c.help)
	}
	if len(names) == 0 {
		for _, c := range p.commands() {
			sections = append(sections, c.help)
		}
	}
	_, err := io.WriteString(p.stdout, helpBegins+strings.Join(slices.Compact(sections), "")+helpEnds)
	return err
}

func (p program) version(context.Context, []string) error {
	_, err := fmt.Fprintln(p.stdout, "newterms", version(), runtime.Version())
	return err
}
