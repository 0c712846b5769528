package main

import (
	"context"
	"flag"
	"fmt"

	"newterms/alerts"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/show"
	"newterms/job"
	"newterms/job/where"
)

const alertsHelp = `lists the newest alerts, each with its short id

  newterms alerts [FLAG]...

It lists at most 20 alerts, or 10,000 as ndjson, by the time when their pairs
were first seen. The short id names an alert in other commands. It writes
nothing.

  newterms alerts --from now-7d --where 'kibana.alert.workflow_status: open'
`

// The most alerts in a list: a table is for a terminal, ndjson for programs.
const (
	maxListed       = 20
	maxListedNDJSON = 10_000
)

// listAlerts prints the newest alerts.
func (p program) listAlerts(ctx context.Context, args []string) error {
	var f searchFlags
	var kql string
	flags := flag.NewFlagSet("alerts", flag.ContinueOnError)
	f.defineRange(flags, "default: the oldest alert")
	commandline.Text(flags, &kql, "where", "it is empty: leave it out for all alerts", "only alerts that `KQL` matches\ndefault: all; example: --where 'kibana.alert.severity: high'")
	f.output.Define(flags, "output", printAs, show.Table, show.NDJSON)
	if _, err := commandline.Parse(flags, args, 0); err != nil {
		return err
	}
	window, err := f.readWindow(p.now())
	switch {
	case err != nil:
		return err
	case window == nil:
		window = &job.Window{}
	}
	client, err := p.connect()
	if err != nil {
		return err
	}
	return asCommandError("alerts", p.printNewest(ctx, p.store(client), kql, *window, f.output.Value))
}

func (p program) printNewest(ctx context.Context, store *alerts.Store, kql string, w job.Window, output show.Format) error {
	query, err := where.Compile(ctx, store, kql)
	if err != nil {
		return err
	}
	limit := maxListed
	if output == show.NDJSON {
		limit = maxListedNDJSON
	}
	list := show.NewNewest(output, p.stdout)
	total, err := store.Newest(ctx, query, w.From, w.To, limit, list.Add)
	if err != nil {
		return where.Refused(err)
	}
	more := fmt.Sprintf("these are the newest %d of %d alerts: for others use --from, --to or --where", limit, total)
	switch {
	case output == show.NDJSON && total > int64(limit):
		p.log.Warn(more)
	case output == show.NDJSON:
	case total == 0:
		err = p.print("no alerts\n")
	case total > int64(limit):
		err = p.print(more + "\n")
	}
	return err
}
