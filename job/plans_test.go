package job_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/fields"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/rule"
)

var (
	benchEvents  = flag.Int("bench-events", 300_000, "how many events BenchmarkPlans makes")
	benchDays    = flag.Int("bench-days", 8, "over how many days")
	benchActors  = flag.Int("bench-actors", 20_000, "of how many actors")
	benchShards  = flag.Int("bench-shards", 2, "in how many shards")
	benchRounds  = flag.Int("bench-rounds", 5, "how often each plan runs; the median counts")
	benchHistory = flag.Int("bench-history", 7, "how many days of history the rule has")
	benchSingle  = flag.Bool("bench-single", true, "run one search a pair as well, for windows of up to an hour")
)

// A measure is what a plan has spent.
type measure struct {
	wall, took    time.Duration
	requests      int
	bytes, allocs int64
	candidates    int
	found         []string // pair and time of each first occurrence, sorted
}

// A metered transport counts the bytes that it received, which come as they are,
// as Kibana and newterms ask for them.
type metered struct {
	next  esapi.Transport
	bytes int64
}

func (m *metered) Perform(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept-Encoding", "identity")
	res, err := m.next.Perform(r)
	if err == nil {
		res.Body = &meteredBody{res.Body, &m.bytes}
	}
	return res, err
}

type meteredBody struct {
	io.ReadCloser
	bytes *int64
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	*b.bytes += int64(n)
	return n, err
}

// measured runs a plan with a client of its own.
func measured(b *testing.B, node *estest.Node, plan func(ctx context.Context, c *elastic.Client, m *measure) error) measure {
	b.Helper()
	transport := &metered{next: node}
	client := elastic.NewClient(transport, elastic.Options{})
	var m measure
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := plan(b.Context(), client, &m)
	m.wall = time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		b.Fatal(err)
	}
	m.requests, m.took = client.Usage()
	m.bytes, m.allocs = transport.bytes, int64(after.TotalAlloc-before.TotalAlloc)
	slices.Sort(m.found)
	return m
}

// median takes the one in the middle by the time that it took.
func median(all []measure) measure {
	slices.SortFunc(all, func(a, b measure) int { return int(a.wall - b.wall) })
	return all[len(all)/2]
}

// BenchmarkPlans compares what a run does, dry, with Kibana's plan and with one
// search a pair, on the same data in one run, for windows of several lengths.
// All must find the same. Each round takes another window, so that no cache
// answers. The ratios are what counts; the times are the machine's.
//
//	go test ./job -run '^$' -bench Plans -benchtime 1x -timeout 0 -bench-events 2000000 -bench-actors 60000
func BenchmarkPlans(b *testing.B) {
	debug.SetGCPercent(400) // as the command has it
	node := estest.ForTest(b)
	data := benchData{
		events: *benchEvents, days: *benchDays, shards: *benchShards, actors: *benchActors, end: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC),
	}
	data.load(b, node)
	r, err := rule.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	r.History = time.Duration(*benchHistory) * 24 * time.Hour
	r.Search.Indices, r.Search.Wanted = []string{data.index()}, fields.EventFields()
	for _, length := range []time.Duration{5 * time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour, 30 * 24 * time.Hour} {
		if length > time.Duration(data.days-*benchHistory)*24*time.Hour {
			continue // there is no history for it
		}
		b.Run(strings.TrimSuffix(length.String(), "0s"), func(b *testing.B) {
			for b.Loop() {
				if length > r.History { // which Kibana's rule never looks at
					compareSlices(b, node, r, job.Window{From: data.end.Add(-length), To: data.end})
				} else {
					comparePlans(b, node, data, r, length)
				}
			}
		})
	}
}

// compareSlices wants a long window to hold what scheduled ones would find, at a
// sample of them.
func compareSlices(b *testing.B, node *estest.Node, r rule.Rule, w job.Window) {
	b.Helper()
	whole := measured(b, node, ourPlan(r, w))
	const amount, length = 200, 5 * time.Minute
	found := 0
	for i := range amount {
		from := w.From.Add(w.To.Sub(w.From) / amount * time.Duration(i)).Truncate(time.Minute)
		slice := job.Window{From: from, To: from.Add(length)}
		m := measured(b, node, ourPlan(r, slice))
		found += len(m.found)
		if want := whole.within(slice); !reflect.DeepEqual(m.found, want) {
			b.Fatalf("%s has %d first occurrences, and the whole of %s has %d there", slice, len(m.found), w, len(want))
		}
	}
	b.Logf("%s: %d candidates, %d new, wall %s, took %s, %d requests; %d slices of %s hold the same %d first occurrences", w.To.Sub(w.From),
		whole.candidates, len(whole.found), whole.wall.Round(time.Millisecond), whole.took, whole.requests, amount, length, found)
}

// within are the first occurrences inside a window.
func (m measure) within(w job.Window) []string {
	var found []string
	for _, one := range m.found {
		ms, err := strconv.ParseInt(one[strings.LastIndexByte(one, ' ')+1:], 10, 64)
		if at := time.UnixMilli(ms); err == nil && !at.Before(w.From) && at.Before(w.To) {
			found = append(found, one)
		}
	}
	return found
}

func comparePlans(b *testing.B, node *estest.Node, data benchData, r rule.Rule, length time.Duration) {
	plans := []struct {
		name string
		run  func(w job.Window) func(context.Context, *elastic.Client, *measure) error
	}{
		{"newterms", func(w job.Window) func(context.Context, *elastic.Client, *measure) error { return ourPlan(r, w) }},
		{"kibana", func(w job.Window) func(context.Context, *elastic.Client, *measure) error { return kibanaPlan(r, w) }},
	}
	if *benchSingle && length <= time.Hour {
		plans = append(plans, struct {
			name string
			run  func(w job.Window) func(context.Context, *elastic.Client, *measure) error
		}{"single", func(w job.Window) func(context.Context, *elastic.Client, *measure) error { return singlePlan(r, w) }})
	}
	results := make([][]measure, len(plans))
	for round := range *benchRounds {
		to := data.end.Add(-time.Duration(round) * 7 * time.Second)
		window := job.Window{From: to.Add(-length), To: to}
		for i := range plans {
			if round%2 == 1 { // the first to come to a window warms it for the others
				i = len(plans) - 1 - i
			}
			results[i] = append(results[i], measured(b, node, plans[i].run(window)))
		}
		for i, plan := range plans[1:] {
			compareFound(b, r, window, plan.name, results[0][round].found, results[i+1][round].found)
		}
	}
	ours := median(results[0])
	for i, plan := range plans {
		m := median(results[i])
		b.Logf("%-8s %-9s %7d candidates %6d new  wall %8.1f ms  took %8.1f ms  %5d requests  %8.2f MB received  %8.2f MB allocated  %5.2f times ours",
			length, plan.name, m.candidates, len(m.found), ms(m.wall), ms(m.took), m.requests, float64(m.bytes)/1e6, float64(m.allocs)/1e6, float64(m.wall)/float64(ours.wall))
		if i > 0 {
			b.ReportMetric(float64(m.wall)/float64(ours.wall), "times-"+plan.name)
		}
	}
	b.ReportMetric(float64(ours.wall)/float64(ours.took), "wall/took")
	b.ReportMetric(ms(ours.took), "took-ms")
}

// compareFound wants another plan to find what ours does. Kibana's takes a pair
// for known that was last seen after the history before the window began, be it
// more than that before the pair's own event: so it may miss some, and those are
// asked for one by one.
func compareFound(b *testing.B, r rule.Rule, w job.Window, name string, ours, theirs []string) {
	b.Helper()
	missed := slices.DeleteFunc(slices.Clone(ours), func(one string) bool { _, ok := slices.BinarySearch(theirs, one); return ok })
	if len(ours)-len(missed) != len(theirs) || name != "kibana" && len(missed) > 0 {
		b.Fatalf("%s found %d first occurrences in %s, and we %d, of which it misses %d", name, len(theirs), w, len(ours), len(missed))
	}
	o, err := newOthers(elastic.NewClient(estest.ForTest(b), elastic.Options{}), r)
	if err != nil {
		b.Fatal(err)
	}
	for _, one := range missed {
		var actor, account string
		var at int64
		if _, err := fmt.Sscan(one, &actor, &account, &at); err != nil {
			b.Fatal(err)
		}
		pair := []dsl{{"term": dsl{r.Search.Fields[0]: actor}}, {"term": dsl{r.Search.Fields[1]: account}}}
		first := time.UnixMilli(at)
		seen, _, err := o.composite(b.Context(), job.Window{From: first.Add(-r.History), To: first}, 1, nil, nil, pair...)
		if err != nil || len(seen) > 0 {
			b.Fatalf("%s is no first occurrence: %v, %v", one, seen, err)
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ourPlan is a dry run, up to the alerts as JSON.
func ourPlan(r rule.Rule, w job.Window) func(context.Context, *elastic.Client, *measure) error {
	return func(ctx context.Context, c *elastic.Client, m *measure) error {
		j := &job.Job{
			Rule: r, Version: "bench", Store: alerts.NewStore(c, ".bench-alerts", ".bench-runs"), DryRun: true,
			Open: func(ctx context.Context, s query.Search) (*esquery.Source, error) { return esquery.Open(ctx, c, s) },
			Emit: func(a alert.Alert) error {
				terms := a.Terms()
				m.found = append(m.found, fmt.Sprint(terms[0], " ", terms[1], " ", a.FirstSeen.UnixMilli()))
				_, err := a.JSON()
				return err
			},
			Warn: func(error) {}, Usage: c.Usage, Now: time.Now,
		}
		run, err := j.Run(ctx, uuid.NewString(), w)
		m.candidates = int(run.Counts.Candidates)
		return err
	}
}
