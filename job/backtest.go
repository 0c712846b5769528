package job

import (
	"context"
	"time"

	"newterms/alerts"
)

// A Tried is a first occurrence that a Backtest found.
type Tried struct {
	FirstSeen time.Time
	Pair      string // identifies the pair: see alerts.Key
	// Alerted tells that it has an alert. It is only known if it was asked for.
	Alerted bool
}

// Backtest does what a dry run over the window does, and tells each of all first
// occurrences, whether they have alerts or not, in no order. With lookup it asks
// which have. With emit it fetches their events and hands on the alerts that a
// run would write if there were none; otherwise emit is nil, and it is much
// faster. tell may be called while emit is. It writes nothing and heeds no
// MaxAlerts.
func (j *Job) Backtest(ctx context.Context, id string, w Window, lookup bool, tell func(Tried), emit func(alerts.Alert) error) (alerts.Run, error) {
	tried := *j
	tried.DryRun, tried.MaxAlerts = true, 0
	tried.trial = &trial{lookup: lookup, fetch: emit != nil, tell: tell}
	if tried.Emit = emit; emit == nil {
		tried.Emit = func(alerts.Alert) error { return nil }
	}
	return tried.Run(ctx, id, w)
}

// A trial tells of first occurrences instead of alerting those that have no alert
// yet.
type trial struct {
	lookup bool // asks which have one
	fetch  bool // fetches the events of all, otherwise of none
	tell   func(Tried)
}
