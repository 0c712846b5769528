package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/terminal"
)

// help prints the help of the named commands, or a list of all.
func (p program) help(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return p.printCommands()
	}
	for _, name := range names {
		c, err := p.command(name)
		if err != nil {
			return err
		}
		if err := p.printHelp(c, p.flags(ctx, c)); err != nil {
			return err
		}
	}
	return nil
}

// flags returns the flags of a command. With -h a command only defines its flags.
func (p program) flags(ctx context.Context, c command) *flag.FlagSet {
	var asked *commandline.HelpError
	if !errors.As(c.run(ctx, []string{"-h"}), &asked) {
		return flag.NewFlagSet(c.name, flag.ContinueOnError)
	}
	return asked.Flags
}

func (p program) printCommands() error {
	var b strings.Builder
	b.WriteString("newterms finds first occurrences and indexes an alert for each.\n\n")
	for _, c := range p.commands() {
		about, _, _ := strings.Cut(c.help, "\n")
		fmt.Fprintf(&b, "  newterms %-14s%s\n", c.name, about)
	}
	b.WriteString("  newterms help COMMAND  explains a command and its flags, with examples\n\n" +
		"Settings are environment variables, ELASTICSEARCH_URL first: see the README.\n")
	_, err := io.WriteString(terminal.Fitting(p.stdout), b.String())
	return err
}

func (p program) printHelp(c command, flags *flag.FlagSet) error {
	var b strings.Builder
	fmt.Fprintf(&b, "newterms %s: %s", c.name, c.help)
	b.WriteString(commandline.Explain(flags))
	_, err := io.WriteString(terminal.Fitting(p.stdout), b.String())
	return err
}
