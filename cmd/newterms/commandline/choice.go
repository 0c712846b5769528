package commandline

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"newterms/cmd/newterms/failure"
)

// checked is a flag whose value Parse checks.
type checked interface {
	// problem returns what is wrong with the value, to follow the name of the flag; "" if
	// nothing is.
	problem() string
}

// check returns a usage error about the first given flag, by name, with a wrong value.
func check(flags *flag.FlagSet) (err error) {
	flags.Visit(func(f *flag.Flag) {
		if v, ok := f.Value.(checked); ok && err == nil && v.problem() != "" {
			err = failure.Usagef("--%s: %s", f.Name, v.problem())
		}
	})
	return err
}

// A Choice is a flag whose value is one of several.
type Choice[T ~string] struct {
	Value T
	among []string
}

// Define defines the flag. about is the beginning of its help; the first value is the
// default.
func (c *Choice[T]) Define(flags *flag.FlagSet, name, about string, among ...T) {
	c.Value, c.among = among[0], make([]string, len(among))
	for i, value := range among {
		c.among[i] = string(value)
	}
	flags.Var(c, name, fmt.Sprintf("%s `%s`\ndefault: %s; example: --%s %s", about, strings.Join(c.among, "|"), c.among[0], name, c.among[1]))
}

func (c *Choice[T]) String() string        { return string(c.Value) }
func (c *Choice[T]) Set(text string) error { c.Value = T(text); return nil }

func (c *Choice[T]) problem() string {
	switch {
	case slices.Contains(c.among, string(c.Value)):
		return ""
	case len(c.among) == 2:
		return fmt.Sprintf("%q is neither %s nor %s", string(c.Value), c.among[0], c.among[1])
	}
	return fmt.Sprintf("%q is none of %s", string(c.Value), strings.Join(c.among, ", "))
}

// Text defines a flag whose value must not be blank. ifBlank is the error then.
func Text(flags *flag.FlagSet, into *string, name, ifBlank, usage string) {
	flags.Var(&text{into, ifBlank}, name, usage)
}

type text struct {
	value   *string
	ifBlank string
}

func (t *text) String() string         { return "" }
func (t *text) Set(value string) error { *t.value = value; return nil }

func (t *text) problem() string {
	if strings.TrimSpace(*t.value) == "" {
		return t.ifBlank
	}
	return ""
}
