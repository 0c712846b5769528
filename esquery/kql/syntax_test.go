package kql_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"newterms/esquery/kql"
)

// syntaxError returns the error of what must be none of KQL.
func syntaxError(t *testing.T, query string) *kql.SyntaxError {
	t.Helper()
	_, err := kql.Parse(query)
	var syntax *kql.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("%s: got %v", query, err)
	}
	return syntax
}

func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		name, kql string
		offset    int
		found     string
	}{
		{"no value", `user:`, 5, ""},
		{"no value after and", `user:a and `, 11, ""},
		{"no value after or", `user:(a or `, 11, ""},
		{"no value before the end of the list", `user:(a or )`, 11, ")"},
		{"a group that does not end", `(user:a`, 7, ""},
		{"an end without a group", `user:a)`, 6, ")"},
		{"a colon in a value", `user:a:b`, 6, ":"},
		{"a quote that does not end", `user:"a`, 5, `"`},
		{"two values", `user:"a" "b"`, 9, `"`},
		{"a backslash before what needs none", `user:\q`, 5, `\`},
		{"a Windows path without quotes", `user:C:\x`, 6, ":"},
		{"not inside a word", `user:cannot be`, 8, "n"},
		{"not behind a field", `user: not b`, 6, "n"},
		{"not twice", `not not user:a`, 4, "n"},
		{"a colon and an operator", `user:>5`, 5, ">"},
		{"and without a space after it", `user:a and(user:b)`, 10, "("},
		{"a nested group that does not end", `grants:{ role:a`, 15, ""},
		{"a character of several bytes counts as one", "user:a and\n  user:(b or é or )", 29, ")"},
		{"at least nothing", `n>=`, 3, ""},
		{"at most nothing", `n<=`, 3, ""},
		{"more than nothing", `n>`, 2, ""},
		{"less than nothing", `n<`, 2, ""},
		{"at least spaces", `n >=  `, 6, ""},
		{"at least nothing, in a group", `(n>=)`, 4, ")"},
		{"at least nothing, in a nested group", `grants:{ n<= }`, 13, "}"},
		{"at least nothing, and more", `n>= and user:a`, 12, ":"},
		{"at least an operator", `n>=<5`, 3, "<"},
		{"operators one after the other", `n<>5`, 2, ">"},
		{"equals before more", `n=>5 and x=<5 and y>=>5`, 21, ">"},
		{"at least a list", `n>=(1 or 2)`, 3, "("},
		{"an operator without a field", `>= 5`, 0, ">"},
		{"an operator in a list of values", `n:(>= 5)`, 3, ">"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := syntaxError(t, c.kql)
			if err.Offset != c.offset || err.Found != c.found || len(err.Expected) == 0 {
				t.Errorf("%s: offset %d found %q expected %v, want offset %d found %q", c.kql, err.Offset, err.Found, err.Expected, c.offset, c.found)
			}
		})
	}
}

func TestSyntaxErrorTellsLineAndColumn(t *testing.T) {
	for query, want := range map[string]string{
		"user:a and\n  user:(b or )": `KQL line 2, column 14 (offset 24): found ")", expected "(", NOT, value`,
		"bytes>=":                    `KQL line 1, column 8 (offset 7): found the end of the query, expected literal`,
	} {
		if err := syntaxError(t, query); err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// TestRefusals are of queries that the grammar allows.
func TestRefusals(t *testing.T) {
	deep, half := "more than 200 groups inside each other", "is half of a character"
	open := strings.Repeat("(", 199)
	for _, c := range []struct {
		name, kql     string
		offset        int
		found, reason string
	}{
		{"the first half of a character", `user:\ud83d`, 5, `\`, `\ud83d ` + half},
		{"the second half of a character", `user:a\uDE00b`, 6, `\`, `\uDE00 ` + half},
		{"halves in the wrong order", `user:\ude00\ud83d`, 5, `\`, `\ude00 ` + half},
		{"a half and another character", `user:\ud83d\u0061`, 5, `\`, `\ud83d ` + half},
		{"a half and an escape that is too short", `user:"\ud83d\ude0"`, 6, `\`, `\ud83d ` + half},
		{"the first half twice, then the second", `user:\ud83d\ud83d\ude00`, 5, `\`, half},
		{"halves with a wildcard between them", `user:\ud83d*\ude00`, 5, `\`, half},
		{"half of a character in quotes", `user:"a\ud83db"`, 7, `\`, half},
		{"half of a character in the name of a field", `a:b and us\ud83der:a`, 10, `\`, half},
		{"half of a character in a list", `user:(a or "\ud83d")`, 12, `\`, half},
		{"half of a character in text without a field", `\ud83d`, 0, `\`, half},
		{"half of a character, and a mistake after it", `user:\ud83d and (`, 5, `\`, half},
		{"the first of two halves that are apart", `user:"\ud83d \ude00"`, 6, `\`, `\ud83d ` + half},
		{"a byte that is no UTF-8, before half of a character", "user:\xff\\ud83d", 5, "\ufffd", "0xff"},
		{"a byte that is no UTF-8", "é:a\xffb", 3, "\ufffd", "the byte 0xff is not UTF-8"},
		{"a byte that is no UTF-8, in quotes", "user:\"\xc3\"", 6, "\ufffd", "the byte 0xc3 is not UTF-8"},
		{"half of a character as bytes", "user:\xed\xa0\xbd", 5, "\ufffd", "the byte 0xed is not UTF-8"},
		{"a byte that is no UTF-8, after a replacement character that is", "\ufffd\xff", 1, "\ufffd", "0xff"},
		{"groups that are too deep", open + "((", 200, "(", deep},
		{"any number of groups", strings.Repeat("(", 100_000), 200, "(", deep},
		{"negated groups that are too deep", strings.Repeat("not (", 100_000), 1004, "(", deep},
		{"lists that are too deep", "user:" + strings.Repeat("(", 100_000), 205, "(", deep},
		{"nested groups that are too deep", strings.Repeat("a:{", 100_000), 602, "{", deep},
		{"groups, nested groups and lists that are too deep together", open + "a:{b:(c)}" + strings.Repeat(")", 199), 204, "(", deep},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := syntaxError(t, c.kql)
			if err.Offset != c.offset || err.Found != c.found || !strings.Contains(err.Reason, c.reason) {
				t.Errorf("offset %d found %q reason %q, want offset %d found %q reason %q", err.Offset, err.Found, err.Reason, c.offset, c.found, c.reason)
			}
		})
	}
}

func TestGroupsMayBeAsDeepAsTheLimit(t *testing.T) {
	for _, query := range []string{
		strings.Repeat("(", 200) + "a" + strings.Repeat(")", 200),
		"user:" + strings.Repeat("(", 200) + "a" + strings.Repeat(")", 200),
		strings.Repeat("a:{", 200) + "b:c" + strings.Repeat("}", 200),
		"a" + strings.Repeat(" or (a)", 1000),
	} {
		q, err := kql.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := q.Compile(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(compiled); err != nil {
			t.Error(err)
		}
	}
}
