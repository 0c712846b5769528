package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job/check"
)

// checkFailure has been printed with its findings; it only carries the code.
type checkFailure struct{ code int }

func (e checkFailure) Error() string { return fmt.Sprintf("check failed with exit code %d", e.code) }

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
	exclude, err := p.excludes(nil)
	if err != nil {
		return err
	}
	rules, unusable := p.rules(paths)
	transport, err := p.settings.connect(p.retry, p.log)
	if err != nil {
		return errors.Join(unusable, err)
	}
	c := check.Check{
		Client:       esquery.NewClient(transport),
		Store:        alerts.NewStore(transport, p.settings.AlertsTarget, p.settings.RunsTarget),
		AlertsTarget: p.settings.AlertsTarget, RunsTarget: p.settings.RunsTarget,
		Overlap: time.Duration(p.settings.Overlap), Now: p.now,
	}
	for _, r := range rules {
		c.Rules = append(c.Rules, check.Rule{Rule: r, Search: p.search(r, exclude, p.settings.MissingTerms)})
	}
	findings := c.Run(ctx)
	for _, err := range causes(unusable) {
		findings = append(findings, check.Finding{Level: check.Error, Check: "rule", Message: err.Error(), Do: "mend the file or leave it out", Err: err})
	}
	return p.report(findings, output)
}

// report prints the findings. Its error carries the code of the worst one.
func (p program) report(findings []check.Finding, output string) error {
	code := exitDone
	for _, f := range findings {
		code = max(code, exitCode(f.Err)) // 1, which a retry may help, is the least of them
	}
	var text string
	if output == "json" {
		encoded, err := json.MarshalIndent(map[string]any{"exit_code": code, "findings": findings}, "", "  ")
		if err != nil {
			return err
		}
		text = string(encoded) + "\n"
	} else {
		text = findingLines(findings)
	}
	if _, err := fmt.Fprint(p.stdout, text); err != nil {
		return err
	}
	if code != exitDone {
		return checkFailure{code}
	}
	return nil
}

func findingLines(findings []check.Finding) string {
	marks := map[string]string{check.OK: "✓", check.Warning: "!", check.Error: "✗"}
	var b strings.Builder
	counts := map[string]int{}
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
	fmt.Fprintf(&b, "\n%d ok, %d to know, %d to mend\n", counts[check.OK], counts[check.Warning], counts[check.Error])
	return b.String()
}
