package esquery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// bodies keeps the bodies of searches that pass.
type bodies struct {
	*estest.Node
	sent [][]byte
}

func (b *bodies) Perform(r *http.Request) (*http.Response, error) {
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	b.sent = append(b.sent, body)
	return b.Node.Perform(r)
}

// TestHistoryOfBusyUsers asks about pairs of users who are busy elsewhere, or are not. Only
// where they are busy does it ask for groups of pairs, instead of reading all that the
// users did. Either way it finds the same.
func TestHistoryOfBusyUsers(t *testing.T) {
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	history := query.Range{From: to.Add(-7 * 24 * time.Hour), To: to}
	ports, secure := []string{"1", "22", "8080", ""}, []string{"true", "false", ""}
	for _, c := range []struct{ busy, groups int }{{0, 1}, {20, 12}} { // events of each user on a port that only others' candidates have
		var documents []string
		var candidates []esquery.Candidate
		var want []time.Time
		add := func(user, port, secure string, ago time.Duration) {
			document := fmt.Sprintf(`{"@timestamp":%q,"user":%q`, to.Add(-ago).Format(time.RFC3339), user)
			if port != "" {
				document += `,"port":` + port
			}
			if secure != "" {
				document += `,"secure":` + secure
			}
			documents = append(documents, document+"}")
		}
		for i := range 180 {
			user, port, safe := fmt.Sprintf("%c user-%d", '"'+rune(i/3%3), i/3), ports[i%4], secure[i%3]
			pair := esquery.Pair{user, valueOf(port), valueOf(safe)}
			candidates = append(candidates, esquery.Candidate{Terms: pair, Events: 3})
			ago := []time.Duration{0, 30 * time.Hour, 167 * time.Hour, 169 * time.Hour, time.Hour}[i%5]
			if want = append(want, time.Time{}); ago > 0 {
				add(user, port, safe, ago)
				if ago <= 168*time.Hour {
					want[i] = to.Add(-ago)
				}
			}
			for n := range c.busy {
				add(user, ports[(i+2)%4], safe, time.Duration(n+1)*time.Minute)
			}
		}
		index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"port":{"type":"long"},"secure":{"type":"boolean"}}}`, documents...)
		transport := &bodies{Node: estest.ForTest(t)}
		source := open(t, transport, query.Search{Indices: []string{index}, Fields: []string{"user", "port", "secure"}, MissingTerms: true, Timestamp: "@timestamp"})
		transport.sent = nil
		seen, err := source.LastSeen(t.Context(), history, 10*time.Minute, candidates)
		if err != nil || !slices.EqualFunc(seen, want, time.Time.Equal) {
			t.Errorf("got %v, %v, want %v", seen, err, want)
		}
		if groups := bytes.Count(transport.sent[len(transport.sent)-1], []byte(`"terms":{"user":[`)); groups != c.groups || len(transport.sent) < 2 {
			t.Errorf("of users with %d other events the last of %d searches has %d groups, want %d", c.busy, len(transport.sent), groups, c.groups)
		}
		if groups := bytes.Count(transport.sent[0], []byte(`"terms":{"user":[`)); groups != 1 {
			t.Errorf("the first search has %d groups", groups)
		}
	}
}

// valueOf is the term of a text in JSON; nil if there is none.
func valueOf(text string) any {
	switch text {
	case "":
		return nil
	case "true", "false":
		return text == "true"
	}
	return json.Number(text)
}
