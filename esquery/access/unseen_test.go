package access

import "testing"

func TestProves(t *testing.T) {
	const stream = ".ds-logs-okta.system-default-2026.03.10-000001"
	for _, c := range []struct {
		pattern, index string
		want           bool
	}{
		{"logs-okta.system-*", stream, true},
		{"logs-okta.system-*", "partial-" + stream, true},
		{"logs-okta.system-*", "shrink-x1f2-" + stream, true},
		{"*", stream, true},
		{"*-default", stream, true},
		{"logs-*-*", stream, true},
		{"logs-*.system-d*t", stream, true},
		{"filebeat-*", stream, false},
		{"logs-okta.system-default-2*", stream, false}, // of the stream it is no pattern
		{".ds-logs-*", stream, true},
		{"old-*", "old-2026.03", true},
		{"old-*-x", "old-x", false},
		{"a*a", "a", false},
		{"old-*-x", "old-a-x-b", false},
		{"old-*-x", "old-a-x", true},
		{"*b*", "abc", true},
		{"west:logs-okta.system-*", "west:" + stream, true},
		{"west:logs-okta.system-*", stream, false},
		{"logs-okta.system-*", "west:" + stream, false},
		{"*:logs-*", "west:" + stream, true},
		{"*:logs-*", stream, false},
		{"w*t:logs-*", "east:" + stream, false},
		{"logs-okta.system-*::failures", ".fs-logs-okta.system-default-2026.03.10-000001", true},
	} {
		if got := proves(c.pattern, c.index); got != c.want {
			t.Errorf("%s, %s: %t", c.pattern, c.index, got)
		}
	}
}
