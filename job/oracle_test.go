package job_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/rule"
)

var seed = flag.Uint64("seed", 0, "of the random timelines; 0 takes one by the clock")

// event is what the oracle knows of a document.
type event struct {
	document map[string]any
	at       time.Time // the primary timestamp
	actors   []string
	accounts []string
	matches  bool
	vpn      bool // an exclusion may leave it out
}

// oracle applies the definition of a first occurrence to events in memory: no
// matching event of the pair lies in [t − H, t). It returns them by pair.
func oracle(events []event, history time.Duration) map[[2]string][]time.Time {
	times := map[[2]string][]time.Time{}
	for _, e := range events {
		for _, actor := range e.actors {
			for _, account := range e.accounts {
				if e.matches {
					pair := [2]string{actor, account}
					times[pair] = append(times[pair], e.at)
				}
			}
		}
	}
	first := map[[2]string][]time.Time{}
	for pair, all := range times {
		for _, t := range all {
			known := slices.ContainsFunc(all, func(u time.Time) bool { return !u.Before(t.Add(-history)) && u.Before(t) })
			if !known && !slices.Contains(first[pair], t) {
				first[pair] = append(first[pair], t)
			}
		}
	}
	return first
}

// timeline makes random events around gaps of H, to the millisecond: arrays,
// absent fields, both timestamps, duplicates, and events that do not match.
func timeline(random *rand.Rand, start time.Time, history time.Duration) []event {
	pick := func(values ...string) []string {
		n := 1
		if random.IntN(4) == 0 {
			n = 1 + random.IntN(3)
		}
		var picked []string
		for range n {
			picked = append(picked, values[random.IntN(len(values))])
		}
		return picked
	}
	gaps := []time.Duration{
		0, time.Millisecond, time.Minute, history - time.Millisecond, history, history + time.Millisecond, history / 3, 2 * history,
	}
	var events []event
	at := start
	for range 5 + random.IntN(40) {
		if at = at.Add(gaps[random.IntN(len(gaps))]); random.IntN(6) == 0 {
			at = at.Add(-history / 2)
		}
		e := event{at: at, matches: random.IntN(8) > 0, document: map[string]any{"match": true}}
		if !e.matches {
			e.document["match"] = false
		}
		if random.IntN(10) > 0 {
			e.actors = pick("ada", "basil", "camille")
			e.document["okta.actor.id"] = e.actors
		}
		if random.IntN(10) > 0 {
			e.accounts = pick("acc-1", "acc-2")
			e.document["cloud.account.id"] = e.accounts
		}
		e.document["@timestamp"] = at.Format(millis)
		if random.IntN(3) > 0 {
			e.document["event.ingested"] = at.Format(millis)
			e.document["@timestamp"] = at.Add(-time.Duration(random.IntN(5)) * history / 2).Format(millis)
		}
		events = append(events, e)
		if random.IntN(8) == 0 {
			events = append(events, e) // the same event under another _id
		}
	}
	return events
}

const millis = "2006-01-02T15:04:05.000Z07:00"

// TestRandomTimelinesAgreeWithTheOracle compares what runs over random ranges
// write, with pages of a few pairs, with the oracle's answer.
func TestRandomTimelinesAgreeWithTheOracle(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test ./job -run %s -seed %d", t.Name(), *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	w := newWorld(t)
	w.create("events", nil)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	all := make([][]event, *soak*10/3)
	var documents []map[string]any
	for i := range all {
		all[i] = timeline(random, start, history)
		for n, e := range all[i] {
			e.document["_id"], e.document["timeline"] = fmt.Sprintf("%d-%d", i, n), fmt.Sprint(i)
			documents = append(documents, cloneOf(e.document))
		}
	}
	w.index(documents...)
	for i, events := range all {
		last := slices.MaxFunc(events, func(a, b event) int { return a.at.Compare(b.at) }).at
		from := start.Add(-history + time.Duration(random.Int64N(int64(3*history))))
		to := from.Add(time.Millisecond + time.Duration(random.Int64N(int64(last.Sub(start)+history))))
		window := job.Window{From: from.Truncate(time.Millisecond), To: to.Truncate(time.Millisecond)}
		var want []string
		for pair, times := range oracle(events, history) {
			for _, at := range times {
				if !at.Before(window.From) && at.Before(window.To) {
					want = append(want, fmt.Sprintf("%s %s %s", pair[0], pair[1], at.Format(millis)))
				}
			}
		}
		got := w.timelineAlerts(i, window, 1+random.IntN(4))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("timeline %d, %s:\n got %s\nwant %s", i, window, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

// cloneOf is a copy, so that an event that comes twice can have two ids.
func cloneOf(document map[string]any) map[string]any {
	clone := map[string]any{}
	maps.Copy(clone, document)
	return clone
}

// timelineAlerts runs a job over one timeline and returns what it wrote.
func (w *world) timelineAlerts(i int, window job.Window, pageSize int) []string {
	w.t.Helper()
	r := timelineRule(w, i)
	r.Search.PageSize = pageSize
	var alerts []map[string]any
	if _, err := w.job(r, &alerts).Run(w.t.Context(), uuid.NewString(), window); err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, a := range alerts {
		terms := a["kibana.alert.new_terms"].([]any)
		lines = append(lines, fmt.Sprintf("%s %s %s", terms[0], terms[1], a["newterms.first_seen"]))
	}
	return lines
}

func timelineRule(w *world, i int) rule.Rule {
	parsed, err := kql.Parse(fmt.Sprintf("timeline:%d and match:true", i))
	if err != nil {
		w.t.Fatal(err)
	}
	return rule.Rule{
		ID: fmt.Sprint("timeline-", i), Name: fmt.Sprint("timeline ", i), History: history,
		Search: query.Search{
			Indices: []string{w.prefix + "events"}, Query: parsed, Fields: []string{"okta.actor.id", "cloud.account.id"},
			Timestamp: "event.ingested", Fallback: "@timestamp",
		},
		Parameters: map[string]any{
			"rule_id": fmt.Sprint("timeline-", i), "risk_score": json.Number("1"),
			"new_terms_fields": []string{"okta.actor.id", "cloud.account.id"},
		},
	}
}
