package check

import (
	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
)

// maxListed is how many exclusions of a kind have a finding of their own.
const maxListed = 20

// exclusions reports how many events each exclusion removes, first those that remove
// all or none. It shortens long lists.
func (c *ruleCheck) exclusions(h inspect.Health) {
	var none, all, some []inspect.Excluded
	for _, e := range h.Excluded {
		switch {
		case h.Unexcluded == 0: // reported by matching
		case e.Events == 0:
			none = append(none, e)
		case e.Events == h.Unexcluded:
			all = append(all, e)
		default:
			some = append(some, e)
		}
	}
	days := lastDays(c.History)
	for _, n := range h.TextNetworks {
		c.warn("exclusion", problem(NetworkInText, "%s: %s", words.Shortened(n.Exclusion, longestName), n).of(n.Field))
	}
	for _, e := range all {
		c.warn("exclusion", problem(ExcludesAll, "%s excludes all %s of %s that would match otherwise", words.Shortened(e.Name, longestName), words.Plural(e.Events, "event", "events"), days))
	}
	for _, e := range none[:min(len(none), maxListed)] {
		c.warn("exclusion", problem(ExcludesNothing, "%s excludes none of the %s of %s that would match otherwise", words.Shortened(e.Name, longestName), words.Plural(h.Unexcluded, "event", "events"), days))
	}
	if more := len(none) - maxListed; more > 0 {
		c.warn("exclusion", problem(ExcludesNothing, "%s none", words.Plural(int64(more), "more excludes", "more exclude")))
	}
	for _, e := range some[:min(len(some), maxListed)] {
		c.ok("exclusion", "%s excludes %s of %d", words.Shortened(e.Name, longestName), words.Plural(e.Events, "event", "events"), h.Unexcluded)
	}
	if more := len(some) - maxListed; more > 0 {
		c.ok("exclusion", "%s some", words.Plural(int64(more), "more excludes", "more exclude"))
	}
}

// longestName is how many characters of an exclusion are shown.
const longestName = 80
