package show

import (
	"fmt"
	"io"
	"strings"

	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job/lint"
)

// Lint prints findings as FILE:LINE: TEXT, and their number.
func Lint(out io.Writer, r lint.Report) error {
	var b strings.Builder
	cases := 0
	for _, s := range r.Suites {
		cases += len(s.Cases)
	}
	for _, f := range r.Findings {
		kind := ""
		if f.IsWarning {
			kind = "warning: "
		}
		fmt.Fprintf(&b, "%s:%d: %s%s\n", f.Path, f.Line, kind, strings.ReplaceAll(f.Text, "\n", "; "))
	}
	problems := r.Problems()
	fmt.Fprintf(&b, "%s and %s can be used: ", words.Plural(len(r.Suites), "rule", "rules"), words.Plural(cases, "case", "cases"))
	if len(r.Findings) == 0 {
		b.WriteString("nothing to report\n")
	} else {
		fmt.Fprintf(&b, "%s, %s\n", words.Plural(problems, "problem", "problems"), words.Plural(len(r.Findings)-problems, "warning", "warnings"))
	}
	_, err := io.WriteString(terminal.Fitting(out), b.String())
	return err
}
