package alerts_test

import (
	"reflect"
	"testing"
	"time"

	"newterms/alerts"
)

// TestRunsOfSlicesAddUp to one that tells where the first began, what each counted,
// and how the last ended.
func TestRunsOfSlicesAddUp(t *testing.T) {
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	of := func(n int64, excluded ...alerts.Excluded) alerts.Run {
		from := at.Add(time.Duration(n) * time.Hour)
		return alerts.Run{
			State: alerts.RunSucceeded, RuleID: "r", From: from, To: from.Add(time.Hour), StartedAt: from.Add(24 * time.Hour),
			Counts:   alerts.Counts{Candidates: 5 * n, New: 4 * n, Written: 3 * n, AlreadyAlerted: 2 * n, LackingTerms: n},
			Excluded: excluded, Requests: 7 * int(n), Took: time.Duration(n) * time.Second, Duration: time.Duration(n) * time.Minute,
		}
	}
	first, second, last := of(1, alerts.Excluded{Name: "a", Events: 1}, alerts.Excluded{Name: "b", Events: 2}), of(2, alerts.Excluded{Name: "b", Events: 4}), of(4)
	first.GapFrom, first.GapTo, first.Rerun = at.Add(-time.Hour), at, "newterms run"
	last.State, last.Error = alerts.RunFailed, "no answer"

	sum := alerts.Run{}.Plus(first).Plus(second).Plus(last)
	want := of(7, alerts.Excluded{Name: "b", Events: 6}, alerts.Excluded{Name: "a", Events: 1})
	want.From, want.StartedAt, want.To = first.From, first.StartedAt, last.To
	want.GapFrom, want.GapTo, want.Rerun = first.GapFrom, first.GapTo, first.Rerun
	want.State, want.Error = last.State, last.Error
	if !reflect.DeepEqual(sum, want) {
		t.Errorf("got  %+v\nwant %+v", sum, want)
	}
	if second.Excluded[0].Events != 4 {
		t.Errorf("the run of a slice was changed: %+v", second.Excluded)
	}
}
