package kibana_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const oktaRule, hostRule = "Rule=First Occurrence of Okta User Session Started via Proxy, ", "Rule=New process on a host, "

// TestPanelValues compares what panels show with what happened in the world.
func TestPanelValues(t *testing.T) {
	a := newAsker(t, newChecklist(t))
	a.check(objects(t))
	for name, want := range map[string][]string{
		"runs/states": {"Status=failure, Runs=1", "Status=success, Runs=6"},
		"runs/rules": {
			oktaRule + "Runs=4, Failed runs=1, Running or interrupted=0", hostRule + "Runs=1, Failed runs=0, Running or interrupted=0",
			"Rule=Without an overlap, Runs=2, Failed runs=0, Running or interrupted=1",
		},
		"runs/failures": {"Failed runs=1"},
		"runs/gaps":     {"Runs that left a gap=1"},

		"alerts/rules":           {oktaRule + "Severity=medium, Risk=47, Alerts=7, Open=2", hostRule + "Severity=low, Risk=21, Alerts=3, Open=2"},
		"alerts/rules-over-time": {oktaRule + "Alerts=4", hostRule + "Alerts=3", "Period before=3"},
		"alerts/rules-before":    {oktaRule + "Alerts=4", hostRule + "Alerts=3", oktaRule + "Period before=3"},
		"alerts/tactics":         {"Tactic=Initial Access, Users=7, Alerts=7", "Tactic=__missing__, Users=1, Alerts=3"},
		"alerts/techniques": {
			"Technique=External Remote Services, Users=7, Alerts=7", "Technique=Valid Accounts, Users=7, Alerts=7", "Technique=__missing__, Users=1, Alerts=3",
		},
		"alerts/hosts":     {"Host=srv-01, Users=1, Alerts=2", "Host=srv-02, Users=1, Alerts=1"},
		"alerts/processes": {"Process=certutil.exe, Hosts=2, Alerts=2", "Process=rundll32.exe, Hosts=1, Alerts=1"},
		"alerts/open":      {"Open alerts of 90 days=4"},

		"triage/oldest":      {"Oldest open alert=some"},
		"triage/unassigned":  {"Open and not assigned, of 90 days=3"},
		"triage/closed":      {"Closed=4"},
		"triage/precision":   {"Precision=0.75"},
		"triage/acknowledge": {"Median time to acknowledge=some"},
		"triage/close":       {"Median time to close=some"},
		"triage/work": {
			"Assigned to=__missing__, " + oktaRule + "Open or acknowledged=2, Acknowledged=0, Oldest=some",
			"Assigned to=__missing__, " + hostRule + "Open or acknowledged=1, Acknowledged=0, Oldest=some",
			"Assigned to=ada, " + oktaRule + "Open or acknowledged=2, Acknowledged=2, Oldest=some",
			"Assigned to=basil, " + hostRule + "Open or acknowledged=1, Acknowledged=0, Oldest=some",
		},
		"triage/reasons": {"Reason=false_positive, Closed=1", "Reason=true_positive, Closed=3"},
		"triage/precisions": {
			oktaRule + "Closed=3, True positives=3, False positives=0, Precision=1, Median time to acknowledge=some, Median time to close=some",
			hostRule + "Closed=1, True positives=0, False positives=1, Precision=0, Median time to acknowledge=<nil>, Median time to close=some",
		},
	} {
		dashboard, id, _ := strings.Cut(name, "/")
		panels := panelsOf(t, a.objects["dashboard/newterms-"+dashboard+"-dashboard"])
		i := slices.IndexFunc(panels, func(p panel) bool { return p.PanelIndex == id })
		if i < 0 {
			t.Errorf("there is no %s", name)
			continue
		}
		var shown []string
		for _, l := range a.lensShows(panels[i]) {
			shown = append(shown, l.withoutTime()...)
		}
		slices.Sort(shown)
		if !slices.Equal(shown, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s shows\n%s\nwant\n%s", name, strings.Join(shown, "\n"), strings.Join(want, "\n"))
		}
	}
}

// withoutTime adds up the numbers of all times, and returns the rows in order. Of dates
// and of medians it says only whether there is some.
func (l shownLayer) withoutTime() (shown []string) {
	var order []string
	for _, id := range l.ColumnOrder {
		if col := l.Columns[id]; col.OperationType != "date_histogram" && col.OperationType != "last_value" {
			order = append(order, id)
		}
	}
	sums := map[string]row{}
	for _, r := range l.rows {
		var key string
		for _, id := range order {
			if l.Columns[id].IsBucketed {
				key += fmt.Sprint(r[id], "|")
			}
		}
		if sums[key] == nil {
			sums[key] = row{}
		}
		for _, id := range order {
			number, isNumber := r[id].(float64)
			switch col := l.Columns[id]; {
			case r[id] != nil && (col.OperationType == "min" || col.OperationType == "median"):
				sums[key][id] = "some"
			case isNumber && sums[key][id] != nil:
				sums[key][id] = sums[key][id].(float64) + number
			default:
				sums[key][id] = r[id]
			}
		}
	}
	l.ColumnOrder = order
	for values := range maps.Values(sums) {
		shown = append(shown, l.shown(values))
	}
	return shown
}

// TestOldestOpen compares the age of the oldest open alert with the list, which begins
// with it.
func TestOldestOpen(t *testing.T) {
	a := newAsker(t, newChecklist(t))
	a.check(objects(t))
	starts := a.sessionShows(a.objects["search/newterms-oldest-open"], "kibana.alert.start")
	if len(starts) != 4 || !slices.IsSorted(starts) {
		t.Fatalf("the open alerts started %v", starts)
	}
	for _, p := range panelsOf(t, a.objects["dashboard/newterms-triage-dashboard"]) {
		if p.PanelIndex != "oldest" {
			continue
		}
		if of := a.lensShows(p)[0].rows[0]["oldest"]; of != starts[0] {
			t.Errorf("the oldest is of %v, the list begins with %v", of, starts[0])
		}
	}
}

// TestClosedWhenClosed wants alerts where they were closed. All were first seen an hour ago
// or earlier.
func TestClosedWhenClosed(t *testing.T) {
	a := newAsker(t, newChecklist(t))
	a.check(objects(t))
	for _, p := range panelsOf(t, a.objects["dashboard/newterms-triage-dashboard"]) {
		if p.PanelIndex != "reasons" {
			continue
		}
		for _, r := range a.lensShows(p)[0].rows {
			if at, err := time.Parse(time.RFC3339, r["time"].(string)); err != nil || time.Since(at) > 45*time.Minute { // a bucket is of 30
				t.Errorf("an alert was closed at %v (%v)", r["time"], err)
			}
		}
	}
}
