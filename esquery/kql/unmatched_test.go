package kql_test

import (
	"strings"
	"testing"

	"newterms/esquery/kql"
)

// TestUnmatched names what stands for no field, and free text that must not be
// there.
func TestUnmatched(t *testing.T) {
	fields := kql.Fields{
		"user.name": {Types: []string{"keyword"}}, "user.id": {Types: []string{"keyword"}}, "port": {Types: []string{"long"}},
		"hops.ip": {Types: []string{"ip"}, NestedPath: "hops"}, "hops.via.ip": {Types: []string{"ip"}, NestedPath: "hops.via"},
	}
	for _, c := range []struct{ query, unmatched, free string }{
		{"", "", ""},
		{"user.name: a and port > 5", "", ""},
		{"user.*: a or us*.name: b or *: c or *: *", "", ""},
		{"user.nam: a and not (ports >= 5 or user.nam: b)", "user.nam, ports", ""},
		{"not usr*: a", "usr*", ""},
		{"not usr*: *", "usr*", ""},
		{"not usr* < 3", "usr*", ""},
		{"hops: { ip: 192.0.2.1 } and hops: { via: { ip: * } }", "", ""},
		{"hops: { ip*: 192.0.2.1 }", "", ""},
		{"not hops: { addr: 192.0.2.1 or x*: a }", "hops.addr, hops.x*", ""},
		{"not user: { name: a }", "user", ""},
		{"not hops: { vias: { ip: a } }", "hops.vias", ""},
		{"somebody", "", ""},
		{"not somebody", "", "somebody"},
		{"not (user.name: a or \"some body\")", "", "some body"},
		{"not (not somebody)", "", ""},
		{"not null: a", "", "a"},
	} {
		q, err := kql.Parse(c.query)
		if err != nil {
			t.Fatalf("%s: %v", c.query, err)
		}
		unmatched, free := strings.Join(q.Unmatched(fields), ", "), strings.Join(q.NegatedFreeText(), ", ")
		if unmatched != c.unmatched || free != c.free {
			t.Errorf("%s: got %q and %q, want %q and %q", c.query, unmatched, free, c.unmatched, c.free)
		}
	}
}
