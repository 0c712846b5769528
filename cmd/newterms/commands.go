package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"newterms/alerts/keys"
	"newterms/alerts/workflow"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/esquery/elastic/words"
)

// A command is a command of newterms.
type command struct {
	name    string
	help    string // its purpose in one line, then its usage and examples; flags follow
	run     func(context.Context, []string) error
	words   []string // arguments that completion offers
	stopped string   // the message after Ctrl-C; "" if the command has its own
}

const nothingWritten = "nothing was written"

// commands lists the commands in the order of the help.
func (p program) commands() []command {
	var uses []string
	for _, use := range keys.Uses() {
		uses = append(uses, string(use))
	}
	return []command{
		{"run", runHelp, p.run, nil, ""},
		{"check", checkHelp, p.check, nil, nothingWritten},
		{"setup", setupHelp, p.setup, nil, "only the changes named above were made; run it again for the rest"},
		{"keys", keysHelp, p.keys, uses, ""},
		{"rule", ruleHelp, p.rule, nil, nothingWritten},
		{"rules", rulesHelp, p.listRules, nil, nothingWritten},
		{"explain", explainHelp, p.explain, nil, nothingWritten},
		{"backtest", backtestHelp, p.backtest, nil, nothingWritten},
		{"test", testHelp, p.test, nil, "the next newterms test removes scratch indices that are left"},
		{"alerts", alertsHelp, p.listAlerts, nil, nothingWritten},
		{"close", statusHelp("close", "closes alerts", "3a966c45 --reason false_positive --comment 'her new VPN'"),
			p.setStatus("close", workflow.Closed), nil, nothingChanged},
		{"acknowledge", statusHelp("acknowledge", "acknowledges alerts", "--where 'okta.actor.id: 00u1' --assign ada --yes"),
			p.setStatus("acknowledge", workflow.Acknowledged), nil, nothingChanged},
		{"reopen", statusHelp("reopen", "reopens alerts", "3a966c45 --comment 'not her VPN after all'"), p.setStatus("reopen", workflow.Open), nil, nothingChanged},
		{"completion", completionHelp, p.completion, commandline.Shells(), ""},
		{"version", versionHelp, p.version, nil, ""},
	}
}

// dispatch runs the command that args name. Help, version and completion need no
// settings.
func (p program) dispatch(ctx context.Context, args, environ []string, settingsErr error) error {
	if len(args) == 0 {
		return failure.Usagef("a command is missing: %s; see newterms help", p.commandNames())
	}
	name, args := args[0], args[1:]
	switch {
	case name == "help" || isHelp(name):
		return p.help(ctx, args)
	case slices.Contains([]string{"-version", "--version"}, name):
		name = "version"
	}
	do, err := p.command(name)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"version", "completion"}, name) && !slices.ContainsFunc(args, isHelp) {
		if settingsErr != nil {
			return settingsErr
		}
		for _, unknown := range settings.Unknown(environ) {
			p.log.Warn(unknown.Error())
		}
	}
	err = do.run(ctx, args)
	var asked *commandline.HelpError
	switch interrupted := errors.Is(context.Cause(ctx), failure.ErrInterrupted); {
	case errors.As(err, &asked):
		return p.printHelp(do, asked.Flags)
	case err == nil || !interrupted || failure.Is[*failure.StoppedError](err):
		return err
	case do.stopped == "":
		return fmt.Errorf("%w: %w", failure.ErrInterrupted, err)
	}
	return &failure.StoppedError{True: do.stopped}
}

func isHelp(arg string) bool { return slices.Contains([]string{"-h", "-help", "--help"}, arg) }

func (p program) command(name string) (command, error) {
	var names []string
	for _, c := range p.commands() {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	if meant := words.Closest(name, names); meant != "" {
		return command{}, failure.Usagef("there is no command %q: did you mean %s? See newterms help", name, meant)
	}
	return command{}, failure.Usagef("there is no command %q: use %s; see newterms help", name, p.commandNames())
}

func (p program) commandNames() string {
	var names []string
	for _, c := range p.commands() {
		names = append(names, c.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
