package terminal

import (
	"bytes"
	"strings"
	"testing"
)

// TestLink is as wide as its text in a table, and is none where there is no terminal.
func TestLink(t *testing.T) {
	const at, address = "2026-03-10 12:00:00", "https://kibana.example/app/dashboards#/view/x?_a=(query:'y')"
	if got := Link(new(bytes.Buffer), at, address); got != at {
		t.Errorf("got %q", got)
	}
	header := []string{"FIRST SEEN (UTC)", "ACTOR"}
	plain := Table{Header: header, Rows: [][]string{{at, "Ada"}, {at, "Basil"}}}.Fit(80)
	linked := Table{Header: header, Rows: [][]string{{hyperlink(at, address), "Ada"}, {at, "Basil"}}}.Fit(80)
	if strings.Replace(linked, hyperlink(at, address), at, 1) != plain {
		t.Errorf("got\n%s\nwant\n%s", linked, plain)
	}
}
