package esquery_test

import (
	"fmt"
	"testing"
	"time"

	"newterms/esquery"
)

// TestHistoryInStages asks for many candidates at once whose last time is on
// either side of each edge that the history has, that between its stages too.
func TestHistoryInStages(t *testing.T) {
	const hour = time.Hour
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	history := esquery.Range{From: to.Add(-7 * 24 * hour), To: to}
	times := [][]time.Duration{ // before the end, of a candidate's events
		{1 * time.Millisecond}, {6 * hour}, {6*hour + time.Millisecond}, {6*hour - time.Millisecond}, {6*hour + time.Millisecond, 6 * hour},
		{7 * 24 * hour}, {7*24*hour + time.Millisecond}, {0}, {5 * hour, 100 * hour}, {-hour, 30 * hour}, {-hour},
	}
	for _, recent := range []int{0, 40, 200} { // of the candidates; without any the first stage is given up
		var documents []string
		wanted := map[string]time.Time{}
		add := func(user string, before ...time.Duration) {
			for _, d := range append(before, -2*hour) {
				at := to.Add(-d)
				documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,"user":%q}`, at.Format("2006-01-02T15:04:05.000Z"), user))
				if !at.Before(history.From) && at.Before(to) && at.After(wanted[user]) {
					wanted[user] = at
				}
			}
		}
		for i := range 60 {
			for n, before := range times {
				if recent > 0 || n > 5 {
					add(fmt.Sprintf("user-%d-%d", n, i), before...)
				}
			}
		}
		for i := range recent {
			add(fmt.Sprintf("recent-%d", i), time.Duration(i+1)*time.Minute)
		}
		index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"}}}`, documents...)
		source := open(t, nil, esquery.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp", PageSize: 250})
		window := esquery.Range{From: to, To: to.Add(24 * hour)}
		for page, err := range source.Candidates(t.Context(), window) {
			if err != nil {
				t.Fatal(err)
			}
			seen, err := source.LastSeen(t.Context(), history, page.Candidates)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range page.Candidates {
				user := fmt.Sprint(c.Terms[0])
				if !seen[i].Equal(wanted[user]) {
					t.Errorf("%s of %d recent: last seen %s, want %s", user, recent, seen[i], wanted[user])
				}
			}
		}
	}
}
