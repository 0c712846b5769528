package commandline

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"newterms/cmd/newterms/failure"
)

// A Choice is a flag whose value is one of several.
type Choice[T ~string] struct {
	Value T
	flag  string
	among []string
}

// Define defines the flag. about is the beginning of its help; the first value is the
// default. After parsing, Check says whether the given value is one of them.
func (c *Choice[T]) Define(flags *flag.FlagSet, name, about string, among ...T) {
	c.Value, c.flag, c.among = among[0], name, make([]string, len(among))
	for i, value := range among {
		c.among[i] = string(value)
	}
	usage := fmt.Sprintf("%s `%s`\ndefault: %s; example: --%s %s", about, strings.Join(c.among, "|"), c.among[0], name, c.among[1])
	flags.Func(name, usage, func(text string) error { c.Value = T(text); return nil })
}

// Check returns a usage error if the value is none of those allowed.
func (c *Choice[T]) Check() error {
	switch {
	case slices.Contains(c.among, string(c.Value)):
		return nil
	case len(c.among) == 2:
		return failure.Usagef("--%s: %q is neither %s nor %s", c.flag, string(c.Value), c.among[0], c.among[1])
	}
	return failure.Usagef("--%s: %q is none of %s", c.flag, string(c.Value), strings.Join(c.among, ", "))
}
