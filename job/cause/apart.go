package cause

import (
	"slices"
	"unique"
)

const (
	// maxApart is how many values of a kind are apart at most: an exclusion lists them.
	maxApart = 10
	// fewApart is how many alerts may be apart by a kind, however few there are.
	fewApart = 3
)

// apart lists values that nobody had before, and that too few alerts have for a cause: a
// single attacker may come from the network of a flood with another program. If more
// alerts than one in ten have such values of a kind, that is the flood itself: each of
// its users may have a new address.
func apart(alerts []Alert) []Value {
	isNew, having := map[unique.Handle[Value]]bool{}, map[unique.Handle[Value]]int{}
	for _, a := range alerts {
		for _, f := range a.Facts {
			if f.Unsearched {
				continue
			}
			having[f.Value]++
			isNew[f.Value] = isNew[f.Value] || f.New
		}
	}
	kinds, with := map[string][]Value{}, map[string]int{}
	for v := range isNew {
		if isNew[v] && having[v] < leastOf(len(alerts)) {
			kinds[v.Value().Kind] = append(kinds[v.Value().Kind], v.Value())
			with[v.Value().Kind] += having[v]
		}
	}
	var all []Value
	for kind, values := range kinds {
		if len(values) <= maxApart && with[kind] <= max(fewApart, len(alerts)*(100-sharedBy)/100) {
			all = append(all, values...)
		}
	}
	slices.SortFunc(all, Value.compare)
	return all
}

func (a Alert) hasOneOf(values []Value) bool {
	return slices.ContainsFunc(a.Facts, func(f Fact) bool { return slices.Contains(values, f.Value.Value()) })
}

// in reports whether an alert has all values of a group.
func (a Alert) in(g Group) bool {
	return !slices.ContainsFunc(g.Values, func(v Known) bool { return !slices.Contains(a.Values, unique.Make(v.Value)) })
}
