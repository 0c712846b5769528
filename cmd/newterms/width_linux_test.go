package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/cmd/newterms/terminal/ptytest"
	"newterms/job/rule/ruletest"
)

// onTerminal runs newterms on a terminal, and returns what that shows, how often a line
// was too wide, and the links.
func (c *cluster) onTerminal(t *testing.T, columns int, args ...string) (shown string, tooWide int, links []ptytest.Link) {
	t.Helper()
	c.setClock(func() time.Time { return noon })
	screen := ptytest.Open(t, columns)
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(slices.Clone(c.environ), asProgram+"="+noon.Format(time.RFC3339))
	cmd.Stdout, cmd.Stderr = screen.TTY, screen.TTY
	_ = cmd.Run() // check exits with what it finds
	shown, tooWide = screen.Close(t)
	return shown, tooWide, screen.Links
}

// TestWidths shows what each command prints on terminals. No line is too wide, and ids,
// addresses and times are whole.
func TestWidths(t *testing.T) {
	session := proxySession("00u1ada7Qm4kXw2Lp5d7", "218733041992", "2026-03-10T11:30:00Z")
	session["okta"].(map[string]any)["client"] = map[string]any{"ip": "2001:db8:44:1234:5678:9abc:def0:5c", "user_agent": map[string]any{"browser": "FIREFOX", "os": "Linux"}}
	session["okta"].(map[string]any)["outcome"] = map[string]any{"result": "FAILURE", "reason": "VERIFICATION_ERROR"}
	session["client"] = map[string]any{"geo": map[string]any{"city_name": "Bucharest", "country_name": "Romania"}, "as": map[string]any{"organization": map[string]any{"name": "Bulwark Hosting"}}}
	c := newCluster(t, session, proxySession("00u1leo5Sp6tNh3Gv5d7", "640185527310", "2026-03-10T11:31:00Z"))
	other := ruletest.Write(t, map[string]any{
		"rule_id": "7c1e5dd2-31bb-4ad3-9f0b-5ef9cbd9ae0a", "name": "A rule with another name that is rather long", "from": "now-6m",
		"query": "data_stream.dataset: okta.system", "new_terms_fields": []string{"okta.actor.id", "okta.event_type", "cloud.account.id"}, "history_window_start": "now-7d",
	})
	call(t, c.environ, "setup")
	stdout, _, _ := c.callWith(t, programAt(noon), c.environ, "run", "--from", "now-1h", "--output", "ndjson")
	id := regexp.MustCompile(`"_id":"([0-9a-f]{64})"`).FindStringSubmatch(stdout)[1]
	for _, show := range []struct {
		args  []string
		least int // columns
		want  []string
	}{
		{[]string{"help"}, 60, []string{"newterms acknowledge", "ELASTICSEARCH_URL"}},
		{[]string{"help", "run"}, 60, []string{"--missing-terms skip|include", "--from now-7d/d"}},
		{[]string{"help", "keys"}, 60, nil},
		{[]string{"nope"}, 60, []string{"acknowledge"}},
		{[]string{"run", "--from", "now-1h", "--dry-run", "--rule", other}, 60, []string{
			"2026-03-10 11:30:00", "00u1ada7Qm4kXw2Lp5d7", "218733041992", "2001:db8:44:1234:5678:9abc:def0:5c", "VERIFICATION_ERROR", "user.session.start", "Romania",
		}},
		{[]string{"run", "--from", "now-1h"}, 80, []string{"no new alerts", "already alerted"}},
		{[]string{"compare", "--from", "now-1h", "--kibana-alerts", "nothing-*", "--events", "nothing-*"}, 80, []string{"unknowable", "00u1ada7Qm4kXw2Lp5d7, 218733041992"}},
		{[]string{"rules", other}, 60, []string{"7c1e5dd2-31bb-4ad3-9f0b-5ef9cbd9ae0a", "okta.event_type", "none yet", c.name}},
		{[]string{"rule"}, 60, []string{"6f1bb4b2-7dc8-11ee-92b2-f661ea17fbcd"}},
		{[]string{"rule", "--requests"}, 80, []string{"# candidates"}},
		{[]string{"check"}, 60, []string{"First Occurrence of", c.alertsTarget()}},
		{[]string{"explain", "--term", "okta.actor.id=00u1ada7Qm4kXw2Lp5d7"}, 80, []string{id, "2026-03-10T11:30:00.000Z"}},
		{[]string{"explain", "--term", "okta.actor.id=nobody"}, 60, []string{"2026-03-10T12:00:00.000Z"}},
		{[]string{"alerts"}, 60, []string{id[:8], "2026-03-10 11:30:00", "2026-03-10 11:31:00", "00u1ada7Qm4kXw2Lp5d7", "640185527310", "2001:db8:44:1234:5678:9abc:def0:5c", "Medium alert"}},
		{[]string{"alerts", "--from", "now-1h", "--where", "okta.actor.id: 00u1ada7Qm4kXw2Lp5d7"}, 60, []string{id[:8]}},
		{[]string{"close", "--where", "okta.actor.id: *"}, 60, []string{id[:8], "add --yes to close them"}},
		{[]string{"explain", id[:8]}, 60, []string{id[:8], "okta.actor.id=00u1ada7Qm4kXw2Lp5d7", "2026-03-10T11:30:00.000Z"}},
		{[]string{"explain", "--term", "client.as.organization.name=Bulwark Hosting"}, 60, []string{id[:8], "okta.actor.id=00u1ada7Qm4kXw2Lp5d7", "1 event"}},
		{[]string{"explain", id}, 80, []string{id, "okta.actor.id=00u1ada7Qm4kXw2Lp5d7", "cloud.account.id=218733041992"}},
		{[]string{"backtest", "--from", "now-3d", "--exclude", `client.as.organization.name: "Kestrel VPN"`, "--history", "1d"}, 60, []string{
			"00u1ada7Qm4kXw2Lp5d7", "2001:db8:44:1234:5678:9abc:def0:5c", "218733041992", "2026-03-07T12:00:00.000Z", "Hosting",
		}},
		{[]string{"backtest", "--from", "now-3d", "--rule", other, "--rule", "../../job/rule/okta_proxy_session.toml"}, 60, []string{"2026-03-10"}},
	} {
		for _, columns := range []int{60, 80, 100, 120} {
			shown, tooWide, _ := c.onTerminal(t, columns, show.args...)
			if tooWide > 0 && columns >= show.least {
				t.Errorf("%v: at %d columns %d lines are too wide:\n%s", show.args, columns, tooWide, shown)
			}
			for _, want := range show.want {
				if columns >= show.least && !strings.Contains(shown, want) {
					t.Errorf("%v: at %d columns %q is not whole:\n%s", show.args, columns, want, shown)
				}
			}
			if columns == 80 {
				t.Logf("%v:\n%s", show.args, shown)
			}
		}
	}
}

// TestAlertLinks prints the id of an alert as a link to it (OSC 8) on a terminal of any width,
// and as plain text elsewhere.
func TestAlertLinks(t *testing.T) {
	c := newCluster(t, proxySession("00u1ada7Qm4kXw2Lp5d7", "218733041992", "2026-03-10T11:30:00Z"), proxySession("00u1leo5Sp6tNh3Gv5d7", "640185527310", "2026-03-10T11:31:00Z"))
	run := []string{"run", "--from", "now-1h", "--dry-run"}
	if shown, _, links := c.onTerminal(t, 120, run...); len(links) > 0 {
		t.Errorf("without a KIBANA_URL: %v:\n%s", links, shown)
	}
	c.environ = append(c.environ, "KIBANA_URL=https://kibana.example/base")
	piped, stderr, _ := c.callWith(t, programAt(noon), c.environ, run...)
	if strings.Contains(piped, "\x1b") {
		t.Errorf("%q, %s", piped, stderr)
	}
	for _, columns := range []int{60, 80, 100, 120} {
		shown, tooWide, links := c.onTerminal(t, columns, run...)
		if tooWide > 0 || strings.Contains(shown, "\x1b") || strings.Contains(shown, "kibana.example") {
			t.Errorf("%d columns: %d lines are too wide, or have a rest of a link:\n%q", columns, tooWide, shown)
		}
		if len(links) != 2 {
			t.Fatalf("%d columns: %v:\n%s", columns, links, shown)
		}
		for _, link := range links {
			if len(link.Text) != 8 || !strings.Contains(shown, link.Text) || !strings.HasPrefix(link.Address, "https://kibana.example/base/app/dashboards#") || !strings.Contains(link.Address, "kibana.alert.uuid:%22"+link.Text) {
				t.Errorf("%d columns: %+v:\n%s", columns, link, shown)
			}
		}
	}
}
