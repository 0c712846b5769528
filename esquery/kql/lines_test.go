package kql_test

import (
	"fmt"
	"testing"
)

func TestRunsOver(t *testing.T) {
	for _, c := range []struct{ kql, want string }{
		{"f: alice\nbob", `"alice\nbob" line 1 true`},
		{"f: x or\n g: alice \n\n bob", `"alice \n\n bob" line 2 true`},
		{"f: (x or\n alice\nbob)", `"alice\nbob" line 2 true`},
		{"f: (x or\n *\nbob)", `"*\nbob" line 2 true`},
		{"not g:{ h: x and alice\nbob: y }", `"alice\nbob" line 1 true`},
		{"alice\nbob:{ h: x }", `"alice\nbob" line 1 true`},
		{"alice\nbob < 3", `"alice\nbob" line 1 true`},
		{"n >= 3\n4", `"3\n4" line 1 true`},
		{"é: x or é: alice\nbob", `"alice\nbob" line 1 true`},
		{"f: alice\n", `"" line 0 false`},
		{"\n f :\n alice \n and\n g\n:\n(x\nor\n\ny\n)\n", `"" line 0 false`},
		{"f: \"alice\nbob\"", `"" line 0 false`},
		{`f: alice\nbob`, `"" line 0 false`},
		{"f: alice bob", `"" line 0 false`},
		{"", `"" line 0 false`},
	} {
		text, line, ok := parse(t, c.kql).RunsOver()
		if got := fmt.Sprintf("%q line %d %t", text, line, ok); got != c.want {
			t.Errorf("%q: got %s, want %s", c.kql, got, c.want)
		}
	}
}

func TestNetworks(t *testing.T) {
	for _, c := range []struct{ kql, want string }{
		{"user: 10.0.0.0/8", "map[user:[10.0.0.0/8]]"},
		{`user: ("2001:db8::/32" or 10.0.0.1 or not 10.0.0.0/8) and bytes: 192.0.2.0/24`, "map[bytes:[192.0.2.0/24] user:[2001:db8::/32 10.0.0.0/8]]"},
		{"host.*: 10.0.0.0/8", "map[host.id:[10.0.0.0/8] host.name:[10.0.0.0/8]]"},
		{"grants:{ role: 10.0.0.0/8 }", "map[grants.role:[10.0.0.0/8]]"},
		{"flat.key: 10.0.0.0/8", "map[flat.key:[10.0.0.0/8]]"},
		{"unknown*: 10.0.0.0/8 or user: 10.0.0.0 or user: a/8 or 10.0.0.0/8 or user > 10.0.0.0/8", "map[]"},
	} {
		if got := fmt.Sprint(parse(t, c.kql).Networks(fields())); got != c.want {
			t.Errorf("%s: got %s, want %s", c.kql, got, c.want)
		}
	}
}
