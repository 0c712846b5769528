package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// maxValues and maxBytes bound the memory of a Tally.
const (
	maxValues = 4_000
	maxBytes  = 4 << 20
)

// longestValue is the number of bytes kept of a value. Most fields index fewer.
const longestValue = 8_191

// A Tally counts values. Beyond maxValues different ones it drops the least frequent,
// so that some counts are too low.
type Tally struct {
	counts    map[tallied]int64
	names     map[tallied]string
	sources   map[tallied]bool // those that an exclusion may be of
	bytes     int              // of the values
	forgotten int64
}

// A tallied value has a field, "" if it is not of one.
type tallied struct{ field, value string }

// A ValueCount is a value of a field and its number of occurrences.
type ValueCount struct {
	Field string `json:"field,omitempty"` // "" for pairs
	Value string `json:"value"`           // cut, with … at its end, if it is very long
	Name  string `json:"name,omitempty"`  // of the actor with this id
	Count int64  `json:"count"`

	isSource bool // an exclusion of it may be suggested
}

// add counts a value that is not empty. name may be "".
func (t *Tally) add(field, value, name string, isSource bool) {
	if value == "" {
		return
	}
	if len(value) > longestValue {
		value = strings.ToValidUTF8(value[:longestValue], "") + "…"
	}
	if t.counts == nil {
		t.counts, t.names, t.sources = map[tallied]int64{}, map[tallied]string{}, map[tallied]bool{}
	}
	key := tallied{field, value}
	if t.counts[key] == 0 {
		key = tallied{field, strings.Clone(value)}
		t.names[key], t.sources[key] = strings.Clone(name), isSource
		t.bytes += len(value)
	}
	t.counts[key]++
	for len(t.counts) > maxValues || t.bytes > maxBytes {
		t.forgotten++
		maps.DeleteFunc(t.counts, func(key tallied, n int64) bool {
			if n > t.forgotten {
				return false
			}
			t.bytes -= len(key.value)
			delete(t.names, key)
			delete(t.sources, key)
			return true
		})
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
	for key, count := range t.counts {
		if count >= least {
			top = append(top, ValueCount{key.field, key.value, t.names[key], count, t.sources[key]})
		}
	}
	slices.SortFunc(top, func(a, b ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value), strings.Compare(a.Field, b.Field))
	})
	return top[:min(n, len(top))]
}
