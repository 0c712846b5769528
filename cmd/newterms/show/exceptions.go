package show

import (
	"fmt"
	"strings"
	"time"

	"newterms/job/rule/page"
)

// maxExceptions is how many exceptions of a rule its page lists.
const maxExceptions = 20

// exceptionLines returns the exceptions of a rule, each with its entries and when it
// expires.
func exceptionLines(exceptions []page.Exception) []string {
	var lines []string
	for _, e := range exceptions[:min(len(exceptions), maxExceptions)] {
		name := e.Name
		if e.Expires != nil {
			ends := map[bool]string{true: "expired", false: "expires"}[e.Expired]
			name += fmt.Sprintf(", %s %s", ends, e.Expires.Format(time.RFC3339))
		}
		lines = append(lines, name)
		for i, entry := range e.Entries {
			and := map[bool]string{true: "    ", false: "    and "}[i == 0]
			lines = append(lines, and+strings.Join(strings.Fields(entry), " "))
		}
	}
	if more := len(exceptions) - maxExceptions; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}
