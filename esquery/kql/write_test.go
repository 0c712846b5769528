package kql

import (
	"strings"
	"testing"
	"unicode"
)

// hostileTexts are hard to write in KQL.
func hostileTexts() []string {
	return []string{
		"plain", "", " ", " leading and trailing ", `quote " and 'single'`, `back\slash`, `ends in \`, `\"`, `\n is no line end`, `\u0041`,
		"colon: value", "a:b or c:d", "*", "wild*card?", "(a or b)", "{a}", "<5", "not x", "true", "null", "and", "10.0.0/24x",
		"tab\tline\nreturn\r", "\x00\x01\x1b[2J\x7f\u0085", "\u202eXOFERIF\u2066\u200b\ufeff\u00a0\u2028", "Ωмега 日本 😀 \U000e0041", "\ufffd",
		strings.Repeat(`"\:`, 700), strings.Repeat("x", 2_000),
	}
}

func TestEqualsReadsBack(t *testing.T) {
	names := append(hostileTexts(), "okta.actor.id", "@timestamp", "a/b-c_d", "winlog.event data.x", "NOT", "a*b", "naïve")
	for _, field := range names {
		for _, value := range hostileTexts() {
			text := Equals(field, value)
			q, err := Parse(text)
			gotField, values, ok := q.Values()
			if err != nil || !ok || gotField != field || len(values) != 1 || values[0] != value {
				t.Fatalf("%q: %q became %s, which is read as %q: %q, %v", field, value, text, gotField, values, err)
			}
			if strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) {
				t.Errorf("%q is not visible", text)
			}
		}
	}
	if got := Equals("okta.actor.id", `a"b`); got != `okta.actor.id: "a\"b"` {
		t.Errorf("got %s", got)
	}
}

func FuzzEquals(f *testing.F) {
	for _, text := range hostileTexts() {
		f.Add("field", text)
		f.Add(text, "value")
	}
	f.Fuzz(func(t *testing.T, field, value string) {
		field, value = strings.ToValidUTF8(field, "?"), strings.ToValidUTF8(value, "?")
		q, err := Parse(Equals(field, value))
		gotField, values, ok := q.Values()
		if err != nil || !ok || gotField != field || len(values) != 1 || values[0] != value {
			t.Errorf("%q: %q is read as %q: %q, %v", field, value, gotField, values, err)
		}
	})
}
