package show

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"newterms/alerts/alert"
	"newterms/alerts/runs"
	"newterms/esquery/elastic"
)

func sampleAlert(t *testing.T, n int) alert.Alert {
	t.Helper()
	at := time.Date(2026, 3, 10, 12, 0, n, 0, time.UTC)
	terms := []any{"00u1ada7Qm4kXw2Lp5d7", "218733041992"}
	key, err := alert.NewKey("r", []string{"okta.actor.id", "cloud.account.id"}, terms, at)
	if err != nil {
		t.Fatal(err)
	}
	maker, err := alert.NewMaker(alert.Rule{"name": "R", "new_terms_fields": []string{"okta.actor.id", "cloud.account.id"}}, runs.Info{})
	if err != nil {
		t.Fatal(err)
	}
	return maker.Alert(
		alert.Finding{Key: key, Terms: terms, Events: 12, Event: alert.NewEvent(elastic.Event{Source: []byte(`{
			"okta": {
				"actor": {"id": "00u1ada7Qm4kXw2Lp5d7", "display_name": "Åda Sørensen"}, "event_type": "user.authentication.auth_via_mfa",
				"client": {"ip": "2001:db8:44::5c", "user_agent": {"browser": "FIREFOX", "os": "Linux"}},
				"outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
				"security_context": {"as": {"organization": {"name": "Pear Private Relay"}}}
			},
			"client": {"geo": {"city_name": "Dublin", "country_name": "Ireland"}},
			"cloud": {"account": {"id": ["218733041992", "640185527310"]}}
		}`)})}, at)
}

func TestTableFitsTheTerminal(t *testing.T) {
	for _, width := range []int{0, 200, 140, 120, 110, 100, 80, 60} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			p := NewAlerts(Table, io.Discard)
			for _, n := range []int{1, 2} {
				if err := p.Add(sampleAlert(t, n)); err != nil {
					t.Fatal(err)
				}
			}
			table := fit(tableOf(p.rows), width)
			if longest := text.LongestLineLen(table); width > 0 && longest > width {
				t.Errorf("a line has %d columns:\n%s", longest, table)
			}
			for _, want := range []string{"2026-03-10 12:00:01", "Åda", "Sørensen", "00u1ada7Qm4kXw2Lp5d7", "218733041992", "2001:db8:44::5c", "Dublin", "Pear", "FIREFOX", "Linux", "FAILURE", "INVALID_CREDENTIALS", "12"} {
				if !strings.Contains(table, want) {
					t.Errorf("%q is missing:\n%s", want, table)
				}
			}
			if strings.Contains(table, "640185527310") {
				t.Errorf("the account is not the pair's:\n%s", table)
			}
		})
	}
}

func TestPrinterSortsByTime(t *testing.T) {
	var out bytes.Buffer
	p := NewAlerts(Table, &out)
	for _, n := range []int{3, 1, 2} {
		if err := p.Add(sampleAlert(t, n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush("R"); err != nil {
		t.Fatal(err)
	}
	lines := out.String()
	if first, last := strings.Index(lines, "12:00:01"), strings.Index(lines, "12:00:03"); first < 0 || first > last {
		t.Errorf("got\n%s", lines)
	}
}

// TestLongTable prints more alerts than a table holds.
func TestLongTable(t *testing.T) {
	var out bytes.Buffer
	p := NewAlerts(Table, &out)
	for n := range 2*maxRows + 1 {
		if err := p.Add(sampleAlert(t, n%60)); err != nil {
			t.Fatal(err)
		}
		if len(p.rows) > maxRows {
			t.Fatalf("%d rows are held", len(p.rows))
		}
	}
	if err := p.Flush("R"); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if parts, all := strings.Count(text, "more follow"), strings.Count(text, "2026-03-10 12:00:"); parts != 2 || all != 2*maxRows+1 || !strings.Contains(text, "\nR\n") {
		t.Errorf("%d parts and %d alerts", parts, all)
	}
}
