package kql_test

import (
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

func TestTooDeep(t *testing.T) {
	if err := syntaxError(t, strings.Repeat("(", 100_000)); err.Reason == "" {
		t.Errorf("got %v", err)
	}
}
