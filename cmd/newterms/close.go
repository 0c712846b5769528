package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"newterms/alerts"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/access"
	"newterms/job/words"
)

const statusHelp = `  newterms close|acknowledge|reopen ALERT_ID... [--reason REASON]
                  [--comment TEXT] [--assign USER]...
  newterms close|acknowledge|reopen --where KQL [--reason REASON]
                  [--comment TEXT] [--assign USER]... [--yes]
                  sets the status of alerts, by id or all that KQL matches;
                  without --yes that only shows how many there are, and five;
                  the first digits of an id suffice; REASON is for close:
                  false_positive, duplicate, true_positive, benign_positive,
                  automated_closure or other; an alert keeps each decision
`

// statusFlags are the flags of `newterms close`, `acknowledge` and `reopen`.
type statusFlags struct {
	ids      []string
	where    string // KQL; "" if there are ids
	decision alerts.Decision
	yes      bool
}

// setStatus returns the command that sets a status of alerts.
func (p program) setStatus(command string, status alerts.WorkflowStatus) func(context.Context, []string) error {
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
			return fmt.Errorf("%s: ask who this is: %w", command, err)
		}
		f.decision.User, f.decision.At = user.String(), p.now()
		decided, err := p.decide(ctx, store, command, f)
		if err == nil || decided != (alerts.Decided{}) {
			fmt.Fprintln(terminal.Escaping(p.stdout), show.Decided(status, decided, f.decision.Assignees))
		}
		return asCommandError(command, err)
	}
}

// asCommandError names the command in an error.
func asCommandError(command string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// decide shows how many alerts are done.
func (p program) decide(ctx context.Context, store *alerts.Store, command string, f statusFlags) (alerts.Decided, error) {
	var done atomic.Int64
	text := func(spent time.Duration) string {
		return fmt.Sprintf("%s: %d of %s, %s", command, done.Load(), words.Plural(len(f.ids), "alert", "alerts"), spent.Round(time.Second))
	}
	defer p.progress.During(text, func(text string) { p.log.Info(text) })()
	return store.Decide(ctx, f.ids, f.decision, func(n int) { done.Store(int64(n)) })
}

// parseStatus accepts flags before, between and after the ids.
func parseStatus(command string, status alerts.WorkflowStatus, args []string) (statusFlags, error) {
	f := statusFlags{decision: alerts.Decision{Status: status}}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.StringVar(&f.where, "where", "", "")
	flags.StringVar(&f.decision.Reason, "reason", "", "")
	flags.StringVar(&f.decision.Comment, "comment", "", "")
	flags.Var((*stringsFlag)(&f.decision.Assignees), "assign", "")
	flags.BoolVar(&f.yes, "yes", false, "")
	ids, err := parseFlags(flags, args, len(args))
	if err != nil {
		return f, err
	}
	for _, id := range ids {
		f.ids = append(f.ids, strings.TrimSpace(id))
	}
	hasWhere := isGiven(flags, "where")
	switch {
	case hasWhere && strings.TrimSpace(f.where) == "":
		return f, failure.Usagef("--where: it is empty, which would match every alert")
	case hasWhere && len(f.ids) > 0:
		return f, failure.Usagef("%s: there are both ids and --where: keep one", command)
	case !hasWhere && len(f.ids) == 0:
		return f, failure.Usagef("%s: the id of an alert is missing, or --where with a query for alerts; see newterms --help", command)
	case slices.Contains(f.ids, ""):
		return f, failure.Usagef("%s: an id is empty", command)
	}
	return f, checkDecision(f.decision)
}

// checkDecision returns a usage error about the texts of a decision.
func checkDecision(d alerts.Decision) error {
	reasons := alerts.ClosingReasons()
	switch {
	case d.Reason != "" && d.Status != alerts.Closed:
		return failure.Usagef("--reason: only close has one; write a text of your own with --comment")
	case d.Reason != "" && !slices.Contains(reasons, d.Reason):
		last := len(reasons) - 1
		return failure.Usagef("--reason: %q is none of %s; write a text of your own with --comment", shortened(d.Reason), strings.Join(reasons[:last], ", ")+" and "+reasons[last])
	case len(d.Comment) > alerts.MaxComment:
		return failure.Usagef("--comment: it has %d bytes, and an alert keeps at most %d", len(d.Comment), alerts.MaxComment)
	}
	for _, user := range d.Assignees {
		switch {
		case strings.TrimSpace(user) == "":
			return failure.Usagef("--assign: the user is empty")
		case len(user) > alerts.MaxAssignee:
			return failure.Usagef("--assign: the user has %d bytes, and an alert keeps at most %d", len(user), alerts.MaxAssignee)
		}
	}
	return nil
}

// shortened cuts a text for an error.
func shortened(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}

// maxShown is how many alerts --where shows before it changes them.
const maxShown = 5

// matching prints how many alerts a query matches. It returns their ids if they are to
// be changed, and otherwise shows some of them.
func (p program) matching(ctx context.Context, store *alerts.Store, command string, f statusFlags) ([]string, error) {
	query, err := p.alertsQuery(ctx, store, f.where)
	if err != nil {
		return nil, err
	}
	found, err := store.Matching(ctx, query)
	if err != nil {
		return nil, whereError(err)
	}
	ids, has := make([]string, len(found)), 0
	for i, alert := range found {
		ids[i] = alert.ID
		if alert.Status == f.decision.Status {
			has++
		}
	}
	assigns := len(f.decision.Assignees) > 0 // also those that have the status
	matches := map[bool]string{true: "alert matches", false: "alerts match"}[len(ids) == 1]
	fmt.Fprintf(terminal.Escaping(p.stdout), "%d %s%s\n", len(ids), matches, show.Already(has, f.decision.Status))
	if f.yes || has == len(ids) && !assigns {
		return ids, nil
	}
	toChange := len(ids)
	if !assigns {
		toChange -= has
		query = map[string]any{"bool": map[string]any{"filter": query, "must_not": map[string]any{"term": map[string]any{"kibana.alert.workflow_status": f.decision.Status}}}}
	}
	if _, err := store.Newest(ctx, query, time.Time{}, time.Time{}, maxShown, show.NewNewest(show.Table, p.stdout).Add); err != nil {
		return nil, err
	}
	if more := toChange - maxShown; more > 0 {
		fmt.Fprintf(terminal.Escaping(p.stdout), "… and %d more\n", more)
	}
	_, err = fmt.Fprintf(terminal.Escaping(p.stdout), "nothing was changed: say --yes to %s %s\n", command, map[bool]string{true: "it", false: "them"}[toChange == 1])
	return nil, err
}
