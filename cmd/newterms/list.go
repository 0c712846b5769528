package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"newterms/alerts"
	"newterms/job/rule"
)

// listed is what `newterms rules` prints of a rule.
type listed struct {
	ID         string   `json:"rule_id"`
	Name       string   `json:"name"`
	Source     string   `json:"source"`
	Fields     []string `json:"new_terms_fields"`
	History    string   `json:"history"`
	Indices    []string `json:"index"`
	Exceptions int      `json:"exceptions"` // of lists and settings that hold
	// The rest is of the cluster, if there is one.
	LastRun   *time.Time      `json:"last_run,omitempty"`
	LastAlert *time.Time      `json:"last_alert,omitempty"`
	State     alerts.RunState `json:"state,omitempty"`
	Error     string          `json:"error,omitempty"` // of a failed run
}

// list prints the rules that would run.
func (p program) list(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("rules", flag.ContinueOnError)
	output := flags.String("output", "table", "")
	paths, err := parseFlags(flags, args, math.MaxInt)
	if err != nil {
		return err
	}
	if *output != "table" && *output != "json" {
		return usageError{fmt.Errorf("--output: %q is neither table nor json", *output)}
	}
	rules, unusable := p.rules(paths, nil, p.settings.MissingTerms)
	all := make([]listed, len(rules))
	for i, r := range rules {
		page := r.Page()
		all[i] = listed{
			ID: r.ID, Name: r.Name, Source: r.Source, Fields: r.Search.Fields, History: page.History, Indices: r.Search.Indices, Exceptions: len(page.Exceptions),
		}
	}
	asked := len(p.settings.URLs)+len(p.settings.CloudID) > 0
	if asked {
		if err := p.lookUp(ctx, rules, all); err != nil {
			return errors.Join(unusable, err)
		}
	}
	if *output == "json" {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return errors.Join(unusable, encoder.Encode(all))
	}
	_, err = io.WriteString(forPeople{p.stdout}, listTable(all, asked, p.now())+"\n")
	return errors.Join(unusable, err)
}

// lookUp asks for the last run and alert of all rules, in two searches.
func (p program) lookUp(ctx context.Context, rules []rule.Rule, all []listed) error {
	client, err := p.connect()
	if err != nil {
		return err
	}
	ids := make([]string, len(rules))
	for i, r := range rules {
		ids[i] = r.ID
	}
	store := p.store(client)
	runs, err := store.LastRuns(ctx, ids)
	if err != nil {
		return err
	}
	newest, err := store.LastAlerts(ctx, ids)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].State, all[i].Error = runs[i].State, runs[i].Error; runs[i].State != "" {
			all[i].LastRun = &runs[i].At
		}
		if !newest[i].IsZero() {
			all[i].LastAlert = &newest[i]
		}
	}
	return nil
}

func listTable(all []listed, asked bool, now time.Time) string {
	t := table.NewWriter()
	t.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: "  "}, Format: table.FormatOptions{Header: text.FormatDefault}})
	header := table.Row{"NAME", "NEW TERMS", "HISTORY", "INDEX", "EXCEPTIONS"}
	if asked {
		header = append(header, "LAST RUN", "STATE", "LAST ALERT")
	}
	t.AppendHeader(header)
	var configs []table.ColumnConfig
	for i, width := range []int{44, 30, 10, 30, 10, 12, 30, 12} {
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: width, WidthMaxEnforcer: wrapLines})
	}
	t.SetColumnConfigs(configs)
	for _, l := range all {
		row := table.Row{lines(l.Name, l.ID, l.Source), lines(l.Fields...), l.History, lines(l.Indices...), l.Exceptions}
		if asked {
			state := lines(string(l.State), l.Error)
			if l.State == "" {
				state = "has not run"
			}
			row = append(row, ago(l.LastRun, now), state, ago(l.LastAlert, now))
		}
		t.AppendRow(row)
	}
	t.SuppressTrailingSpaces()
	return t.Render()
}

// ago is how long ago something was, to its two largest units.
func ago(at *time.Time, now time.Time) string {
	if at == nil {
		return ""
	}
	d := max(0, now.Sub(*at))
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd %dh ago", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm ago", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dm %ds ago", d/time.Minute, d%time.Minute/time.Second)
}
