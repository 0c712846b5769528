package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"newterms/alerts"
	"newterms/alerts/workflow"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/esquery/access"
	"newterms/esquery/elastic/words"
	"newterms/job/where"
)

// statusHelp is the help of a command that sets a status.
func statusHelp(command, about, example string) string {
	return about + `, by id or all that a query matches

  newterms ` + command + ` ALERT_ID... [FLAG]...
  newterms ` + command + ` --where KQL [FLAG]...

The first digits of an id suffice, at least 4. With --where it shows the
number of alerts that match and five of them; with --yes it changes them. An
alert keeps each decision with its user, status, time and reason.

  newterms ` + command + " " + example + `
`
}

// nobody is the value of --assign for no user.
const nobody = "none"

const nothingChanged = "nothing was changed"

// statusFlags are the flags of `newterms close`, `acknowledge` and `reopen`.
type statusFlags struct {
	ids      []string
	where    string // KQL; "" if there are ids
	decision workflow.Decision
	yes      bool
}

// setStatus returns the command that sets a status of alerts.
func (p program) setStatus(command string, status workflow.Status) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		f, err := parseStatus(command, status, args)
		if err != nil {
			return err
		}
		client, err := p.connect()
		if err != nil {
			return err
		}
		store := p.store(client)
		if f.where != "" {
			f.ids, err = p.matching(ctx, store, command, f)
		} else {
			f.ids, err = store.FullIDs(ctx, f.ids)
		}
		if err != nil || len(f.ids) == 0 {
			return asCommandError(command, err)
		}
		user, err := access.CurrentUser(ctx, client)
		if err != nil {
			return fmt.Errorf("%s: look up the user: %w", command, err)
		}
		f.decision.User, f.decision.At = user.String(), p.now()
		decided, err := p.decide(ctx, store, command, f)
		if err == nil || decided != (alerts.Decided{}) {
			p.print(show.Decided(status, decided, f.decision.Assignees) + "\n")
		}
		if err != nil && errors.Is(context.Cause(ctx), failure.ErrInterrupted) {
			return &failure.StoppedError{True: "some alerts may be changed; repeat the command for the rest"}
		}
		return asCommandError(command, err)
	}
}

// decide sets the status, and shows its progress.
func (p program) decide(ctx context.Context, store *alerts.Store, command string, f statusFlags) (alerts.Decided, error) {
	var done atomic.Int64
	text := func(spent time.Duration) string {
		return fmt.Sprintf("%s: %d of %s, %s", command, done.Load(), words.Plural(len(f.ids), "alert", "alerts"), words.Span(spent.Round(time.Second)))
	}
	defer p.progress.During(text, func(text string) { p.log.Info(text) })()
	return store.Decide(ctx, f.ids, f.decision, func(n int) { done.Store(int64(n)) })
}

func parseStatus(command string, status workflow.Status, args []string) (statusFlags, error) {
	f := statusFlags{decision: workflow.Decision{Status: status}}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	commandline.Text(flags, &f.where, "where", "it is empty, which would match every alert", "all alerts that `KQL` matches, in place of ids\ndefault: none; example: --where 'okta.actor.id: 00u1far2Vn7mJy5Wc5d7'")
	if status == workflow.Closed {
		flags.StringVar(&f.decision.Reason, "reason", "", "keep a reason of Kibana's: `"+strings.Join(workflow.Reasons(), "|")+"`\ndefault: none; example: --reason false_positive")
	}
	flags.StringVar(&f.decision.Comment, "comment", "", "keep a `TEXT` of your own in the alerts\ndefault: none; example: --comment 'her new VPN'")
	flags.Var((*commandline.Strings)(&f.decision.Assignees), "assign", "assign the alerts to a `USER`, in place of others; repeatable; "+nobody+" unassigns them\ndefault: keep the assignees; example: --assign ada")
	flags.BoolVar(&f.yes, "yes", false, "change the alerts that --where matches\ndefault: off, which only shows some; example: --yes")
	ids, err := commandline.Parse(flags, args, len(args))
	if err != nil {
		return f, err
	}
	for _, id := range ids {
		f.ids = append(f.ids, strings.TrimSpace(id))
	}
	switch {
	case f.where != "" && len(f.ids) > 0:
		return f, failure.Usagef("%s: both ids and --where are given: keep one", command)
	case f.where == "" && len(f.ids) == 0:
		return f, failure.Usagef("%s: the id of an alert is missing, or --where with a query for alerts; see newterms help %[1]s", command)
	case slices.Contains(f.ids, ""):
		return f, failure.Usagef("%s: an id is empty", command)
	}
	if slices.Contains(f.decision.Assignees, nobody) {
		if len(f.decision.Assignees) > 1 {
			return f, failure.Usagef("--assign: it is %s and a user: keep one", nobody)
		}
		f.decision.Assignees = []string{}
	}
	if err := f.decision.Check(); err != nil {
		return f, failure.Usagef("--%w", err)
	}
	return f, nil
}

// maxShown is the number of alerts that --where shows.
const maxShown = 5

// matching prints the number of alerts that match --where. It returns their ids with
// --yes; otherwise it shows some of them and returns none.
func (p program) matching(ctx context.Context, store *alerts.Store, command string, f statusFlags) ([]string, error) {
	query, err := where.Compile(ctx, store, f.where)
	if err != nil {
		return nil, err
	}
	found, err := store.Matching(ctx, query, f.decision)
	if err != nil {
		return nil, where.Refused(err)
	}
	p.print(show.Matches(len(found.IDs), found.Already, f.decision.Status) + "\n")
	if f.yes || found.ToChange == 0 {
		return found.IDs, nil
	}
	if err := store.NewestToChange(ctx, query, f.decision, maxShown, show.NewNewest(show.Table, p.stdout).Add); err != nil {
		return nil, err
	}
	return nil, p.print(show.NotChanged(found.ToChange, maxShown, command))
}
