package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
)

// Excluded returns a text about a run's exclusions: those that removed the most events,
// and how many removed none.
func Excluded(excluded []runs.Excluded) string {
	if len(excluded) == 0 {
		return ""
	}
	var named []string
	most := TopExcluded(excluded, 5)
	for _, e := range most {
		named = append(named, fmt.Sprintf("%s by %s", words.Plural(e.Events, "event", "events"), e.Name))
	}
	text := "; excluded: " + strings.Join(named, ", ")
	if more := len(excluded) - len(most); more > 0 {
		text += fmt.Sprintf(", and at most as many by each of %d more", more)
	}
	return text
}

// TopExcluded returns the exclusions that removed the most events, with names that fit
// a line.
func TopExcluded(excluded []runs.Excluded, n int) []runs.Excluded {
	most := slices.Clone(excluded)
	slices.SortStableFunc(most, func(a, b runs.Excluded) int { return cmp.Compare(b.Events, a.Events) })
	most = most[:min(n, len(most))]
	for i, e := range most {
		most[i].Name = strings.Join(strings.Fields(e.Name), " ")
		if r := []rune(most[i].Name); len(r) > 60 {
			most[i].Name = string(r[:57]) + "..."
		}
	}
	return most
}
