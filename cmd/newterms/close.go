package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"newterms/alerts"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/job"
	"newterms/job/words"
)

const (
	closeHelp = `closes alerts, by id or all that a query matches

  newterms close ALERT_ID... [FLAG]...
  newterms close --where KQL [FLAG]...

With --where it shows how many alerts match, and changes them only with --yes.

  newterms close --where 'okta.actor.id: 00u1far2Vn7mJy5Wc5d7' --yes
`
	acknowledgeHelp = `acknowledges alerts, by id or all that a query matches

  newterms acknowledge ALERT_ID... [FLAG]...
  newterms acknowledge --where KQL [FLAG]...

With --where it shows how many alerts match, and changes them only with --yes.

  newterms acknowledge --where 'okta.actor.id: 00u1far2Vn7mJy5Wc5d7' --yes
`
)

const nothingChanged = "nothing was changed"

// statusFlags are the flags of `newterms close` and `acknowledge`.
type statusFlags struct {
	ids    []string
	where  string // KQL; "" if there are ids
	reason string
	yes    bool
}

// setStatus returns the command that sets a status of alerts.
func (p program) setStatus(command string, status alerts.WorkflowStatus) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		f, err := parseStatus(command, args)
		if err != nil {
			return err
		}
		client, err := p.connect()
		if err != nil {
			return err
		}
		store := p.store(client)
		if f.where != "" {
			if f.ids, err = p.matching(ctx, store, command, status, f); err != nil || len(f.ids) == 0 {
				return err
			}
		}
		user, err := access.CurrentUser(ctx, client)
		if err != nil {
			return fmt.Errorf("%s: ask who this is: %w", command, err)
		}
		decided, err := store.Decide(ctx, f.ids, alerts.Decision{Status: status, User: user.String(), Reason: f.reason, At: p.now()})
		if err == nil || decided != (alerts.Decided{}) {
			fmt.Fprintf(terminal.Fitting(p.stdout), "%s %s%s\n", status, words.Plural(int64(decided.Changed), "alert", "alerts"), already(decided.Already, status))
		}
		switch {
		case err != nil && errors.Is(context.Cause(ctx), failure.ErrInterrupted):
			return &failure.StoppedError{True: "alerts may have been changed; do it again for the rest"}
		case err != nil:
			return fmt.Errorf("%s: %w", command, err)
		}
		return nil
	}
}

func already(n int, status alerts.WorkflowStatus) string {
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(", 1 was %s already", status)
	}
	return fmt.Sprintf(", %d were %s already", n, status)
}

// parseStatus accepts flags before, between and after the ids.
func parseStatus(command string, args []string) (statusFlags, error) {
	var f statusFlags
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.StringVar(&f.where, "where", "", "all alerts that `KQL` matches, in place of ids\ndefault: none; example: --where 'okta.actor.id: 00u1far2Vn7mJy5Wc5d7'")
	flags.StringVar(&f.reason, "reason", "", "keep `TEXT` in the alerts as the reason\ndefault: none; example: --reason 'her new VPN'")
	flags.BoolVar(&f.yes, "yes", false, "change the alerts that --where matches\ndefault: off, which only counts them; example: --yes")
	ids, err := commandline.Parse(flags, args, len(args))
	if err != nil {
		return f, err
	}
	for _, id := range ids {
		f.ids = append(f.ids, strings.TrimSpace(id))
	}
	hasWhere := commandline.IsGiven(flags, "where")
	switch {
	case hasWhere && strings.TrimSpace(f.where) == "":
		return f, failure.Usagef("--where: it is empty, which would match every alert")
	case hasWhere && len(f.ids) > 0:
		return f, failure.Usagef("%s: there are both ids and --where: keep one", command)
	case !hasWhere && len(f.ids) == 0:
		return f, failure.Usagef("%s: the id of an alert is missing, or --where with a query for alerts; see newterms help %[1]s", command)
	case slices.Contains(f.ids, ""):
		return f, failure.Usagef("%s: an id is empty", command)
	}
	return f, nil
}

// matching prints how many alerts a query matches. It returns their ids if they are to
// be changed.
func (p program) matching(ctx context.Context, store *alerts.Store, command string, status alerts.WorkflowStatus, f statusFlags) ([]string, error) {
	query, err := job.AlertsQuery(ctx, store, f.where)
	if err != nil {
		return nil, fmt.Errorf("%s: --where: %w", command, err)
	}
	found, err := store.Matching(ctx, query)
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.Has("query_shard_exception", "parse_exception") {
		err = failure.Usagef("%w", err) // a value does not fit its field
	}
	if err != nil {
		return nil, fmt.Errorf("%s: --where: %w", command, err)
	}
	var ids []string
	has := 0
	for _, alert := range found {
		ids = append(ids, alert.ID)
		if alert.Status == status {
			has++
		}
	}
	matches := map[bool]string{true: "alert matches", false: "alerts match"}[len(ids) == 1]
	fmt.Fprintf(terminal.Fitting(p.stdout), "%d %s%s\n", len(ids), matches, already(has, status))
	if f.yes || has == len(ids) {
		return ids, nil
	}
	_, err = fmt.Fprintf(terminal.Fitting(p.stdout), "nothing was changed: say --yes to %s %s\n", command, map[bool]string{true: "it", false: "them"}[len(ids)-has == 1])
	return nil, err
}
