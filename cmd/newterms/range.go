package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"newterms/job"
	"newterms/job/datemath"
)

// rangeFlags are --from and --to. Whether they are given is kept apart from what
// they say: "" is a variable that a script forgot, and 0001-01-01 is a time.
type rangeFlags struct{ from, to *string }

func (r *rangeFlags) define(flags *flag.FlagSet) {
	set := func(into **string) func(string) error {
		return func(text string) error { *into = &text; return nil }
	}
	flags.Func("from", "", set(&r.from))
	flags.Func("to", "", set(&r.to))
}

// window returns the range in whole milliseconds, nil if no flag is given. It
// ends now if only --from is.
func (r rangeFlags) window(now time.Time) (*job.Window, error) {
	switch {
	case r.from == nil && r.to == nil:
		return nil, nil
	case r.from == nil:
		return nil, errors.New("--to needs --from: it ends a range that --from begins")
	}
	to := "now"
	if r.to != nil {
		to = *r.to
	}
	begin, err := datemath.Parse(*r.from, now)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	end, err := datemath.Parse(to, now)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	w := job.Window{From: begin.Truncate(time.Millisecond), To: end.Truncate(time.Millisecond)}
	if !w.From.Before(w.To) {
		return nil, fmt.Errorf("--from %s is not before --to %s", begin.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano))
	}
	return &w, nil
}
