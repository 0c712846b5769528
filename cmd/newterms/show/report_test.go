package show

import (
	"strings"
	"testing"
	"time"

	"newterms/job/backtest"
)

func TestBarsFit(t *testing.T) {
	days := []backtest.Day{{Day: "2026-03-01", Count: 1}, {Day: "2026-03-02", NoData: true, WarmUp: true, Partial: true}, {Day: "2026-03-03", Count: 1_000_000}}
	var b strings.Builder
	bars(&b, days, 40)
	want := "2026-03-01        1  █\n2026-03-02        0  no data, partial\n2026-03-03  1000000  " + strings.Repeat("█", 10) + "\n"
	if b.String() != want {
		t.Errorf("got\n%s", &b)
	}
	days = nil
	for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); len(days) < 2*maxBars; at = at.Add(24 * time.Hour) {
		days = append(days, backtest.Day{Day: at.Format(time.DateOnly), Count: 1})
	}
	b.Reset()
	bars(&b, days, 40)
	if lines := strings.Split(b.String(), "\n"); len(lines) != 31 || lines[1] != "2026-01-01  7  ███████" || lines[29] != "2026-07-16  4  ████ partial" {
		t.Errorf("got\n%s", &b)
	}
}
