package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/show"
)

// stamped is the version that the linker sets in a build without a checkout: -X
// main.stamped=0.1.0.
var stamped string

// version returns stamped, or the module's version in the build info.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

const versionHelp = `prints the version

  newterms version [FLAG]...

The JSON also has the Go version, and the commit if the build had a checkout.

  newterms version --output json
`

func (p program) version(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("version", flag.ContinueOnError)
	var output commandline.Choice[show.Format]
	output.Define(flags, "output", printAs, show.Text, show.JSON)
	if _, err := commandline.Parse(flags, args, 0); err != nil {
		return err
	}
	if output.Value != show.JSON {
		_, err := fmt.Fprintln(p.stdout, "newterms", version(), runtime.Version())
		return err
	}
	return show.Object(p.stdout, show.BuildOf(version()))
}
