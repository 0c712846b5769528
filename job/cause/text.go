package cause

import (
	"fmt"
	"slices"
	"strings"

	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
)

// longestShown is how many characters of a value a text has.
const longestShown = 80

// String says what the alerts share:
//
//	97 of 100 alerts share the network "Kestrel VPN", new to everyone
func (c Cause) String() string {
	groups := make([]string, len(c.Groups))
	for i, g := range c.Groups {
		values := make([]string, len(g.Values))
		for n, v := range g.Values {
			values[n] = fmt.Sprintf("the %s %q", v.Kind, words.Shortened(v.Value.Value, longestShown))
			if v.Value.Value == "" {
				values[n] = "the absence of " + v.Field
			}
			if v.New {
				values[n] += ", new to everyone"
			}
		}
		groups[i] = strings.Join(values, ", and ")
	}
	text := fmt.Sprintf("%d of %d alerts share ", c.Covered, c.Total)
	if len(groups) > 1 {
		return text + "one of: " + strings.Join(groups, "; ")
	}
	return text + groups[0]
}

// Exclusion returns KQL that excludes the events of exactly the alerts that are covered,
// as far as their first events tell.
func (c Cause) Exclusion() string {
	return c.where(func(v Value) string { return kql.Equals(v.Field, v.Value) })
}

// where returns KQL for the alerts that are covered; equals is that of one value.
func (c Cause) where(equals func(Value) string) string {
	groups := make([]string, len(c.Groups))
	for i, g := range c.Groups {
		values := make([]string, len(g.Values))
		for n, v := range g.Values {
			if values[n] = equals(v.Value); v.Value.Value == "" {
				values[n] = "not " + kql.Equals(v.Field, "")
				values[n] = strings.TrimSuffix(values[n], `""`) + "*"
			}
		}
		groups[i] = strings.Join(values, " and ")
		if len(c.Groups) > 1 && len(g.Values) > 1 {
			groups[i] = "(" + groups[i] + ")"
		}
	}
	if len(c.Without) == 0 {
		return strings.Join(groups, " or ")
	}
	if len(groups) > 1 {
		groups = []string{"(" + strings.Join(groups, " or ") + ")"}
	}
	for _, v := range c.Without {
		groups = append(groups, "not "+equals(v))
	}
	return strings.Join(groups, " and ")
}

// Where returns KQL that finds the alerts of a run that are covered; "" without a run.
// newTerms are the rule's new-terms fields, whose values alerts have in a field of their
// own. It has no ' and no !, which mean something in the links of dashboards and in
// shells.
func (c Cause) Where(runID string, newTerms []string) string {
	if runID == "" {
		return ""
	}
	covered := c.where(func(v Value) string {
		if slices.Contains(newTerms, v.Field) {
			return kql.Equals("kibana.alert.new_terms", v.Value)
		}
		return kql.Equals(v.Field, v.Value)
	})
	return kql.Equals("newterms.run.id", runID) + " and (" + strings.NewReplacer("'", `\u0027`, "!", `\u0021`).Replace(covered) + ")"
}

// Share is the part of the alerts that is covered, from 0 to 1, with two decimals.
func (c Cause) Share() float64 { return float64(100*c.Covered/c.Total) / 100 }
