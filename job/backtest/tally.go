package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// mostValues bounds the memory of a Tally.
const mostValues = 4_000

// longestValue is how many bytes of a value are kept.
const longestValue = 200

// A Tally counts values. Beyond mostValues different ones it forgets those that came
// least, and so counts some too low.
type Tally struct {
	counts    map[string]int64
	forgotten int64
}

// A ValueCount is a value and how often it came.
type ValueCount struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// add counts a value, but not the empty one.
func (t *Tally) add(value string) {
	if value == "" {
		return
	}
	if len(value) > longestValue {
		value = strings.ToValidUTF8(value[:longestValue], "") + "…"
	}
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[strings.Clone(value)]++
	for len(t.counts) > mostValues {
		t.forgotten++
		maps.DeleteFunc(t.counts, func(_ string, n int64) bool { return n <= t.forgotten })
	}
}

// Distinct is how many values it holds.
func (t *Tally) Distinct() int { return len(t.counts) }

// Forgotten is by how much the count of a value may be too low; 0 if all values were
// kept.
func (t *Tally) Forgotten() int64 { return t.forgotten }

// Top returns up to n values that came most, and at least so often. Of those that came
// equally often the first in the alphabet come first.
func (t *Tally) Top(n int, least int64) []ValueCount {
	top := []ValueCount{}
	for value, count := range t.counts {
		if count >= least {
			top = append(top, ValueCount{value, count})
		}
	}
	slices.SortFunc(top, func(a, b ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	return top[:min(n, len(top))]
}
