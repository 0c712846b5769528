package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// maxValues bounds the memory of a Tally.
const maxValues = 4_000

// longestValue is the number of bytes kept of a value.
const longestValue = 200

// A Tally counts values. Beyond maxValues different ones it drops the least frequent,
// so that some counts are too low.
type Tally struct {
	counts    map[string]int64
	forgotten int64
}

// A ValueCount is a value and its number of occurrences.
type ValueCount struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// add counts a value that is not empty.
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
	for len(t.counts) > maxValues {
		t.forgotten++
		maps.DeleteFunc(t.counts, func(_ string, n int64) bool { return n <= t.forgotten })
	}
}

// Distinct returns the number of values.
func (t *Tally) Distinct() int { return len(t.counts) }

// Forgotten returns by how much a count may be too low; 0 if no value was dropped.
func (t *Tally) Forgotten() int64 { return t.forgotten }

// Top returns up to n of the most frequent values that occurred at least least times.
// Values of equal count are sorted by alphabet.
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
