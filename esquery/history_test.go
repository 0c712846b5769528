package esquery_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// TestHistoryInStages asks for many candidates at once whose last time is on
// either side of each edge that the history has, that between its stages too.
func TestHistoryInStages(t *testing.T) {
	const hour = time.Hour
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	history := query.Range{From: to.Add(-7 * 24 * hour), To: to}
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
		source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp", PageSize: 250})
		window := query.Range{From: to, To: to.Add(24 * hour)}
		for page, err := range source.Candidates(t.Context(), window) {
			if err != nil {
				t.Fatal(err)
			}
			seen, err := source.LastSeen(t.Context(), history, 24*hour, page.Candidates)
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

// TestLastTimeAtTheEnd has an event with several times, of which the last one is
// exactly the end of the history, where the window begins.
func TestLastTimeAtTheEnd(t *testing.T) {
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"}}}`,
		`{"@timestamp":["2026-03-09T06:00:00.000Z","2026-03-10T12:00:00.000Z"],"user":"ada"}`,
		`{"@timestamp":["2026-03-10T12:00:00.000Z","2026-03-10T11:59:59.999Z"],"user":"basil"}`,
		`{"@timestamp":"2026-03-10T12:00:00.000Z","user":"camille"}`,
	)
	source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp"})
	candidates := []esquery.Candidate{{Terms: []any{"ada"}}, {Terms: []any{"basil"}}, {Terms: []any{"camille"}}}
	seen, err := source.LastSeen(t.Context(), query.Range{From: to.Add(-7 * 24 * time.Hour), To: to}, time.Hour, candidates)
	want := []time.Time{to.Add(-30 * time.Hour), to.Add(-time.Millisecond), {}}
	if err != nil || !slices.EqualFunc(seen, want, time.Time.Equal) {
		t.Errorf("got %v, %v, want %v", seen, err, want)
	}
}

// counting counts the requests that pass.
type counting struct {
	*estest.Node
	n int
}

func (c *counting) Perform(r *http.Request) (*http.Response, error) {
	c.n++
	return c.Node.Perform(r)
}

// TestStagesThatPay counts the searches for pages of candidates of which none, or
// half, were seen in the recent history. A source teaches that its pairs have one event
// each, where their window lets expect a hundred, so later pages ask once.
func TestStagesThatPay(t *testing.T) {
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	history := query.Range{From: to.Add(-7 * 24 * time.Hour), To: to}
	for name, c := range map[string]struct {
		ago  time.Duration // when each second candidate was seen
		want []int         // searches for each page
	}{
		"half of them an hour ago": {time.Hour, []int{3, 1, 1}},
		"none of late":             {48 * time.Hour, []int{2, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var documents []string
			var candidates []esquery.Candidate
			for i := range 600 {
				user := fmt.Sprintf("user-%03d", i)
				candidates = append(candidates, esquery.Candidate{Terms: []any{user}, Events: 3})
				if i%2 == 0 {
					documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,"user":%q}`, to.Add(-c.ago).Format(time.RFC3339), user))
				}
			}
			index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"}}}`, documents...)
			transport := &counting{Node: estest.ForTest(t)}
			source := open(t, transport, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp"})
			var asked []int
			for page := range slices.Chunk(candidates, 200) {
				before := transport.n
				seen, err := source.LastSeen(t.Context(), history, 10*time.Minute, page)
				if err != nil {
					t.Fatal(err)
				}
				asked = append(asked, transport.n-before)
				for i, at := range seen {
					if want := to.Add(-c.ago); i%2 == 0 && !at.Equal(want) || i%2 == 1 && !at.IsZero() {
						t.Fatalf("%v was last seen %s", page[i].Terms, at)
					}
				}
			}
			if !slices.Equal(asked, c.want) {
				t.Errorf("asked %v, want %v", asked, c.want)
			}
		})
	}
}

// TestShortHistory asks for many candidates in a history of two hours: what is
// before it is none.
func TestShortHistory(t *testing.T) {
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	var documents []string
	var candidates []esquery.Candidate
	for i := range 250 {
		user := fmt.Sprintf("user-%03d", i)
		candidates = append(candidates, esquery.Candidate{Terms: []any{user}})
		documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,"user":%q}`, to.Add(-time.Duration(1+i%4)*time.Hour).Format(time.RFC3339), user))
	}
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"}}}`, documents...)
	source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp"})
	seen, err := source.LastSeen(t.Context(), query.Range{From: to.Add(-2 * time.Hour), To: to}, time.Hour, candidates)
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range seen {
		want := to.Add(-time.Duration(1+i%4) * time.Hour)
		if i%4 > 1 {
			want = time.Time{}
		}
		if !at.Equal(want) {
			t.Fatalf("%v was last seen %s, want %s", candidates[i].Terms, at, want)
		}
	}
}
