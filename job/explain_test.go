package job_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/explain"
	"newterms/job/rule"
)

// TestRandomExplanationsAgreeWithTheOracle explains every pair of random
// timelines over random windows, before and after a run over them: the verdicts
// must be the oracle's, and the alerts those that the run wrote.
func TestRandomExplanationsAgreeWithTheOracle(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test ./job -run %s -seed %d", t.Name(), *seed)
	random := rand.New(rand.NewPCG(*seed, 1))
	w := newWorld(t)
	w.create("events", nil)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	all := make([][]event, max(32, shorter(*soak*4/3)))
	var documents []map[string]any
	for i := range all {
		all[i] = timeline(random, start, history)
		for n, e := range all[i] {
			e.document["_id"], e.document["timeline"] = fmt.Sprintf("%d-%d", i, n), fmt.Sprint(i)
			documents = append(documents, cloneOf(e.document))
		}
	}
	w.index(documents...)
	var told tally
	for i, events := range all {
		last := slices.MaxFunc(events, func(a, b event) int { return a.at.Compare(b.at) }).at
		from := start.Add(time.Duration(random.Int64N(int64(3 * history)))).Truncate(time.Millisecond)
		window := job.Window{From: from, To: from.Add(time.Millisecond + time.Duration(random.Int64N(int64(last.Sub(start)+history)))).Truncate(time.Millisecond)}
		r := timelineRule(w, i)
		r.Search.PageSize = 5 + random.IntN(20)
		q := questions{w, t, r, events, window, map[string]string{}, &told}
		if i%4 == 0 {
			q.ask()
		}
		var found []map[string]any
		if _, err := w.job(r, &found).Run(t.Context(), uuid.NewString(), window); err != nil {
			t.Fatal(err)
		}
		for _, a := range found {
			terms := a["kibana.alert.new_terms"].([]any)
			q.written[fmt.Sprintf("%s %s %s", terms[0], terms[1], a["newterms.first_seen"])] = a["_id"].(string)
		}
		q.ask()
	}
	t.Logf("%+v", told)
	if told.pairs == 0 || told.returns == 0 || told.nothing == 0 || told.alerts == 0 {
		t.Error("these timelines show too little")
	}
}

// tally counts what was asked, so that the test cannot pass without it.
type tally struct{ pairs, returns, nothing, alerts int }

// questions are those about one timeline.
type questions struct {
	*world
	t       *testing.T
	rule    rule.Rule
	events  []event
	window  job.Window
	written map[string]string // the ids of the alerts, by pair and time
	told    *tally
}

func (q questions) ask() {
	q.t.Helper()
	x := q.explainer(q.rule)
	want, got := map[string]bool{}, map[string]bool{}
	for pair, times := range oracle(q.events, history) {
		for _, at := range times {
			if !at.Before(q.window.From) && at.Before(q.window.To) {
				want[fmt.Sprintf("%s %s %s", pair[0], pair[1], at.Format(millis))] = true
			}
		}
	}
	for _, values := range []query.Values{ // all pairs, some of them once more
		{"cloud.account.id": {"acc-1"}}, {"cloud.account.id": {"acc-2"}}, {"okta.actor.id": {"ada"}, "cloud.account.id": {"acc-1"}},
	} {
		to := answers{pair: func(e explain.Pair) error {
			q.told.pairs++
			q.told.returns += checkExplanation(q.t, q.events, e)
			q.checkAlerts(e, got)
			return nil
		}}
		if _, err := x.Explain(q.t.Context(), values, q.window, &to); err != nil {
			q.t.Fatal(err)
		}
		q.checkMismatches(values, to.nothing)
	}
	if a, b := lines(got), lines(want); a != b {
		q.t.Errorf("%s, %s:\n got %s\nwant %s", q.rule.Name, q.window, a, b)
	}
}

// checkAlerts adds the first occurrences to got, and compares their alerts with
// those that were written.
func (q questions) checkAlerts(e explain.Pair, got map[string]bool) {
	q.t.Helper()
	for _, o := range e.Occurrences {
		line, id := fmt.Sprintf("%s %s %s", e.Terms[0], e.Terms[1], o.At.Format(millis)), ""
		if o.FirstOccurrence {
			got[line] = true
		}
		if o.Alert != nil {
			id = o.Alert.ID
			q.told.alerts++
		}
		if id != q.written[line] {
			q.t.Errorf("%s: %s has the alert %q and a run wrote %q", q.rule.Name, line, id, q.written[line])
		}
		if seen := slices.IndexFunc(o.NoAlert, func(why string) bool { return strings.HasPrefix(why, "run ") }); seen >= 0 {
			q.t.Errorf("%s: %s was seen by the runs %v", q.rule.Name, line, o.NoAlert)
		}
	}
	if len(e.Others) > 0 {
		q.t.Errorf("%s: there are other alerts %v", q.rule.Name, e.Others)
	}
}

func lines(set map[string]bool) string {
	var all []string
	for line := range set {
		all = append(all, line)
	}
	slices.Sort(all)
	return strings.Join(all, "\n     ")
}

// checkExplanation compares what is told of a pair's events with the events, and
// counts its returns.
func checkExplanation(t *testing.T, events []event, e explain.Pair) (returns int) {
	t.Helper()
	var times []time.Time
	days := map[time.Time]int64{}
	for _, one := range events {
		if one.matches && has(one, e.Terms) && !one.at.Before(e.Since) && one.at.Before(e.To) {
			times = append(times, one.at)
			days[one.at.Truncate(24*time.Hour)]++
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	if e.Events != int64(len(times)) || !e.First.Equal(times[0]) || !e.Last.Equal(times[len(times)-1]) {
		t.Errorf("%v: %d events from %s to %s, want %v", e.Terms, e.Events, e.First, e.Last, times)
	}
	for _, d := range e.Days {
		if days[d.Day] != d.Events {
			t.Errorf("%v: %d events on %s, want %d", e.Terms, d.Events, d.Day, days[d.Day])
		}
		delete(days, d.Day)
	}
	if len(days) > 0 {
		t.Errorf("%v: no events on %v", e.Terms, days)
	}
	told := map[time.Time]time.Time{}
	for _, o := range e.Occurrences {
		told[o.At] = o.LastSeen
		if !strings.Contains(o.Event, "/") || (o.Before != "") == o.LastSeen.IsZero() {
			t.Errorf("%v at %s: the event %v, before it %v at %s", e.Terms, o.At, o.Event, o.Before, o.LastSeen)
		}
	}
	for i, at := range times {
		if i == 0 || at.Before(e.From) || at.Sub(times[i-1]) < 24*time.Hour || at.Sub(times[i-1]) > history {
			continue
		}
		returns++
		if before, ok := told[at]; !ok || !before.Equal(times[i-1]) {
			t.Errorf("%v: the return at %s is told to be seen before at %s, want %s", e.Terms, at, before, times[i-1])
		}
	}
	return returns
}

func has(e event, terms []any) bool {
	return slices.Contains(e.actors, terms[0].(string)) && slices.Contains(e.accounts, terms[1].(string))
}

// checkMismatches compares the mismatches with the events. Those
// of other timelines have the same values, and fail the query by that.
func (q questions) checkMismatches(values query.Values, o *explain.Nothing) {
	q.t.Helper()
	var matching, mismatch, lacking int64
	for _, e := range q.events {
		whole := len(e.actors) > 0 && len(e.accounts) > 0
		switch {
		case !hasValues(e, values) || e.at.Before(q.window.From) || !e.at.Before(q.window.To):
		case e.matches && whole:
			matching++
		case e.matches:
			lacking++
		case whole:
			mismatch++
		}
	}
	if (o == nil) != (matching > 0) {
		q.t.Errorf("%s, %v: %d events match, and the mismatches are %v", q.rule.Name, values, matching, o)
	}
	if o == nil {
		return
	}
	q.told.nothing++
	only := map[string]int64{}
	for _, c := range o.Conditions {
		only[c.Text] = c.Only
	}
	if o.Matching != 0 || only["match:true"] != mismatch || only["okta.actor.id"] != lacking {
		q.t.Errorf("%s, %v: %+v, want %d mismatches and %d without an actor", q.rule.Name, values, o.Mismatches, mismatch, lacking)
	}
}

func hasValues(e event, values query.Values) bool {
	actor, account := values["okta.actor.id"], values["cloud.account.id"]
	return (actor == nil || slices.Contains(e.actors, actor[0].(string))) && (account == nil || slices.Contains(e.accounts, account[0].(string)))
}
