package esquery_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"newterms/esquery/query"
)

// TestIgnoreCase asks the real server which events a value list takes whose letter
// case does not count. Every punctuation mark is one somewhere.
func TestIgnoreCase(t *testing.T) {
	const marks = `!"#$%&'()*+,-./0123456789:;<=>?@[\]^_{|}~` + "`"
	cases := []struct{ value, takes, leaves string }{ // takes and leaves hold values, with a space between them
		{"Oslo", "oslo OSLO oSLO", "Osl oslo2"},
		{"Zürich", "ZÜRICH zürich ZüRICH", "Zurich Züric ürich"},
		{"ÅÄÖ", "åäö ÅÄö", "AAO"},
		{"οδος", "ΟΔΟΣ οδοσ", "οδο"},      // two small letters for one capital
		{"Kühl", "\u212aühl KÜHL", "uhl"}, // the sign of the kelvin is a K
		{"𐐀ü", "𐐨Ü 𐐀Ü", "𐐁ü"},             // more than 16 bits
		{"ü" + marks, "Ü" + marks, "ü" + marks[1:]},
		{".*ü", ".*Ü", "xxü ü"},
		{"<1-9>ü", "<1-9>Ü", "5ü"},
		{"日本ü", "日本Ü", "日ü"},
		{strings.Repeat("Ü", 250), strings.Repeat("ü", 250), strings.Repeat("ü", 249)},
		{"ö" + strings.Repeat("a", 245), "Ö" + strings.Repeat("A", 245), "Ö" + strings.Repeat("A", 244)},
	}
	var documents []string
	for i, c := range cases {
		for _, v := range append(strings.Fields(c.takes), strings.Fields(c.leaves)...) {
			documents = append(documents, caseDocument(t, i, v))
		}
	}
	name := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"case":{"type":"keyword"},"user":{"type":"keyword"},`+
		`"f":{"type":"keyword"},"lower":{"type":"keyword","normalizer":"lowercase"}}}`, documents...)
	for i, c := range cases {
		if !query.CanIgnoreCase(c.value) {
			t.Errorf("%s: it is too long", c.value)
			continue
		}
		for _, field := range []string{"f", "lower"} {
			if got := untaken(t, name, i, field, c.value); got != c.leaves {
				t.Errorf("%s of %s: left %s, want %s", c.value, field, got, c.leaves)
			}
		}
	}
	for _, value := range []string{strings.Repeat("ü", 251), strings.Repeat("𐐀", 251)} {
		if query.CanIgnoreCase(value) {
			t.Errorf("%d letters are taken", len([]rune(value)))
		}
	}
}

// TestIgnoreCaseOfSeveralTypes has an index where the field is text.
func TestIgnoreCaseOfSeveralTypes(t *testing.T) {
	mapping := `{"properties":{"@timestamp":{"type":"date"},"case":{"type":"keyword"},"user":{"type":"keyword"},"f":{"type":"%s"}}}`
	a := newIndex(t, fmt.Sprintf(mapping, "keyword"), caseDocument(t, 0, "ZÜRICH West"), caseDocument(t, 0, "oslo"))
	b := newIndex(t, fmt.Sprintf(mapping, "text"), caseDocument(t, 0, "zürich west"), caseDocument(t, 0, "rome"))
	if got := untaken(t, a+","+b, 0, "f", "Zürich West"); got != "oslo rome" {
		t.Errorf("left %s", got)
	}
}

// caseDocument has a value, and a user of the same name.
func caseDocument(t *testing.T, i int, value string) string {
	text, err := json.Marshal(map[string]any{"@timestamp": "2026-03-10T11:00:00Z", "case": fmt.Sprint(i), "user": value, "f": value, "lower": value})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// untaken are the users of a case that an exception leaves, in the order of their
// names.
func untaken(t *testing.T, indices string, i int, field, value string) string {
	t.Helper()
	source := open(t, nil, query.Search{
		Indices: strings.Split(indices, ","), Query: parse(t, fmt.Sprintf("case: %d", i)), Fields: []string{"user"}, Timestamp: "@timestamp",
		Exceptions: []query.Exception{{Name: "item", Entries: []query.Entry{{Field: field, Kind: "match_any", Values: []string{value}, IgnoreCase: true}}}},
	})
	var users []string
	for page, err := range source.Candidates(t.Context(), allTime) {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Candidates {
			users = append(users, c.Terms[0].(string))
		}
	}
	slices.Sort(users)
	return strings.Join(users, " ")
}
