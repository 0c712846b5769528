package commandline

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"newterms/cmd/newterms/failure"
	"newterms/esquery/elastic/words"
)

// A Command is a command of a program.
type Command struct {
	Name    string
	Help    string // its purpose in one line, then its usage and examples; flags follow
	Run     func(context.Context, []string) error
	Words   []string // arguments that completion offers
	Stopped string   // the message after Ctrl-C; "" if the command has its own
}

// about returns the purpose of the command.
func (c Command) about() string {
	about, _, _ := strings.Cut(c.Help, "\n")
	return about
}

// Flags returns the flags of the command. With -h it only defines its flags.
func (c Command) Flags(ctx context.Context) *flag.FlagSet {
	var asked *HelpError
	if !errors.As(c.Run(ctx, []string{"-h"}), &asked) {
		return flag.NewFlagSet(c.Name, flag.ContinueOnError)
	}
	return asked.Flags
}

// Explain returns the help of the command.
func (c Command) Explain(program string, flags *flag.FlagSet) string {
	return fmt.Sprintf("%s %s: %s", program, c.Name, c.Help) + explain(flags)
}

// IsHelp reports whether an argument asks for help.
func IsHelp(arg string) bool { return slices.Contains([]string{"-h", "-help", "--help"}, arg) }

// Commands are those of a program, in the order of its help.
type Commands []Command

// Has reports whether a command has a name.
func (all Commands) Has(name string) bool { return slices.Contains(all.names(), name) }

// Find returns the command with a name. Its error is a usage error.
func (all Commands) Find(name string) (Command, error) {
	names := all.names()
	if i := slices.Index(names, name); i >= 0 {
		return all[i], nil
	}
	if meant := words.Closest(name, names); meant != "" {
		return Command{}, failure.Usagef("there is no command %q: did you mean %s? See newterms help", name, meant)
	}
	return Command{}, failure.Usagef("there is no command %q: use %s; see newterms help", name, all)
}

func (all Commands) names() []string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}

// String returns the names, the last one after an or.
func (all Commands) String() string {
	names := all.names()
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// List returns a line for each command, with its purpose.
func (all Commands) List(program string) string {
	var b strings.Builder
	for _, c := range all {
		fmt.Fprintf(&b, "  %s %-14s%s\n", program, c.Name, c.about())
	}
	return b.String()
}
