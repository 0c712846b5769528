package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"newterms/job/check"
	"newterms/job/words"
)

// checkFailure has been printed with its findings; it only carries the code.
type checkFailure struct{ code int }

func (e checkFailure) Error() string { return fmt.Sprintf("check failed with exit code %d", e.code) }

// advised is a finding with what to do about it.
type advised struct {
	check.Finding
	Do string `json:"do,omitempty"` // "" if the level is OK
}

func (p program) check(ctx context.Context, args []string) error {
	var paths list
	var output string
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.Var(&paths, "rule", "")
	flags.StringVar(&output, "output", "text", "")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if output != "text" && output != "json" {
		return usageError{fmt.Errorf("--output: %q is neither text nor json", output)}
	}
	defer p.progress.during("check")()
	rules, unusable := p.rules(paths, nil, p.settings.MissingTerms)
	client, err := p.connect()
	if err != nil {
		return errors.Join(unusable, err)
	}
	c := check.Check{
		Client: client, Store: p.store(client),
		AlertsTarget: p.settings.AlertsTarget, RunsTarget: p.settings.RunsTarget,
		Rules: rules, Overlap: time.Duration(p.settings.Overlap), Now: p.now,
	}
	var findings []advised
	for _, f := range c.Run(ctx) {
		findings = append(findings, advised{f, advice(f.Err)})
	}
	for _, err := range causes(unusable) {
		f := check.Finding{Level: check.Error, Check: "rule", Message: err.Error(), Err: err}
		findings = append(findings, advised{f, advice(err)})
	}
	return p.report(findings, output)
}

// report prints the findings. Its error carries the code of the worst one.
func (p program) report(findings []advised, output string) error {
	code := exitDone
	for _, f := range findings {
		if f.Level == check.Error {
			code = max(code, exitCode(f.Err)) // 1, which a retry may help, is the least of them
		}
	}
	var out io.Writer = forPeople{p.stdout}
	text := findingLines(findings)
	if output == "json" {
		encoded, err := json.MarshalIndent(map[string]any{"exit_code": code, "findings": findings}, "", "  ")
		if err != nil {
			return err
		}
		out, text = p.stdout, string(encoded)+"\n"
	}
	if _, err := fmt.Fprint(out, text); err != nil {
		return err
	}
	if code != exitDone {
		return checkFailure{code}
	}
	return nil
}

func findingLines(findings []advised) string {
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
