package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"newterms/alerts/keys"
	"newterms/alerts/workflow"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
)

const nothingWritten = "nothing was written"

// commands lists the commands in the order of the help.
func (p program) commands() commandline.Commands {
	var uses []string
	for _, use := range keys.Uses() {
		uses = append(uses, string(use))
	}
	of := func(name, help string, run func(context.Context, []string) error, words []string, stopped string) commandline.Command {
		return commandline.Command{Name: name, Help: help, Run: run, Words: words, Stopped: stopped}
	}
	return commandline.Commands{
		of("run", runHelp, p.run, nil, ""),
		of("check", checkHelp, p.check, nil, nothingWritten),
		of("setup", setupHelp, p.setup, nil, "only the changes named above were made; run it again for the rest"),
		of("keys", keysHelp, p.keys, uses, ""),
		of("rule", ruleHelp, p.rule, nil, nothingWritten),
		of("rules", rulesHelp, p.listRules, nil, nothingWritten),
		of("explain", explainHelp, p.explain, nil, nothingWritten),
		of("backtest", backtestHelp, p.backtest, nil, nothingWritten),
		of("compare", compareHelp, p.compare, nil, nothingWritten),
		of("test", testHelp, p.test, nil, "the next newterms test removes scratch indices that are left"),
		of("alerts", alertsHelp, p.listAlerts, nil, nothingWritten),
		of("close", statusHelp("close", "closes alerts", "3a966c45 --reason false_positive --comment 'her new VPN'"),
			p.setStatus("close", workflow.Closed), nil, nothingChanged),
		of("acknowledge", statusHelp("acknowledge", "acknowledges alerts", "--where 'okta.actor.id: 00u1' --assign ada --yes"),
			p.setStatus("acknowledge", workflow.Acknowledged), nil, nothingChanged),
		of("reopen", statusHelp("reopen", "reopens alerts", "3a966c45 --comment 'not her VPN after all'"), p.setStatus("reopen", workflow.Open), nil, nothingChanged),
		of("completion", completionHelp, p.completion, commandline.Shells(), ""),
		of("version", versionHelp, p.version, nil, ""),
	}
}

// dispatch runs the command that args name. Help, version and completion need no
// settings.
func (p program) dispatch(ctx context.Context, args, environ []string, settingsErr error) error {
	if len(args) == 0 {
		return failure.Usagef("a command is missing: %s; see newterms help", p.commands())
	}
	name, args := args[0], args[1:]
	switch {
	case name == "help" || commandline.IsHelp(name):
		return p.help(ctx, args)
	case slices.Contains([]string{"-version", "--version"}, name):
		name = "version"
	}
	do, err := p.commands().Find(name)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"version", "completion"}, name) && !slices.ContainsFunc(args, commandline.IsHelp) {
		if settingsErr != nil {
			return settingsErr
		}
		for _, unknown := range settings.Unknown(environ) {
			p.log.Warn(unknown.Error())
		}
	}
	err = do.Run(ctx, args)
	var asked *commandline.HelpError
	switch interrupted := errors.Is(context.Cause(ctx), failure.ErrInterrupted); {
	case errors.As(err, &asked):
		return p.print(do.Explain("newterms", asked.Flags))
	case err == nil || !interrupted || failure.Is[*failure.StoppedError](err):
		return err
	case do.Stopped == "":
		return fmt.Errorf("%w: %w", failure.ErrInterrupted, err)
	}
	return &failure.StoppedError{True: do.Stopped}
}
