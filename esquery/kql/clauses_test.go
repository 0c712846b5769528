package kql_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"newterms/esquery/kql"
)

// told is clauses in a line each: field, kind and values.
func told(clauses []kql.Clause) []string {
	var lines []string
	for _, c := range clauses {
		kind := c.Kind
		if c.Not {
			kind = "not " + kind
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Field, kind, strings.Join(c.Values, "|"))))
	}
	return lines
}

// TestClauses has each feature that Elastic's new-terms rules use.
func TestClauses(t *testing.T) {
	for _, c := range []struct {
		name, query string
		indicators  []string
		exclusions  [][]string
	}{
		{"nothing", "", nil, nil},
		{"a value", "a:b", []string{"a eq b"}, nil},
		{"a quoted value", `a:"b c"`, []string{"a eq b c"}, nil},
		{"an empty value", `a:""`, []string{"a eq"}, nil},
		{"a quoted star", `a:"b*"`, []string{"a eq b*"}, nil},
		{"values", "a:(b or c or d)", []string{"a in b|c|d"}, nil},
		{"values that must all be", "a:(b and c)", []string{"a in b|c"}, nil},
		{"a start, an end and a star between", `a:(b* or *c or *d* or e*f or g)`, []string{"a starts_with b", "a ends_with c", "a wildcard *d*|e*f", "a eq g"}, nil},
		{"an escaped star", `a:b\*`, []string{"a eq b*"}, nil},
		{"a question mark", `a:b?c`, []string{"a eq b?c"}, nil},
		{"a value with spaces", "a:(*S3 Browser* or *Cyberduck*)", []string{"a wildcard *S3 Browser*|*Cyberduck*"}, nil},
		{"an escaped path", `a:C\:\\Windows\\*`, []string{`a starts_with C:\Windows\`}, nil},
		{"exists", "a:*", []string{"a exists"}, nil},
		{"exists, but not some values", "x:y and a:(* and not (b or *c))", []string{"x eq y", "a exists", "a not eq b", "a not ends_with c"}, nil},
		{"or missing", "a:(b or not *)", []string{"a eq b", "a not exists"}, nil},
		{"numbers and booleans", `a:4 and b:true and c:"2049"`, []string{"a eq 4", "b eq true", "c eq 2049"}, nil},
		{"ranges", "a >= 256 and b < 3 and a <= 1023", []string{"a range >= 256", "b range < 3", "a range <= 1023"}, nil},
		{"networks", `a:(10.0.0.0/8 or "fe80::/10" or 192.0.2.1)`, []string{"a network 10.0.0.0/8|fe80::/10", "a eq 192.0.2.1"}, nil},
		{"a path is no network", "a:/etc/passwd", []string{"a eq /etc/passwd"}, nil},
		{"a nested group", "a:{b:c and d:*}", []string{"a.b eq c", "a.d exists"}, nil},
		{"text without a field", "foo", []string{"eq foo"}, nil},
		{"a pattern of fields", "a.*:b", []string{"a.* eq b"}, nil},
		{"alternatives", "a:b or (c:d and not e:f)", []string{"a eq b", "c eq d", "e not eq f"}, nil},
		{"the same field twice", "a:b and a:c", []string{"a eq b", "a eq c"}, nil},
		{"exclusions", "a:b and not c:d and not e:(f or g*)", []string{"a eq b"}, [][]string{{"c eq d"}, {"e eq f", "e starts_with g"}}},
		{"an exclusion of several conditions", "a:b and not (c:d and not e:f)", []string{"a eq b"}, [][]string{{"c eq d", "e not eq f"}}},
		{"nothing but an exclusion", "not a:*", nil, [][]string{{"a exists"}}},
		{"deep groups", "x:y and a:((b* or c*) and (*d* or *e*) and not *f*)", []string{"x eq y", "a starts_with b|c", "a wildcard *d*|*e*", "a not wildcard *f*"}, nil},
	} {
		q, err := kql.Parse(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var exclusions [][]string
		for _, clauses := range q.Exclusions() {
			exclusions = append(exclusions, told(clauses))
		}
		if got := told(q.Indicators()); !reflect.DeepEqual(got, c.indicators) || !reflect.DeepEqual(exclusions, c.exclusions) {
			t.Errorf("%s: %s\n got %q, %q\nwant %q, %q", c.name, c.query, got, exclusions, c.indicators, c.exclusions)
		}
	}
}

func TestValues(t *testing.T) {
	for query, want := range map[string]string{
		"a:b": "a [b]", `a:("b c" or d)`: "a [b c d]", "a:b or a:c": "a [b c]", "a: 10.0.0.0/8": "a [10.0.0.0/8]",
		"a:b*": "", "a:b and c:d": "", "a:(b and c)": "", "not a:b": "", "a:*": "", "a:b or c:d": "", "": "", "foo": "", "a*:b": "", "a:true": "", "a>5": "", "a:{b:c}": "",
	} {
		q, err := kql.Parse(query)
		if err != nil {
			t.Fatal(query, err)
		}
		got := ""
		if field, values, ok := q.Values(); ok {
			got = fmt.Sprint(field, " ", values)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}
