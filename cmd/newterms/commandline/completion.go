package commandline

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// Shells returns the shells that Completion knows.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Completion returns a script that completes a program's commands, their words and flags,
// and a flag's value if its usage names it as `a|b`. All else is completed as a file.
func Completion(ctx context.Context, shell, program string, commands Commands) string {
	all := make([]completed, len(commands))
	for i, c := range commands {
		all[i] = completed{c, optionsOf(c.Flags(ctx))}
	}
	switch shell {
	case "bash":
		return bashCompletion(program, all)
	case "zsh":
		return zshCompletion(program, all)
	}
	return fishCompletion(program, all)
}

// A completed command has its options.
type completed struct {
	Command
	options []option
}

// An option is a flag as completion needs it.
type option struct {
	name, about string
	isSwitch    bool     // without a value
	values      []string // nil for any
}

func optionsOf(flags *flag.FlagSet) []option {
	var all []option
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		about, _, _ := strings.Cut(usage, "\n")
		o := option{name: f.Name, about: about, isSwitch: value == ""}
		if strings.Contains(value, "|") {
			o.values = strings.Split(value, "|")
		}
		all = append(all, o)
	})
	return all
}

func bashCompletion(program string, commands []completed) string {
	var names []string
	var cases strings.Builder
	for _, c := range commands {
		names = append(names, c.Name)
		words := slices.Clone(c.Words)
		for _, o := range c.options {
			words = append(words, "--"+o.name)
			if !o.isSwitch {
				fmt.Fprintf(&cases, "  '%s --%s') words='%s' ;;\n", c.Name, o.name, strings.Join(o.values, " "))
			}
		}
		fmt.Fprintf(&cases, "  '%s '*) words='%s' ;;\n", c.Name, strings.Join(words, " "))
	}
	all := strings.Join(names, " ")
	return fmt.Sprintf(`_%[1]s() {
  local words=
  case "$COMP_CWORD ${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}" in
  1*) words='%[2]s help' ;;
  *' help '*) words='%[2]s' ;;
  esac
  [ "$COMP_CWORD" -gt 1 ] && case "${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}" in
%[3]s  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _%[1]s %[1]s
`, program, all, cases.String())
}

func zshCompletion(program string, commands []completed) string {
	// In a list of _describe a colon ends the word.
	described := func(word, about string) string { return quoted(word + ":" + strings.ReplaceAll(about, ":", `\:`)) }
	var names []string
	var cases strings.Builder
	for _, c := range commands {
		names = append(names, described(c.Name, c.about()))
		words := slices.Clone(c.Words)
		for _, o := range c.options {
			words = append(words, described("--"+o.name, o.about))
			if !o.isSwitch {
				fmt.Fprintf(&cases, "  '%s --%s') found=(%s) ;;\n", c.Name, o.name, strings.Join(o.values, " "))
			}
		}
		fmt.Fprintf(&cases, "  '%s '*) found=(%s) ;;\n", c.Name, strings.Join(words, " "))
	}
	all := strings.Join(names, " ")
	return fmt.Sprintf(`#compdef %[1]s
_%[1]s() {
  local -a found
  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then
    found=(%[2]s)
  else case "$words[2] $words[CURRENT-1]" in
%[3]s  esac; fi
  (( $#found )) && _describe '%[1]s' found || _files
}
compdef _%[1]s %[1]s
`, program, all, cases.String())
}

func fishCompletion(program string, commands []completed) string {
	var b strings.Builder
	line := func(when, rest string) { fmt.Fprintf(&b, "complete -c %s -n '%s' %s\n", program, when, rest) }
	for _, c := range commands {
		line("__fish_use_subcommand; or __fish_seen_subcommand_from help", fmt.Sprintf("-f -a %s -d %s", c.Name, quoted(c.about())))
	}
	for _, c := range commands {
		after := "__fish_seen_subcommand_from " + c.Name + "; and not __fish_seen_subcommand_from help"
		if len(c.Words) > 0 {
			line(after, "-f -a "+quoted(strings.Join(c.Words, " ")))
		}
		for _, o := range c.options {
			value := " -r"
			switch {
			case o.isSwitch:
				value = ""
			case len(o.values) > 0:
				value = " -x -a " + quoted(strings.Join(o.values, " "))
			}
			line(after, fmt.Sprintf("-l %s%s -d %s", o.name, value, quoted(o.about)))
		}
	}
	return b.String()
}

// quoted returns a text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
