package main

import (
	"context"
	"flag"
	"io"
	"slices"
	"strings"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
)

const completionHelp = `prints a script that completes commands and flags

  newterms completion bash|zsh|fish

Load it in the startup file of the shell:

  source <(newterms completion bash)          in ~/.bashrc
  source <(newterms completion zsh)           in ~/.zshrc, after compinit
  newterms completion fish | source           in ~/.config/fish/config.fish
`

func (p program) completion(ctx context.Context, args []string) error {
	shells, err := commandline.Parse(flag.NewFlagSet("completion", flag.ContinueOnError), args, 1)
	if err != nil {
		return err
	}
	if len(shells) == 0 || !slices.Contains(commandline.Shells(), shells[0]) {
		return failure.Usagef("completion: name the shell: %s", strings.Join(commandline.Shells(), ", "))
	}
	_, err = io.WriteString(p.stdout, commandline.Completion(ctx, shells[0], "newterms", p.commands()))
	return err
}
