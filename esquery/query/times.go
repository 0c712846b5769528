package query

import "time"

// Times aggregates the primary timestamp by min or max. With fallback it does the same
// with the fallback, over events without the primary timestamp.
func (c Compiled) Times(metric string, fallback bool) DSL {
	aggs := DSL{"time": DSL{metric: DSL{"field": c.Search.Timestamp}}}
	if fallback {
		aggs["fallback"] = c.AmongFallback(DSL{"time": DSL{metric: DSL{"field": c.Search.Fallback}}})
	}
	return aggs
}

// AmongFallback aggregates events without the primary timestamp.
func (c Compiled) AmongFallback(aggs DSL) DSL {
	return DSL{"filter": Lacks(c.Search.Timestamp), "aggs": aggs}
}

// A TimesAnswer is the answer to Compiled.Times, in milliseconds.
type TimesAnswer struct {
	Time     timeValue `json:"time"`
	Fallback struct {
		Time timeValue `json:"time"`
	} `json:"fallback"`
}

type timeValue struct {
	Value *float64 `json:"value"`
}

// AtMillis returns the time of milliseconds, in UTC. The zero time means none, so an
// event of exactly that time is one nanosecond later.
func AtMillis(milliseconds int64) time.Time {
	t := time.UnixMilli(milliseconds).UTC()
	if t.IsZero() {
		t = t.Add(1)
	}
	return t
}

func (a TimesAnswer) values() []time.Time {
	var values []time.Time
	for _, v := range []timeValue{a.Time, a.Fallback.Time} {
		if v.Value != nil {
			values = append(values, AtMillis(int64(*v.Value)))
		}
	}
	return values
}

// Earliest returns the earliest of the times, in UTC; ok is false if there is none.
func (a TimesAnswer) Earliest() (earliest time.Time, ok bool) {
	for _, v := range a.values() {
		if !ok || v.Before(earliest) {
			earliest, ok = v, true
		}
	}
	return earliest, ok
}

// Latest returns the latest of the times, in UTC; ok is false if there is none.
func (a TimesAnswer) Latest() (latest time.Time, ok bool) {
	for _, v := range a.values() {
		if !ok || v.After(latest) {
			latest, ok = v, true
		}
	}
	return latest, ok
}
