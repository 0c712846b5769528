package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/rule"
)

// BenchmarkContexts runs, dry, over windows with more and more alerts: without contexts,
// with those of the default, and with all.
//
//	go test ./job -run '^$' -bench Contexts -benchtime 1x -timeout 0
func BenchmarkContexts(b *testing.B) {
	node := estest.ForTest(b)
	d := benchData{events: *benchEvents, days: *benchDays, shards: *benchShards, actors: *benchActors, end: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	d.load(b, node)
	r, err := rule.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	r.Search.Indices = []string{d.index()}
	for b.Loop() {
		for _, from := range []time.Duration{0, 5 * time.Minute, 45 * time.Minute, 24 * time.Hour, 5 * 24 * time.Hour} {
			window := job.Window{From: d.end.Add(-from), To: d.end}
			if from == 0 {
				window.To = d.end.Add(5 * time.Minute)
			}
			for _, most := range []int{0, 1_000, 100_000} {
				var all []measure
				written := int64(0)
				for range *benchRounds {
					all = append(all, measured(b, node, func(ctx context.Context, c *elastic.Client, m *measure) error {
						j := &job.Job{
							Rule: r, Version: "test", Store: alerts.NewStore(c, ".bench-none", ".bench-none-runs"), MaxContexts: most, DryRun: true,
							Open: func(ctx context.Context, s query.Search) (*esquery.Source, error) { return esquery.Open(ctx, c, s) },
							Emit: func(alert.Alert) error { return nil }, Warn: func(error) {}, Usage: c.Usage, Now: time.Now,
						}
						run, err := j.Run(ctx, uuid.NewString(), window)
						written = run.Counts.Written
						return err
					}))
				}
				m := median(all)
				b.Logf("%d alerts, up to %d contexts: %d requests, took %s, wall %s", written, most, m.requests, m.took, m.wall.Round(time.Millisecond))
			}
		}
	}
}
