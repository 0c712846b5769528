package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"newterms/alerts"
	"newterms/job/words"
)

// Excluded tells what the exclusions of a run take: the most of them, and
// how many take nothing.
func Excluded(excluded []alerts.Excluded) string {
	if len(excluded) == 0 {
		return ""
	}
	var told []string
	most := TopExcluded(excluded, 5)
	for _, e := range most {
		told = append(told, fmt.Sprintf("%s by %s", words.Plural(e.Events, "event", "events"), e.Name))
	}
	text := "; excluded: " + strings.Join(told, ", ")
	if more := len(excluded) - len(most); more > 0 {
		text += fmt.Sprintf(", and at most as many by each of %d more", more)
	}
	return text
}

// MaxExcluded are those that take most, by names that fit a line.
func TopExcluded(excluded []alerts.Excluded, n int) []alerts.Excluded {
	most := slices.Clone(excluded)
	slices.SortStableFunc(most, func(a, b alerts.Excluded) int { return cmp.Compare(b.Events, a.Events) })
	most = most[:min(n, len(most))]
	for i, e := range most {
		most[i].Name = strings.Join(strings.Fields(e.Name), " ")
		if r := []rune(most[i].Name); len(r) > 60 {
			most[i].Name = string(r[:57]) + "..."
		}
	}
	return most
}
