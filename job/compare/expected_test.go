package compare_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"newterms/esquery/elastic"
	"newterms/job/compare"
)

// A key names a difference: the time is that of our alert, or of Kibana's if only
// that has one.
type key struct {
	side compare.Side
	pair pair
	at   int64
}

func (k key) String() string {
	return fmt.Sprintf("%s %q %s", k.side, k.pair, stamp(time.UnixMilli(k.at)))
}

// ourAlerts are those of one case.
type ourAlerts map[pair][]ourAlert

type ourAlert struct{ at, written time.Time }

// ourAlerts reads the alerts of all cases, and takes those that are to be lost away.
func (b *batch) ourAlerts() map[*fortnightCase]ourAlerts {
	b.t.Helper()
	ours := map[*fortnightCase]ourAlerts{}
	for _, f := range b.cases {
		ours[f] = ourAlerts{}
		found := b.Documents(b.t, b.targets+"alerts", object{
			"query": object{"term": object{"kibana.alert.rule.rule_id": f.ruleID()}}, "_source": []string{"kibana.alert.new_terms", "newterms.first_seen", "@timestamp"},
		})
		for _, d := range found {
			terms, _ := elastic.Lookup(d, "kibana.alert.new_terms")
			first, _ := elastic.Lookup(d, "newterms.first_seen")
			at, err := time.Parse(time.RFC3339, fmt.Sprint(first))
			written, writtenErr := time.Parse(time.RFC3339, fmt.Sprint(d["@timestamp"]))
			if err := errors.Join(err, writtenErr); err != nil {
				b.t.Fatal(err)
			}
			p := pairOf(terms.([]any))
			if slices.ContainsFunc(f.lostOurs, func(l truth) bool { return l.pair == p && l.at.Equal(at) }) {
				b.Must(b.t, "DELETE", fmt.Sprintf("/%s/_doc/%s?refresh=true", d["_index"], d["_id"]), nil)
				continue
			}
			ours[f][p] = append(ours[f][p], ourAlert{at, written})
		}
		for _, s := range f.lostEvents {
			b.Must(b.t, "DELETE", fmt.Sprintf("/%s/_doc/%s?refresh=true", b.events(), s.id), nil)
		}
	}
	return ours
}

// pairOf is the pair of an alert's terms.
func pairOf(terms []any) pair {
	var p pair
	for i, term := range terms {
		p[i] = fmt.Sprint(term)
		if term == nil {
			p[i] = "\x00"
		}
	}
	return p
}

// check wants the alerts of both sides to differ in what the case expects, and in
// nothing else: it tests the generator, not compare.
func (f *fortnightCase) check(t *testing.T, ours ourAlerts) {
	t.Helper()
	f.expectLags(ours)
	want := map[key]bool{}
	for _, e := range f.truths {
		if !slices.Contains([]compare.Class{compare.Lag, compare.Severity, none}, e.classes[0]) {
			want[key{e.side, e.pair, e.at.UnixMilli()}] = true
		}
	}
	for _, k := range f.differences(ours) {
		if !want[k] {
			t.Errorf("generator, fortnight %d: %s (%s) is not expected", f.seed, k, f.pairs[k.pair])
		}
		delete(want, k)
	}
	for k := range want {
		t.Errorf("generator, fortnight %d: %s (%s) is missing", f.seed, k, f.pairs[k.pair])
	}
	for _, e := range f.runs {
		if s, _ := f.spanOf(e.slot); e.truncated && s.kind != "capped" {
			t.Errorf("generator, fortnight %d: the run at %s reached max_signals", f.seed, stamp(e.at))
		}
	}
}

// expectLags adds the alerts that one side wrote later than the other by more than it
// takes from one of its runs to the next, Kibana's rule with its catch-up.
func (f *fortnightCase) expectLags(ours ourAlerts) {
	for _, a := range f.alerts {
		i := slices.IndexFunc(ours[a.pair], func(n ourAlert) bool { return n.at.Equal(a.event.at) })
		another := slices.ContainsFunc(f.truths, func(t truth) bool { return t.side == compare.Both && t.pair == a.pair })
		if i < 0 || another || f.lostAlerts[a] || !f.inRange(a.event.at) || f.pairs[a.pair] == "duplicate by a tie" {
			continue
		}
		written, before := ours[a.pair][i].written, f.start.Add(-f.overlap)
		for _, r := range f.ours {
			if f.until(r).Add(time.Second).Before(written) && (r.state == "" || r.state == "edited") {
				before = f.until(r).Add(time.Second)
			}
		}
		switch delay := a.at.Sub(written); {
		case delay > 5*f.interval || -delay > written.Sub(before):
			f.expect(compare.Both, a.pair, a.event.at, compare.Lag)
		case delay > f.interval: // which a rule that is late makes up for by itself
			f.expect(compare.Both, a.pair, a.event.at, none, compare.Lag)
		}
	}
}

// differences joins the alerts of both sides: of one time, then the nearest less than
// the history apart.
func (f *fortnightCase) differences(ours ourAlerts) []key {
	kibana := map[pair][]time.Time{}
	for _, a := range f.alerts {
		if !f.lostAlerts[a] {
			kibana[a.pair] = append(kibana[a.pair], a.event.at)
		}
	}
	var found []key
	all := map[pair]bool{}
	for p := range kibana {
		all[p] = true
	}
	for p := range ours {
		all[p] = true
	}
	for _, p := range sortedPairs(all) {
		k, n := kibana[p], []time.Time{}
		for _, a := range ours[p] {
			n = append(n, a.at)
		}
		for _, at := range slices.Clone(n) {
			if i := slices.IndexFunc(k, at.Equal); i >= 0 {
				k, n = slices.Delete(k, i, i+1), slices.DeleteFunc(n, at.Equal)
			}
		}
		for len(k) > 0 && len(n) > 0 {
			slices.SortFunc(k, func(a, b time.Time) int { return cmp.Compare(a.Sub(n[0]).Abs(), b.Sub(n[0]).Abs()) })
			if k[0].Sub(n[0]).Abs() >= f.history {
				break
			}
			found = append(found, key{compare.Both, p, n[0].UnixMilli()})
			k, n = k[1:], n[1:]
		}
		for _, at := range k {
			if f.inRange(at) {
				found = append(found, key{compare.OnlyKibana, p, at.UnixMilli()})
			}
		}
		for _, at := range n {
			if f.inRange(at) {
				found = append(found, key{compare.OnlyNewterms, p, at.UnixMilli()})
			}
		}
	}
	return found
}
