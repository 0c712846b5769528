package commandline

import (
	"context"
	"flag"
	"os/exec"
	"strings"
	"testing"
)

// TestCompletion asks each shell that is installed what it would complete. bash has to be.
func TestCompletion(t *testing.T) {
	run := flag.NewFlagSet("run", flag.ContinueOnError)
	run.String("output", "", "print as `table|none`\ndefault: table")
	run.String("from", "", "begin at a `T`: now-1d, or don't")
	run.Bool("dry-run", false, "print only")
	asked := func(flags *flag.FlagSet) func(context.Context, []string) error {
		return func(context.Context, []string) error { return &HelpError{flags} }
	}
	commands := Commands{
		{Name: "run", Help: "runs: once\nand more", Run: asked(run)},
		{Name: "keys", Help: "makes keys", Words: []string{"setup", "close"}, Run: asked(flag.NewFlagSet("keys", flag.ContinueOnError))},
	}
	asks := map[string]string{
		"bash": `COMP_WORDS=(ours %WORDS%); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _ours; printf '%s\n' "${COMPREPLY[@]}"`,
		// _describe prints what a terminal would show, and _files stands for files.
		"zsh":  `_describe() { print -l -- ${(P)2} }; _files() { print FILES }; words=(ours %WORDS%); CURRENT=$#words; _ours`,
		"fish": `complete -C "ours %WORDS%" | string replace -r '\t.*' ''; true`,
	}
	before := map[string]string{"zsh": "compdef() { }\n"}
	for _, shell := range Shells() {
		program, err := exec.LookPath(shell)
		if err != nil && shell != "bash" {
			t.Logf("%s is not installed", shell)
			continue
		}
		for words, want := range map[string]string{
			"'r'": "run", "run '--o'": "--output", "run --output 'n'": "none", "run --dry-run '--f'": "--from", "keys 's'": "setup", "help 'k'": "keys",
		} {
			if shell == "fish" {
				words = strings.ReplaceAll(words, "'", "")
			}
			script := before[shell] + Completion(t.Context(), shell, "ours", commands) + "\n" + strings.ReplaceAll(asks[shell], "%WORDS%", words)
			out, err := exec.Command(program, "-c", script).CombinedOutput()
			found := false
			for line := range strings.Lines(string(out)) {
				word, _, _ := strings.Cut(strings.TrimSpace(line), ":")
				found = found || word == want
			}
			if err != nil || !found || shell != "zsh" && strings.TrimSpace(string(out)) != want {
				t.Errorf("%s: %s: %v, got %s, want %s", shell, words, err, out, want)
			}
		}
	}
}
