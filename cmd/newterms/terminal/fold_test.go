package terminal

import (
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	const id = "55f55b3cac4a6c1fae14a07e81a2c21fe0e9dcfc17e23a1f072bd6091a276bc3"
	for _, c := range []struct {
		name, line string
		columns    int
		want       string
	}{
		{"fits", "one two", 7, "one two"},
		{"no terminal", "one two", 0, "one two"},
		{"between words", "one two three", 9, "one two\n  three"},
		{"below the text after a gap", "label  one two three four five", 20, "label  one two three\n       four five"},
		{"a gap in the second half is none", "one two three  four five", 20, "one two three  four\n  five"},
		{"below an arrow", "     → one two three four", 20, "     → one two three\n       four"},
		{"a word that is too wide stays whole", "see " + id + " now", 60, "see\n" + id + "\n  now"},
		{"a wide word takes the indentation", "  alert  of " + id, 70, "  alert  of\n      " + id},
		{"a time stays with its date", "written 2026-03-10 12:00:00, by", 22, "written\n  2026-03-10 12:00:00,\n  by"},
		{"a time with room for its date", "written 2026-03-10 12:00:00 by", 28, "written 2026-03-10 12:00:00\n  by"},
		{"colours take no columns", "\x1b[31mERR\x1b[0m one two", 11, "\x1b[31mERR\x1b[0m one two"},
		{"wide characters take two", "日本語 日本語", 10, "日本語\n  日本語"},
		{"a command can be pasted", "to do it: newterms run --from now-1d --to now --rule a.toml", 36,
			"to do it: newterms run \\\n  --from now-1d --to now \\\n  --rule a.toml"},
		{"a quoted value stays whole", "x newterms run --exclude 'a: \"b c\"' --to now", 30, "x newterms run \\\n  --exclude 'a: \"b c\"' \\\n  --to now"},
		{"prose with a flag is no command", "correct it in the rule, --exclude, or the list", 30, "correct it in the rule,\n  --exclude, or the list"},
	} {
		if got := Fold(c.line, c.columns); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestCards shows rows as a table where their words fit, and else as cards, without empty
// columns or cells.
func TestCards(t *testing.T) {
	table := Table{Header: []string{"TIME", "NAME", "NONE", "ADDRESS"}, Rows: [][]string{
		{"2026-03-10 12:00:00", "Åda Sørensen\n00u1", "", "2001:db8:44::5c"}, {"2026-03-10 12:00:01", "Bo", "", ""},
	}}
	const cards = "TIME     2026-03-10 12:00:00\nNAME     Åda Sørensen, 00u1\nADDRESS  2001:db8:44::5c\n\nTIME     2026-03-10 12:00:01\nNAME     Bo"
	for columns, want := range map[int]string{
		0:  "TIME                 NAME          ADDRESS\n2026-03-10 12:00:00  Åda Sørensen  2001:db8:44::5c\n                     00u1\n2026-03-10 12:00:01  Bo",
		46: "TIME                 NAME      ADDRESS\n2026-03-10 12:00:00  Åda       2001:db8:44::5c\n                     Sørensen\n                     00u1\n2026-03-10 12:00:01  Bo",
		45: cards,
		28: cards,
		27: strings.ReplaceAll(cards, "TIME     2026", "TIME\n        2026"),
	} {
		if got := table.Fit(columns); got != want {
			t.Errorf("%d columns: got\n%s\nwant\n%s", columns, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for columns, want := range map[int]string{
		40: "run: part 1 of 2, 10 s, about 15 s left", 38: "run: part 1 of 2, 10 s", 5: "run: ",
	} {
		if got := shorten("run: part 1 of 2, 10 s, about 15 s left", columns); got != want {
			t.Errorf("%d columns: %q", columns, got)
		}
	}
}
