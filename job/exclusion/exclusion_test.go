package exclusion_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"newterms/job/exclusion"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		" \n": "it is empty", "alice": `"alice" has no field`, "client.ip: 203.0.113.0/33": `"203.0.113.0/33" is no network`,
		"a: b\nc": `"b\nc" continues on the next line`,
	} {
		if _, err := exclusion.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"a: b", "client.ip: 203.0.113.0/24", "a: (b or\n  c)", "path: 1/2"} {
		if _, err := exclusion.Parse(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestReadFile reads paragraphs and lines, and names the line of a mistake.
func TestReadFile(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"\ufeff# known\na: b\n\nc: (d or\n e)\r\n", "a: b | c: (d or\n e)"},
		{"a: b\nc: d\n", "a: b | c: d"},
		{"# nothing\n\n", "it contains no KQL expression"},
		{"a: b\n\nc: d\nalice\n", "line 3: \"d\\nalice\" continues on the next line"},
		{"a: b\n\nalice\n", "line 3: \"alice\" has no field"},
		{"a: (b or\nc", "expression at line 1"},
	} {
		path := filepath.Join(t.TempDir(), "known.kql")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		queries, err := exclusion.ReadFile(path)
		var texts []string
		for _, q := range queries {
			texts = append(texts, q.String())
		}
		got := strings.Join(texts, " | ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}
