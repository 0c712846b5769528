package job_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/rule"
)

// contextFields are what attributes come from, in the order of contexts.
var contextFields = []string{"okta.client.ip", "client.as.organization.name", "user_agent.name"}

// withAttributes gives events values that depend on their time alone, because an alert
// has any one of several events of its time. Some events are excluded.
func withAttributes(events []event) {
	for i := range events {
		e := &events[i]
		hash := fnv.New64a()
		fmt.Fprint(hash, e.at.UnixMilli())
		random := rand.New(rand.NewPCG(hash.Sum64(), 0))
		for _, field := range contextFields {
			var values []string
			for range random.IntN(3) {
				value := fmt.Sprintf("%s-%d", field, random.IntN(4))
				if field == "okta.client.ip" {
					value = fmt.Sprintf("192.0.2.%d", random.IntN(4))
				}
				if !slices.Contains(values, value) {
					values = append(values, value)
				}
			}
			if len(values) > 0 {
				e.document[field] = values
			}
		}
		if random.IntN(10) == 0 {
			e.document["excluded"], e.matches = true, false
		}
	}
}

// seenIn counts events of a range before t, and finds the first and the last one. A text
// is "" for none.
func seenIn(events []event, t time.Time, length time.Duration, is func(event) bool) (n int, first, last string) {
	var times []time.Time
	for _, e := range events {
		if !e.at.Before(t.Add(-length)) && e.at.Before(t) && is(e) {
			times = append(times, e.at)
		}
	}
	if len(times) == 0 {
		return 0, "", ""
	}
	return len(times), slices.MinFunc(times, time.Time.Compare).Format(millis), slices.MaxFunc(times, time.Time.Compare).Format(millis)
}

func hasValue(e event, field, value string) bool {
	values, _ := e.document[field].([]string)
	return slices.Contains(values, value)
}

// distinctIn counts the values that a field has in events of H before t, except one.
func distinctIn(events []event, t time.Time, field, except string, is func(event) bool) int {
	found := map[string]bool{}
	for _, e := range events {
		if values, _ := e.document[field].([]string); !e.at.Before(t.Add(-history)) && e.at.Before(t) && is(e) {
			for _, value := range values {
				found[value] = true
			}
		}
	}
	delete(found, except)
	return len(found)
}

// contextOf is what an alert of a pair must say, by brute force, in one text. Only events
// of its timeline match.
func contextOf(events []event, timeline string, pair [2]string, t, oldest time.Time) string {
	var b strings.Builder
	fields := []string{"okta.actor.id", "cloud.account.id"}
	matches := func(e event) bool { return e.matches && e.document["timeline"] == timeline }
	novelty, newFields := 0, []string{}
	_, _, pairLast := seenIn(events, t, 2*history, func(e event) bool {
		return matches(e) && hasValue(e, fields[0], pair[0]) && hasValue(e, fields[1], pair[1])
	})
	fmt.Fprintf(&b, "pair %s\n", pairLast)
	for i, field := range fields {
		is := func(e event) bool { return matches(e) && hasValue(e, field, pair[i]) }
		n, _, last := seenIn(events, t, history, is)
		if n == 0 {
			novelty++
			newFields = append(newFields, field)
		}
		fmt.Fprintf(&b, "%s %d %s %d\n", field, n, last, distinctIn(events, t, fields[1-i], "", is))
	}
	isUser := func(e event) bool { return hasValue(e, fields[0], pair[0]) }
	n, first, last := seenIn(events, t, 2*history, isUser)
	if n == 0 {
		novelty++
	}
	fmt.Fprintf(&b, "user %d %s %s\n", n, first, last)
	at := slices.IndexFunc(events, func(e event) bool { return e.at.Equal(t) })
	for _, field := range contextFields {
		values, _ := events[at].document[field].([]string)
		for _, value := range values {
			is := func(e event) bool { return hasValue(e, field, value) }
			n, _, last := seenIn(events, t, history, is)
			own, _, ownLast := seenIn(events, t, history, func(e event) bool { return is(e) && isUser(e) })
			if n == 0 {
				novelty++
			}
			fmt.Fprintf(&b, "%s=%s %d %s %d, user %d %s\n", field, value, n, last, distinctIn(events, t, fields[0], pair[0], is), own, ownLast)
		}
	}
	fmt.Fprintf(&b, "new %v, novelty %d, %v", newFields, novelty, oldest.After(t.Add(-history)))
	return b.String()
}

// contextIn is the same of an alert.
func contextIn(t *testing.T, alert map[string]any) string {
	t.Helper()
	text := func(object map[string]any, name string) string {
		if object[name] == nil {
			return ""
		}
		return fmt.Sprint(object[name])
	}
	objects := func(name string) []map[string]any {
		var all []map[string]any
		list, ok := alert[name].([]any)
		if !ok {
			t.Fatalf("%s is %v in %v", name, alert[name], alert["newterms.context.missing"])
		}
		for _, one := range list {
			all = append(all, one.(map[string]any))
		}
		return all
	}
	var b strings.Builder
	fmt.Fprintf(&b, "pair %s\n", text(alert, "newterms.context.pair_last_seen"))
	for _, term := range objects("newterms.context.terms") {
		fmt.Fprintf(&b, "%s %v %s %v\n", term["field"], term["events"], text(term, "last_seen"), term["others"])
	}
	user := alert["newterms.context.user"].(map[string]any)
	fmt.Fprintf(&b, "user %v %s %s\n", user["events"], text(user, "first_seen"), text(user, "last_seen"))
	for _, a := range objects("newterms.context.attributes") {
		fmt.Fprintf(&b, "%s=%s %v %s %v, user %v %s\n", a["field"], a["value"], a["events"], text(a, "last_seen"), a["other_users"], a["user_events"], text(a, "user_last_seen"))
	}
	fmt.Fprintf(&b, "new %v, novelty %v, %v", alert["newterms.new_fields"], alert["newterms.novelty"], alert["newterms.context.young"])
	return b.String()
}

// TestRandomContextsAgreeWithTheOracle runs over random timelines in three ways: window
// by window as on a schedule, over one window, and over 30 days and more. The contexts are
// those of brute force each time.
func TestRandomContextsAgreeWithTheOracle(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	count := *soak
	t.Logf("go test ./job -run %s -seed %d -timelines %d", t.Name(), *seed, count)
	random := rand.New(rand.NewPCG(*seed, 1))
	w := newWorld(t)
	w.create("events", nil)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	all := make([][]event, count)
	var documents []map[string]any
	oldest := start.AddDate(1, 0, 0)
	for i := range all {
		all[i] = timeline(random, start, history)
		withAttributes(all[i])
		for n, e := range all[i] {
			if e.at.Before(oldest) {
				oldest = e.at
			}
			e.document["_id"], e.document["timeline"] = fmt.Sprintf("%d-%d", i, n), fmt.Sprint(i)
			documents = append(documents, cloneOf(e.document))
		}
	}
	w.index(documents...)
	everything := slices.Concat(all...)
	alerts, young := 0, 0
	for i, events := range all {
		// The other timelines' events are events of the indices too.
		r := contextRule(w, i)
		byTime := func(a, b event) int { return a.at.Compare(b.at) }
		first, last := slices.MinFunc(events, byTime).at, slices.MaxFunc(events, byTime).at
		whole := job.Window{From: first.Add(-history), To: last.Add(history)}
		inOne := w.contextsOf(r, whole)
		again := w.contextsOf(r, job.Window{From: start.Add(-30 * 24 * time.Hour), To: whole.To})
		scheduled := map[string]string{}
		for rest := whole; rest.From.Before(rest.To); {
			to := rest.From.Add(history/7 + time.Duration(random.Int64N(int64(2*history)))).Truncate(time.Millisecond)
			maps.Copy(scheduled, w.contextsOf(r, job.Window{From: rest.From, To: to}))
			rest.From = to
		}
		want := map[string]string{}
		for pair, times := range oracle(events, history) {
			for _, at := range times {
				want[fmt.Sprintf("%s %s %s", pair[0], pair[1], at.Format(millis))] = contextOf(everything, fmt.Sprint(i), pair, at, oldest)
			}
		}
		alerts += len(want)
		for name, got := range map[string]map[string]string{"one run": inOne, "30 days": again, "scheduled": scheduled} {
			if !reflect.DeepEqual(got, want) {
				t.Errorf("timeline %d, %s: %s", i, name, differences(got, want))
			}
			for _, context := range got {
				if strings.HasSuffix(context, ", true") {
					young++
				}
			}
		}
	}
	if alerts < 5*count || young == 0 {
		t.Errorf("%d alerts, %d young ones: the timelines show too little", alerts, young)
	}
}

func differences(got, want map[string]string) string {
	var b strings.Builder
	for key, text := range want {
		if got[key] != text {
			fmt.Fprintf(&b, "%s\n got %s\nwant %s\n", key, got[key], text)
		}
	}
	for key := range got {
		if want[key] == "" {
			b.WriteString("unexpected " + key + "\n")
		}
	}
	return b.String()
}

// contextsOf returns the contexts of the alerts that a dry run makes, by pair and time.
func (w *world) contextsOf(r rule.Rule, window job.Window) map[string]string {
	w.t.Helper()
	var alerts []map[string]any
	j := w.job(r, &alerts)
	j.DryRun, j.MaxContexts = true, 1000
	if _, err := j.Run(w.t.Context(), uuid.NewString(), window); err != nil {
		w.t.Fatal(err)
	}
	contexts := map[string]string{}
	for _, a := range alerts {
		terms := a["kibana.alert.new_terms"].([]any)
		contexts[fmt.Sprintf("%s %s %s", terms[0], terms[1], a["newterms.first_seen"])] = contextIn(w.t, a)
	}
	return contexts
}

// contextRule is a rule about one timeline. The events of others do not match it.
func contextRule(w *world, i int) rule.Rule {
	r := timelineRule(w, i)
	excluded, err := kql.Parse("excluded: true")
	if err != nil {
		w.t.Fatal(err)
	}
	r.Search.Exclude = []kql.Query{excluded}
	for _, p := range r.Parameters.Properties() {
		r.Search.Wanted = append(r.Search.Wanted, p.Fields...)
	}
	return r
}
