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
	trial := *j
	trial.DryRun, trial.MaxAlerts = true, 0
	trial.Store = &forgetful{Store: j.Store, lookup: lookup, fetch: emit != nil, tell: tell}
	if trial.Emit = emit; emit == nil {
		trial.Emit = func(alerts.Alert) error { return nil }
	}
	return trial.Run(ctx, id, w)
}

// forgetful is a Store that shows what it is asked for. To a run that shall fetch
// events no first occurrence has an alert, and to another each has one.
type forgetful struct {
	Store
	lookup, fetch bool
	tell          func(Tried)
}

func (f *forgetful) AlreadyAlerted(ctx context.Context, keys []alerts.Key, l alerts.Lookup) ([]bool, error) {
	alerted := make([]bool, len(keys))
	if f.lookup && len(keys) > 0 {
		var err error
		if alerted, err = f.Store.AlreadyAlerted(ctx, keys, l); err != nil {
			return nil, err
		}
	}
	answer := make([]bool, len(keys))
	for i, k := range keys {
		f.tell(Tried{k.FirstSeen, k.Pair, alerted[i]})
		answer[i] = !f.fetch
	}
	return answer, nil
}
