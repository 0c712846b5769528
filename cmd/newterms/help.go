package main

import (
	"context"
	"io"

	"newterms/cmd/newterms/terminal"
)

// help prints the help of the named commands, or a list of all.
func (p program) help(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return p.print("newterms finds first occurrences and indexes an alert for each.\n\n" + p.commands().List("newterms") +
			"  newterms help COMMAND  explains a command and its flags, with examples\n\n" +
			"Settings are environment variables, ELASTICSEARCH_URL first: see the README.\n")
	}
	for _, name := range names {
		c, err := p.commands().Find(name)
		if err == nil {
			err = p.print(c.Explain("newterms", c.Flags(ctx)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// print prints a text that fits the terminal.
func (p program) print(text string) error {
	_, err := io.WriteString(terminal.Fitting(p.stdout), text)
	return err
}
