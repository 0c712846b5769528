package kql

import (
	"slices"
	"testing"
)

func TestConjuncts(t *testing.T) {
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", nil},
		{"*", []string{"*"}},
		{" a:1 ", []string{"a:1"}},
		{"a:1 and b:2", []string{"a:1", "b:2"}},
		{"a:1 or b:2", []string{"a:1 or b:2"}},
		{"a:1 and b:2 or c:3", []string{"a:1 and b:2 or c:3"}},
		{"a : (x or y)  AND not b:2 and (c:3 or d:4)", []string{"a : (x or y)", "not b:2", "(c:3 or d:4)"}},
		{"(é:1 and (b:2 and c:3)) and n:{ x:1 and y:2 }", []string{"é:1", "b:2", "c:3", "n:{ x:1 and y:2 }"}},
		{"not (a:1 and b:2) and c:(1 and 2)", []string{"not (a:1 and b:2)", "c:(1 and 2)"}},
	} {
		q, err := Parse(c.query)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, conjunct := range q.Conjuncts() {
			got = append(got, conjunct.String())
			again, err := Parse(conjunct.String())
			if err != nil || len(again.Conjuncts()) > 2 {
				t.Errorf("%q has the conjunct %q: %v", c.query, conjunct, err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.query, got, c.want)
		}
	}
}
