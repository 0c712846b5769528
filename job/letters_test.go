package job_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"newterms/esquery/query"
	"newterms/job/explain"
)

// TestValuesAsPeopleWriteThem explains values that Elasticsearch reads in another
// form than they were written, and tells those apart that only look alike.
func TestValuesAsPeopleWriteThem(t *testing.T) {
	w := newWorld(t)
	w.create("events", map[string]any{"properties": map[string]any{
		"@timestamp": map[string]any{"type": "date"}, "name": map[string]any{"type": "keyword"},
		"folded": map[string]any{"type": "keyword", "normalizer": "lowercase"}, "address": map[string]any{"type": "ip"},
	}})
	for i, e := range []map[string]any{
		{"name": "Alice Å", "folded": "Alice", "address": "192.0.2.1"},
		{"name": "alice å", "folded": "ALICE", "address": "192.0.2.200"},
		{"name": []string{"alice å", "ALICE Å"}, "folded": "bob", "address": []string{"198.51.100.1", "192.0.2.7"}},
		{"name": "Alice", "folded": "alicia", "address": "2001:db8::7"},
	} {
		e["_id"], e["@timestamp"] = fmt.Sprint(i), fmt.Sprintf("2026-03-10T12:0%d:00.000Z", i)
		w.index(e)
	}
	for _, c := range []struct {
		field, asked string
		pairs        string // that are explained, sorted
		letters      string // values of other letter case, with their events
	}{
		{"name", "Alice Å", "Alice Å", "ALICE Å 1, alice å 2"},
		{"name", "alice å", "alice å", "ALICE Å 1, Alice Å 1"},
		{"name", "ALICE Å", "ALICE Å", "Alice Å 1, alice å 2"},
		{"name", "Alice", "Alice", ""},
		{"folded", "Alice", "alice", ""},
		{"folded", "ALICE", "alice", ""},
		{"address", "192.0.2.1", "192.0.2.1", ""},
		{"address", "::ffff:192.0.2.1", "192.0.2.1", ""},
		{"address", "192.0.2.0/25", "192.0.2.1, 192.0.2.7", ""},
		{"address", "192.0.2.0/24", "192.0.2.1, 192.0.2.200, 192.0.2.7", ""},
		{"address", "0.0.0.0/0", "192.0.2.1, 192.0.2.200, 192.0.2.7, 198.51.100.1", ""},
		{"address", "2001:DB8:0:0::7", "2001:db8::7", ""},
		{"address", "2001:db8::/64", "2001:db8::7", ""},
	} {
		x := w.explainer(w.rule(map[string]any{"query": "*", "history_window_start": "now-7d", "new_terms_fields": []string{c.field}}))
		var pairs, letters []string
		to := answers{pair: func(e explain.Pair) error {
			pairs = append(pairs, fmt.Sprint(e.Terms[0]))
			letters = nil
			for _, other := range e.LetterCase[c.field] {
				letters = append(letters, fmt.Sprintf("%s %d", other.Value, other.Events))
			}
			return nil
		}}
		_, err := x.Explain(t.Context(), query.Values{c.field: {c.asked}}, noon(t), &to)
		slices.Sort(pairs)
		slices.Sort(letters)
		if err != nil || to.nothing != nil || strings.Join(pairs, ", ") != c.pairs || strings.Join(letters, ", ") != c.letters {
			t.Errorf("%s=%s: explained %v, other letters %v, %v, %v\nwant %s and %s", c.field, c.asked, pairs, letters, to.nothing, err, c.pairs, c.letters)
		}
	}
}
