package comparison

import (
	"strings"
	"testing"
)

// TestTerms tells an absent term from an empty one and from blanks, and cuts a long one.
func TestTerms(t *testing.T) {
	want := "ada, (missing), \"\", \"  \", 7, " + strings.Repeat("x", longestTerm-1) + "…"
	if got := terms([]any{"ada", nil, "", "  ", 7, strings.Repeat("x", 200)}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
