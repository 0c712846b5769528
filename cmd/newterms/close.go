package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"newterms/alerts"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/job/words"
)

const decideHelp = `  newterms close|acknowledge ALERT_ID... [--reason TEXT]
  newterms close|acknowledge --where KQL [--reason TEXT] [--yes]
                  sets the status of alerts, by id or all that KQL matches;
                  without --yes that only shows how many there are
`

// decideFlags are what `newterms close` or `acknowledge` was told.
type decideFlags struct {
	ids    []string
	where  string // KQL; "" if there are ids
	reason string
	yes    bool
}

// decide is the command that gives alerts a status.
func (p program) decide(command string, status alerts.WorkflowStatus) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		f, err := parseDecide(command, args)
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
		user, err := esquery.CurrentUser(ctx, client)
		if err != nil {
			return fmt.Errorf("%s: ask who this is: %w", command, err)
		}
		decided, err := store.Decide(ctx, f.ids, alerts.Decision{Status: status, User: user.String(), Reason: f.reason, At: p.now()})
		if err == nil || decided != (alerts.Decided{}) {
			fmt.Fprintf(terminal.Escaping(p.stdout), "%s %s%s\n", status, words.Plural(int64(decided.Changed), "alert", "alerts"), already(decided.Already, status))
		}
		if err != nil {
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

// parseDecide takes flags before, between and behind the ids.
func parseDecide(command string, args []string) (decideFlags, error) {
	var f decideFlags
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.StringVar(&f.where, "where", "", "")
	flags.StringVar(&f.reason, "reason", "", "")
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
		return f, usageError{errors.New("--where: it is empty, which would match every alert")}
	case hasWhere && len(f.ids) > 0:
		return f, usageError{fmt.Errorf("%s: there are both ids and --where: keep one", command)}
	case !hasWhere && len(f.ids) == 0:
		return f, usageError{fmt.Errorf("%s: the id of an alert is missing, or --where with a query for alerts; see newterms --help", command)}
	case slices.Contains(f.ids, ""):
		return f, usageError{fmt.Errorf("%s: an id is empty", command)}
	}
	return f, nil
}

// matching says how many alerts a query matches. It returns their ids if they
// are to be changed.
func (p program) matching(ctx context.Context, store *alerts.Store, command string, status alerts.WorkflowStatus, f decideFlags) ([]string, error) {
	query, err := p.compileWhere(ctx, store, f.where)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	found, err := store.Matching(ctx, query)
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.Has("query_shard_exception", "parse_exception") {
		err = usageError{err} // a value does not fit its field
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
	fmt.Fprintf(terminal.Escaping(p.stdout), "%d %s%s\n", len(ids), matches, already(has, status))
	if f.yes || has == len(ids) {
		return ids, nil
	}
	_, err = fmt.Fprintf(terminal.Escaping(p.stdout), "nothing was changed: say --yes to %s %s\n", command, map[bool]string{true: "it", false: "them"}[len(ids)-has == 1])
	return nil, err
}

// compileWhere refuses what says nothing of alerts: after a NOT it would match every
// alert. These are names and patterns of fields that they do not have, and free
// text that must not be there, as a query is whose colon was forgotten.
func (p program) compileWhere(ctx context.Context, store *alerts.Store, where string) (map[string]any, error) {
	parsed, err := kql.Parse(where)
	if err != nil {
		return nil, usageError{fmt.Errorf("--where: %w", err)}
	}
	types, err := store.Fields(ctx)
	if err != nil {
		return nil, fmt.Errorf("--where: %w", err)
	}
	fields := kql.Fields{}
	for name, kind := range types {
		switch kind {
		case "object", "nested":
		case "": // of several types
			fields[name] = kql.Field{NestedPath: nestedPath(types, name)}
		default:
			fields[name] = kql.Field{Types: []string{kind}, NestedPath: nestedPath(types, name)}
		}
	}
	for _, name := range parsed.Unmatched(fields) {
		isPattern := strings.Contains(name, "*")
		switch {
		case types[name] == "object", types[name] == "nested":
			return nil, usageError{fmt.Errorf("--where: %s of alerts is an object: name a field of it, such as with %[1]s.*", name)}
		case types[name] != "":
			return nil, usageError{fmt.Errorf("--where: %s of alerts is not nested: write %[1]s: VALUE", name)}
		case isPattern:
			return nil, usageError{fmt.Errorf("--where: alerts have no field like %s", name)}
		case !isBelowFlattened(types, name):
			return nil, usageError{fmt.Errorf("--where: alerts have no field %s", name)}
		}
	}
	if texts := parsed.NegatedFreeText(); len(texts) > 0 {
		return nil, usageError{fmt.Errorf("--where: after not, %q has no field: write FIELD: VALUE", texts[0])}
	}
	query, err := parsed.Compile(fields)
	if err != nil {
		return nil, usageError{fmt.Errorf("--where: %w", err)}
	}
	return query, nil
}

// nestedPath is the innermost parent of a field that is nested, "" if none is.
func nestedPath(types map[string]string, name string) string {
	for {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return ""
		}
		if name = name[:dot]; types[name] == "nested" {
			return name
		}
	}
}

// isBelowFlattened reports whether a name is a key of a flattened field, which
// no mapping lists.
func isBelowFlattened(types map[string]string, name string) bool {
	for i, r := range name {
		if r == '.' && types[name[:i]] == "flattened" {
			return true
		}
	}
	return false
}
