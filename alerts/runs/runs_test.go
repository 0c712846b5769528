package runs_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"newterms/alerts/fields"
	"newterms/alerts/runs"
	"newterms/alerts/templates"
)

// TestRunsOfSlicesAddUp to one that began with the first, counts what each counted, and
// ended like the last.
func TestRunsOfSlicesAddUp(t *testing.T) {
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	of := func(n int64, excluded ...runs.Excluded) runs.Run {
		from := at.Add(time.Duration(n) * time.Hour)
		return runs.Run{
			State: runs.Succeeded, RuleID: "r", From: from, To: from.Add(time.Hour), StartedAt: from.Add(24 * time.Hour),
			Counts:   runs.Counts{Candidates: 5 * n, New: 4 * n, Written: 3 * n, AlreadyAlerted: 2 * n, LackingTerms: n},
			Excluded: excluded, Requests: 7 * int(n), Took: time.Duration(n) * time.Second, Duration: time.Duration(n) * time.Minute,
		}
	}
	first, second, last := of(1, runs.Excluded{Name: "a", Events: 1}, runs.Excluded{Name: "b", Events: 2}), of(2, runs.Excluded{Name: "b", Events: 4}), of(4)
	first.GapFrom, first.GapTo, first.Rerun = at.Add(-time.Hour), at, "newterms run"
	last.State, last.Error = runs.Failed, "no answer"

	sum := runs.Run{}.Plus(first).Plus(second).Plus(last)
	want := of(7, runs.Excluded{Name: "b", Events: 6}, runs.Excluded{Name: "a", Events: 1})
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

// TestTemplateMapsRuns keeps run documents and their template together: a dashboard can
// ask for every field, and each value fits.
func TestTemplateMapsRuns(t *testing.T) {
	run := runs.Run{State: runs.Failed, Error: "x", Rerun: "newterms run", Info: runs.Info{ID: "i", Search: "s"}}
	text, err := json.Marshal(run.Document(firstSeen))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	types := templates.RunTypes()
	for field, value := range document {
		if number, ok := value.(float64); ok {
			value = int64(number)
		}
		if types[field] == "" || !fields.Fits(types[field], value) {
			t.Errorf("%s of %v is written, and its type is %q", field, value, types[field])
		}
	}
}
