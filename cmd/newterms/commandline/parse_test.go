package commandline

import (
	"flag"
	"testing"
)

// TestValuesAreChecked parses values that only the flag itself can judge.
func TestValuesAreChecked(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // the error, "" for none
	}{
		{[]string{"--where", "user.name: ada", "a", "--output", "json", "b"}, ""},
		{nil, ""},
		{[]string{"--where", " "}, "--where: it is empty: leave it out"},
		{[]string{"a", "--output=xml"}, `--output: "xml" is neither text nor json`},
		{[]string{"--level", ""}, `--level: "" is none of low, medium, high`},
	} {
		flags := flag.NewFlagSet("list", flag.ContinueOnError)
		var where string
		var output, level Choice[string]
		Text(flags, &where, "where", "it is empty: leave it out", "only `KQL`")
		output.Define(flags, "output", "print as", "text", "json")
		level.Define(flags, "level", "from", "low", "medium", "high")
		rest, err := Parse(flags, c.args, 2)
		if c.want == "" && (err != nil || len(c.args) > 0 && (len(rest) != 2 || where != "user.name: ada" || output.Value != "json" || level.Value != "low")) {
			t.Errorf("%q: %v, %q, %q, %q", c.args, err, rest, where, output.Value)
		}
		if c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%q: %v, want %s", c.args, err, c.want)
		}
	}
}
