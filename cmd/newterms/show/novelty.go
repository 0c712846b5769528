package show

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"newterms/job/backtest"
)

// novelties prints how new the first occurrences of a backtest are, and what they share.
func novelties(b *strings.Builder, r backtest.Report) {
	var parts []string
	for _, n := range slices.SortedFunc(maps.Keys(r.Novelty), func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }) {
		parts = append(parts, fmt.Sprintf("%s: %d", n, r.Novelty[n]))
	}
	if len(parts) > 0 {
		b.WriteString("\nby novelty, the number of facts that are new to everyone: " + strings.Join(parts, ", ") + "\n")
	}
	if r.Cause != nil {
		b.WriteString(r.Cause.Text + "\n")
	}
}
