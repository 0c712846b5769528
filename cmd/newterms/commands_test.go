package main

import (
	"flag"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/cmd/newterms/commandline"
)

// TestEveryFlagIsExplained reads the help of each command: what each flag does, its
// default and an example, in lines of 80 columns.
func TestEveryFlagIsExplained(t *testing.T) {
	p := program{now: time.Now, retry: once, stdout: io.Discard}
	for _, c := range p.commands() {
		stdout, stderr, code := call(t, nil, "help", c.Name)
		if asked, _, _ := call(t, nil, c.Name, "-h"); asked != stdout || code != 0 || stderr != "" {
			t.Errorf("%s -h prints something else: %d, %s", c.Name, code, stderr)
		}
		for line := range strings.Lines(stdout) {
			if len(strings.TrimRight(line, "\n")) > 80 {
				t.Errorf("%s: too wide: %s", c.Name, line)
			}
		}
		c.Flags(t.Context()).VisitAll(func(f *flag.Flag) {
			what, rest, _ := strings.Cut(f.Usage, "\n")
			hasDefault := strings.HasPrefix(rest, "default: ") || strings.HasPrefix(rest, "required; ")
			_, example, _ := strings.Cut(rest, "; example: ")
			if what == "" || !hasDefault || !strings.Contains(example, "--"+f.Name) || !strings.Contains(stdout, "\n  --"+f.Name) {
				t.Errorf("%s --%s: %q", c.Name, f.Name, f.Usage)
			}
		})
	}
}

// TestExamplesParse runs the examples of the help as far as their flags.
func TestExamplesParse(t *testing.T) {
	p := program{now: time.Now, retry: once, stdout: io.Discard}
	for _, c := range p.commands() {
		_, text, _ := strings.Cut(c.Help, "\n")
		examples := 0
		for line := range strings.Lines(text) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "newterms ")
			if command, _, _ = strings.Cut(command, " |"); !ok || strings.Contains(line, "[") || strings.Contains(line, "fish") {
				continue
			}
			command, _, _ = strings.Cut(command, " > ")
			examples++
			// A shell splits the words; of a wrong flag the program would not print its help.
			out, err := exec.Command("bash", "-c", `printf '%s\n' `+command).Output()
			if err != nil {
				t.Fatal(err)
			}
			words := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
			if _, stderr, code := call(t, nil, append(words, "-h")...); code != 0 {
				t.Errorf("%s: %s", command, stderr)
			}
		}
		if examples == 0 && !slices.Contains([]string{"version", "completion"}, c.Name) {
			t.Errorf("%s has no example", c.Name)
		}
	}
}

// TestCompletionHasEveryCommand looks for each command and flag in the scripts.
func TestCompletionHasEveryCommand(t *testing.T) {
	p := program{now: time.Now, retry: once, stdout: io.Discard}
	for _, shell := range commandline.Shells() {
		script, _, _ := call(t, nil, "completion", shell)
		for _, c := range p.commands() {
			c.Flags(t.Context()).VisitAll(func(f *flag.Flag) {
				if !strings.Contains(script, c.Name) || !strings.Contains(script, f.Name) {
					t.Errorf("%s lacks %s --%s", shell, c.Name, f.Name)
				}
			})
		}
		if bash, err := exec.LookPath(shell); err == nil {
			cmd := exec.Command(bash, "-n")
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", shell, err, out)
			}
		}
	}
}

// TestUnknownVariables warns of variables without an effect, and runs all the same.
func TestUnknownVariables(t *testing.T) {
	environ := []string{"LOG_FORMAT=text", "NEWTERMS_RULE=secret", "NEWTERMS_INDEX=logs-*", "NEWTERMS_COLOUR=secret"}
	stdout, stderr, code := call(t, environ, "rule")
	for _, want := range []string{"NEWTERMS_RULE is no setting and has no effect: did you mean NEWTERMS_RULES?", "NEWTERMS_COLOUR is no setting and has no effect: the README lists the settings"} {
		if !strings.Contains(stderr, "WRN "+want+"\n") {
			t.Errorf("%q is missing in %s", want, stderr)
		}
	}
	if code != 0 || !strings.Contains(stdout, "logs-*") || strings.Contains(stderr, "secret") || strings.Count(stderr, "\n") != 2 {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if _, stderr, _ := call(t, environ, "completion", "bash"); stderr != "" {
		t.Errorf("a shell that starts would show %s", stderr)
	}
}
