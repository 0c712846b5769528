package show

import (
	"fmt"
	"io"
	"strings"

	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job/check"
)

// A Finding is a finding of check with its advice.
type Finding struct {
	check.Finding
	Do string `json:"do,omitempty"` // "" if the level is OK
}

// Findings prints findings; in JSON with the exit code.
func Findings(out io.Writer, findings []Finding, code int, format Format) error {
	if format == JSON {
		return Object(out, map[string]any{"exit_code": code, "findings": findings})
	}
	_, err := io.WriteString(terminal.Fitting(out), findingLines(findings))
	return err
}

func findingLines(findings []Finding) string {
	marks := map[check.Level]string{check.OK: "✓", check.Warning: "!", check.Error: "✗"}
	counts := map[check.Level]int64{}
	var b strings.Builder
	rule := ""
	for _, f := range findings {
		if f.Rule != rule {
			rule = f.Rule
			fmt.Fprintf(&b, "\n%s\n", rule)
		}
		counts[f.Level]++
		fmt.Fprintf(&b, "%s %-10s %s\n", marks[f.Level], f.Check, strings.ReplaceAll(f.Message, "\n", "; "))
		if f.Do != "" {
			fmt.Fprintf(&b, "             → %s\n", f.Do)
		}
	}
	fmt.Fprintf(&b, "\n%d ok, %s, %s\n", counts[check.OK],
		words.Plural(counts[check.Warning], "warning", "warnings"), words.Plural(counts[check.Error], "error", "errors"))
	return b.String()
}
