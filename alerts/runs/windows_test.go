package runs_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"newterms/alerts/alertstest"
)

// TestWindows lists each run whose window or gap has a time of the range, once: as it
// ended, or else as it began.
func TestWindows(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	began := func(hours int) time.Time { return firstSeen.Add(time.Duration(hours) * time.Hour) }
	document := func(hours int, state string, more map[string]any) map[string]any {
		d := runDocument(began(hours), map[string]any{"newterms.run.state": state, "newterms.run.id": fmt.Sprint("run", hours), "newterms.scope": "s"})
		for name, value := range more {
			d[name] = value
		}
		return d
	}
	gap := map[string]any{"newterms.gap.from": began(-40).Format(time.RFC3339), "newterms.gap.to": began(0).Format(time.RFC3339), "newterms.gap.rerun": "newterms run"}
	load(t, node, target+"-runs", func(yield func(map[string]any) bool) {
		for _, d := range []map[string]any{
			document(1, "started", nil), document(1, "success", nil), document(2, "started", nil), document(3, "failure", map[string]any{"error.message": "too slow"}),
			document(0, "success", nil), document(5, "success", nil), document(9, "success", gap), document(8, "success", map[string]any{"kibana.alert.rule.rule_id": "r2"}),
		} {
			if !yield(d) {
				return
			}
		}
		for n := range 1_100 { // more than a page
			at := began(1000).Add(time.Duration(n) * time.Second)
			if !yield(runDocument(at, map[string]any{"newterms.run.id": fmt.Sprint("many", n)})) {
				return
			}
		}
	})
	list := func(from, to time.Time) []string {
		runs, err := s.Windows(t.Context(), "r1", from, to)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, run := range runs {
			all = append(all, fmt.Sprint(run.ID, " ", run.State, " ", run.Scope, " ", run.Error, " ", !run.GapFrom.IsZero()))
		}
		return all
	}
	want := []string{"run1 success s  false", "run2 started s  false", "run3 failure s too slow false"}
	if got := list(began(0), began(3)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := list(began(-9), began(-8)), []string{"run9 success s  true"}; !slices.Equal(got, want) {
		t.Errorf("in a gap: got %q, want %q", got, want)
	}
	if got := list(began(1000), began(1100)); len(got) != 1_099 { // the window of the first one ends where the range begins
		t.Errorf("got %d of many", len(got))
	}
}
