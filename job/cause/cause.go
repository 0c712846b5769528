// Package cause finds what most alerts of a run share: a new network, a tenant, or a
// field that was renamed makes many alerts at once.
package cause

import (
	"cmp"
	"slices"
	"time"
	"unique"
)

// A Value is a value of an alert that others may share.
type Value struct {
	Kind  string // what the field says, such as network
	Field string
	Value string // "" for the absence of the field
	// Source reports that it says who or from where. Without that, only a value that is
	// new can be a cause: a whole account or country explains nothing.
	Source bool
}

// An Alert is an alert's id and its different Values.
type Alert struct {
	ID     string
	At     time.Time // first seen
	Terms  []any     // its pair, which Find does not read
	Values []unique.Handle[Value]
	Facts  []Fact // what is known of its values, maybe of other fields
}

// A Fact is a value of an alert, and whether nobody had it before.
type Fact struct {
	Value unique.Handle[Value]
	New   bool
	// Unsearched reports that no query finds alerts by it, so that it sets none apart.
	Unsearched bool
}

// IsNew reports whether nobody had a value of the alert before; ok is false if that is not
// known.
func (a Alert) IsNew(field, value string) (isNew, ok bool) {
	for _, f := range a.Facts {
		if v := f.Value.Value(); v.Field == field && v.Value == value {
			return f.New, true
		}
	}
	return false, false
}

const (
	// Least is how many alerts a run has at least that is asked for a cause.
	Least = 10
	// maxValues is how many values a cause has at most.
	maxValues = 3
	// sharedBy is the part of a group's alerts that share a value, in percent. An alert of
	// the group without the value stands alone.
	sharedBy = 90
	// leastShare is the part of all alerts that a group has at least, in percent.
	leastShare = 10
	// maxFrequent is how many values are asked about.
	maxFrequent = 20
)

// A Cause is what most alerts of a run have in common. An alert has it if it is in one
// of the groups, and not Without.
type Cause struct {
	Groups  []Group // the largest first
	Without []Value // alerts with one of these stand alone, although they are in a group
	Covered int     // alerts in a group
	Total   int
}

// A Group is the alerts that have all of some values.
type Group struct {
	Values []Known
	Alerts int
}

// Known is a Value, and whether it was seen before the first alert that has it.
type Known struct {
	Value
	New bool
}

// explains reports whether the value alone can be a cause.
func (k Known) explains() bool { return k.New || k.Source }

// An Example is a frequent value, and the earliest alert that has it.
type Example struct {
	Value
	Alert Alert
}

// Frequent lists the values that enough alerts share to be a cause, the most frequent
// ones first.
func Frequent(alerts []Alert) []Example {
	if len(alerts) < Least {
		return nil
	}
	type counted struct {
		Example
		n int
	}
	by := map[unique.Handle[Value]]*counted{}
	for _, a := range alerts {
		for _, v := range a.Values {
			c := by[v]
			if c == nil {
				c = &counted{Example: Example{v.Value(), a}}
				by[v] = c
			}
			if c.n++; cmp.Or(a.At.Compare(c.Alert.At), cmp.Compare(a.ID, c.Alert.ID)) < 0 {
				c.Alert = a
			}
		}
	}
	var all []counted
	for _, c := range by {
		if c.n >= leastOf(len(alerts)) {
			all = append(all, *c)
		}
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Or(cmp.Compare(b.n, a.n), a.compare(b.Value)) })
	var frequent []Example
	for _, c := range all[:min(len(all), maxFrequent)] {
		frequent = append(frequent, c.Example)
	}
	return frequent
}

func leastOf(alerts int) int { return max(Least/2, alerts*leastShare/100) }

// compare orders values: those that say most about their events first.
func (v Value) compare(other Value) int {
	rank := func(v Value) int {
		kinds := []string{"network", "host", "process", "account", "country", "user agent", "client IP", "actor"}
		if i := slices.Index(kinds, v.Kind); i >= 0 {
			return i + 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(v), rank(other)), cmp.Compare(v.Field, other.Field), cmp.Compare(v.Value, other.Value))
}

// Find returns what most of the alerts share; nil if there is no such thing. frequent are
// those of Frequent with what is known of them. It takes the value that most alerts
// share, and then the next one for what is left. An alert with a value that is apart
// stands alone. The order of alerts makes no
// difference.
func Find(alerts []Alert, frequent []Known) *Cause {
	if len(alerts) < Least {
		return nil
	}
	c := &Cause{Total: len(alerts)}
	values, alone := 0, apart(alerts)
	joined := slices.DeleteFunc(slices.Clone(alerts), func(a Alert) bool { return a.hasOneOf(alone) })
	for left := joined; values < maxValues; {
		g, rest := group(left, frequent, maxValues-values)
		if g.Alerts < leastOf(len(alerts)) {
			break
		}
		c.Groups, c.Covered, values, left = append(c.Groups, g), c.Covered+g.Alerts, values+len(g.Values), rest
	}
	if c.Covered*2 <= c.Total {
		return nil
	}
	for _, v := range alone {
		if slices.ContainsFunc(alerts, func(a Alert) bool { return a.hasOneOf([]Value{v}) && slices.ContainsFunc(c.Groups, a.in) }) {
			c.Without = append(c.Without, v)
		}
	}
	slices.SortStableFunc(c.Groups, func(a, b Group) int { return cmp.Compare(b.Alerts, a.Alerts) })
	return c
}

// group returns the largest group of alerts that share a value, and the rest. Of the
// group it removes the alerts that differ in what nearly all of it shares.
func group(alerts []Alert, frequent []Known, most int) (g Group, rest []Alert) {
	lead, members := -1, []Alert(nil)
	for i, v := range frequent {
		if !v.explains() {
			continue
		}
		if with := having(alerts, v.Value); lead < 0 || len(with) > len(members) {
			lead, members = i, with
		}
	}
	if lead < 0 {
		return g, alerts
	}
	shared := []Known{frequent[lead]}
	for changed := true; changed; {
		changed = false
		for _, v := range frequent {
			with := having(members, v.Value)
			if len(with) < len(members) && len(with)*100 >= len(members)*sharedBy {
				members, changed = with, true
			}
		}
	}
	for _, v := range frequent {
		if v.Value != shared[0].Value && len(having(members, v.Value)) == len(members) {
			shared = append(shared, v)
		}
	}
	g.Values = fewest(alerts, shared, most)
	for _, a := range alerts {
		if !a.in(g) {
			rest = append(rest, a)
		}
	}
	g.Alerts = len(alerts) - len(rest)
	return g, rest
}

// fewest returns the fewest of the shared values, at most some, that as few other alerts
// as possible have together: the ones that are new, and then those that say most. The
// first one explains.
func fewest(alerts []Alert, shared []Known, most int) []Known {
	slices.SortStableFunc(shared, func(a, b Known) int {
		first := func(v Known) int {
			switch {
			case v.New:
				return 0
			case v.Source:
				return 1
			}
			return 2
		}
		return cmp.Or(cmp.Compare(first(a), first(b)), a.compare(b.Value))
	})
	var chosen []Known
	for with := alerts; len(chosen) < most; {
		best, fewestLeft := -1, len(with)
		for i, v := range shared {
			if len(chosen) == 0 && !v.explains() {
				continue
			}
			if n := len(having(with, v.Value)); n < fewestLeft || best < 0 && len(chosen) == 0 {
				best, fewestLeft = i, n
			}
		}
		if best < 0 {
			break
		}
		chosen, with = append(chosen, shared[best]), having(with, shared[best].Value)
	}
	return chosen
}

// having returns the alerts that have a value.
func having(alerts []Alert, v Value) []Alert {
	handle := unique.Make(v)
	var with []Alert
	for _, a := range alerts {
		if slices.Contains(a.Values, handle) {
			with = append(with, a)
		}
	}
	return with
}
