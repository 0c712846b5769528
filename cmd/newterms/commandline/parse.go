// Package commandline parses flags, explains them, names what a slip was meant to be, and
// completes commands in shells.
package commandline

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
)

// Parse parses the arguments after the command: flags and others in any order. It
// returns the others, at most maxRest. Its error is a *failure.UsageError or a *HelpError.
func Parse(flags *flag.FlagSet, args []string, maxRest int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var rest []string
	for {
		err := flags.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil, &HelpError{flags}
		case err != nil:
			return nil, flagError(flags, err)
		case flags.NArg() == 0:
			return rest, check(flags)
		case len(rest) == maxRest:
			return nil, failure.Usagef("%s: %q is one argument too many; see newterms help %[1]s", flags.Name(), flags.Arg(0))
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// A HelpError says that a command was asked for its help, and has done nothing but define
// its flags.
type HelpError struct{ Flags *flag.FlagSet }

func (*HelpError) Error() string { return flag.ErrHelp.Error() }

// flagError returns a usage error for an error of the flags, which write -name.
func flagError(flags *flag.FlagSet, err error) error {
	name, isUnknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !isUnknown {
		text := strings.NewReplacer(" for flag -", " for --", ": -", ": --").Replace(err.Error())
		return failure.Usagef("%s: %s; see newterms help %[1]s", flags.Name(), text)
	}
	var names []string
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	name = strings.TrimLeft(name, "-")
	if meant := words.Closest(name, names); meant != "" {
		return failure.Usagef("%s: there is no flag --%s: did you mean --%s? See newterms help %[1]s", flags.Name(), name, meant)
	}
	return failure.Usagef("%s: there is no flag --%s; see newterms help %[1]s", flags.Name(), name)
}

// IsGiven reports whether a flag was given, whatever its value.
func IsGiven(flags *flag.FlagSet, name string) bool {
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// helpColumns is the width of a help, and longestChoice that of a choice of values that
// stands behind its flag.
const (
	helpColumns   = 80
	longestChoice = 40
)

// explain returns the help of flags, sorted by name; "" if there are none. It shows a
// usage's lines below the flag and the value that the usage names.
func explain(flags *flag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *flag.Flag) {
		if b.Len() == 0 {
			b.WriteString("\nFlags:\n")
		}
		value, usage := flag.UnquoteUsage(f)
		if len(value) > longestChoice {
			usage = strings.Replace(usage, value, strings.ReplaceAll(value, "|", ", "), 1)
			value = strings.ToUpper(f.Name)
		}
		fmt.Fprintf(&b, "  --%s\n", strings.TrimSpace(f.Name+" "+value))
		for line := range strings.SplitSeq(usage, "\n") {
			b.WriteString(terminal.Fold("      "+line, helpColumns) + "\n")
		}
	})
	return b.String()
}

// Strings is a flag that may be repeated.
type Strings []string

func (l *Strings) String() string     { return strings.Join(*l, ",") }
func (l *Strings) Set(s string) error { *l = append(*l, s); return nil }
