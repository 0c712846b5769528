package kql

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

// shapes are queries that grow: each takes long with some parser that looks at
// a part of the query again for each character, value or group.
var shapes = []struct {
	name    string
	between [3]string // the middle is repeated
	broken  bool      // it is no KQL
}{
	{"one long value", [3]string{`user:`, `word `, ``}, false},
	{"text without a field", [3]string{``, `x`, ``}, false},
	{"nothing but spaces", [3]string{``, ` `, ``}, false},
	{"a run of spaces inside a value", [3]string{`user:a`, ` `, `b`}, false},
	{"a run of spaces at the end", [3]string{`user:a`, ` `, ``}, false},
	{"a run of spaces after a quoted value", [3]string{`user:"a"`, ` `, `or user:b`}, false},
	{"a run of spaces before what is no operator", [3]string{`user:"a"`, ` `, `"b"`}, true},
	{"a run of spaces around a colon", [3]string{`"user"`, "  ", `: a`}, false},
	{"a run of spaces after not", [3]string{`not `, ` `, `user:a`}, false},
	{"runs of spaces between words", [3]string{`user:`, "a        \n\t  ", ``}, false},
	{"words that begin like or", [3]string{`user:`, `o `, ``}, false},
	{"words that begin like and", [3]string{`user:`, `an `, ``}, false},
	{"words that begin like not", [3]string{`user:`, `no`, ``}, false},
	{"words that are or but for the space after it", [3]string{`user:`, ` or.`, ``}, false},
	{"escapes", [3]string{`user:`, `\(\u00e9\t\or`, ``}, false},
	{"backslashes in quotes", [3]string{`user:"`, `\w\\`, `"`}, false},
	{"a quote without an end", [3]string{`user:"`, `word `, ``}, true},
	{"a quote without an end, deep inside", [3]string{strings.Repeat("(", maxDepth) + `"`, `word `, ``}, true},
	{"wildcards", [3]string{`user:`, `a*`, ``}, false},
	{"nothing but stars", [3]string{`user:`, `*`, ``}, false},
	{"a long field name", [3]string{``, `word `, `:a`}, false},
	{"a long path of a group", [3]string{``, `word `, `:{ a:b }`}, false},
	{"a list of values", [3]string{`user:(x`, ` or x`, `)`}, false},
	{"a list of values for a pattern", [3]string{`us*:(x`, ` or x`, `)`}, false},
	{"a list of values that never ends", [3]string{`user:(x`, ` or x`, ``}, true},
	{"a list in a group", [3]string{`grants:{ role:(x`, ` or x`, `) }`}, false},
	{"or", [3]string{`user:x`, ` or user:x`, ``}, false},
	{"and, which ends without a value", [3]string{`user:x`, ` and user:x`, ` and `}, true},
	{"and and or in turn", [3]string{`user:x`, ` and user:x or user:x`, ``}, false},
	{"not", [3]string{`user:x`, ` and not user:x`, ``}, false},
	{"not not", [3]string{``, `not `, `user:x`}, true},
	{"ranges", [3]string{`n<1`, ` or n>=1`, ``}, false},
	{"groups side by side", [3]string{`(a)`, ` or (a)`, ``}, false},
	{"nested groups side by side", [3]string{`grants:{a:b}`, ` or grants:{a:b}`, ``}, false},
	{"groups as deep as is allowed", [3]string{`a`, ` or ` + strings.Repeat("(", maxDepth) + "a" + strings.Repeat(")", maxDepth), ``}, false},
	{"groups that never end", [3]string{`a`, ` or ` + strings.Repeat("(", 9) + "a" + strings.Repeat(")", 8), ``}, true},
	{"groups that only begin", [3]string{``, `(`, ``}, true},
	{"negated groups that only begin", [3]string{``, `not (`, ``}, true},
	{"lists that only begin", [3]string{`user:`, `(`, ``}, true},
	{"nested groups that only begin", [3]string{``, `a:{`, ``}, true},
	{"groups that only end", [3]string{`a`, `)`, ``}, true},
}

func grown(between [3]string, length int) string {
	return between[0] + strings.Repeat(between[1], length/len(between[1])+1) + between[2]
}

// TestParsingLooksAtEachCharacterAFewTimes counts looks, at most 5.0 for each
// character when this was written, since a clock tells of the machine's other
// work too.
func TestParsingLooksAtEachCharacterAFewTimes(t *testing.T) {
	const most = 10
	for _, shape := range shapes {
		for _, length := range []int{4 << 10, 128 << 10} {
			query := grown(shape.between, length)
			p := newParser(query)
			_, err := p.parse()
			if (err != nil) != shape.broken {
				t.Fatalf("%s: %v", shape.name, err)
			}
			if p.steps > most*len(p.in) {
				t.Errorf("%s: %d characters took %d steps", shape.name, len(p.in), p.steps)
			}
		}
	}
}

// TestMemoryGrowsWithTheQuery counts the bytes that are ever taken for a query,
// also those that are thrown away at once, as by joining a text piece by piece.
// A value in a list takes the most: five characters become three maps.
func TestMemoryGrowsWithTheQuery(t *testing.T) {
	const most = 1000
	for _, shape := range shapes {
		for _, length := range []int{4 << 10, 128 << 10} {
			query := grown(shape.between, length)
			bytes := allocated(func() {
				q, err := Parse(query)
				if err != nil {
					_ = err.Error()
					return
				}
				q.Names()
				compiled, err := q.Compile(Fields{"user": {Types: []string{"keyword"}}})
				if err != nil {
					t.Errorf("%s: %v", shape.name, err)
				}
				if _, err := json.Marshal(compiled); err != nil {
					t.Errorf("%s: %v", shape.name, err)
				}
			})
			if bytes > most*len(query) {
				t.Errorf("%s: %d characters took %d bytes", shape.name, len(query), bytes)
			}
		}
	}
}

func TestALongNameIsNotRepeatedForEachValue(t *testing.T) {
	query := strings.Repeat("*a", 5000) + ":(x" + strings.Repeat(" or x", 5000) + ")"
	q, err := Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	if bytes := allocated(func() { q.Names() }); bytes > 10*len(query) {
		t.Errorf("%d characters took %d bytes", len(query), bytes)
	}
}

// TestAPatternIsMatchedOnceForAllItsValues, be the fields as many as they may.
func TestAPatternIsMatchedOnceForAllItsValues(t *testing.T) {
	q, err := Parse(`us*:(a or b)`)
	if err != nil {
		t.Fatal(err)
	}
	values := q.root.(chain).nodes
	first, second := values[0].(is).field, values[1].(is).field
	c := newCompiler(Fields{"user": {Types: []string{"keyword"}}, "other": {}})
	if names := c.matching(first); len(names) != 1 || names[0] != "user" {
		t.Errorf("got %v", names)
	}
	if allocations := testing.AllocsPerRun(10, func() { c.matching(second) }); allocations > 0 {
		t.Errorf("%.0f allocations for the second value", allocations)
	}
}

func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
