package check

import (
	"context"
	"fmt"
	"strings"

	"newterms/alerts"
	"newterms/esquery"
)

func (c *Check) targets(ctx context.Context) {
	states, err := c.Store.Inspect(ctx)
	exists := map[string]bool{}
	for _, s := range states {
		exists[s.Target] = s.Exists
	}
	for _, target := range []string{c.AlertsTarget, c.RunsTarget} {
		c.targetPrivileges(target, exists[target])
	}
	for _, s := range states {
		if !c.missing[esquery.Privilege{Index: s.Target, Name: "read"}] {
			c.target(s)
		}
	}
	if err != nil {
		c.fail("target", "check the health of the cluster", err)
	}
}

func (c *Check) targetPrivileges(target string, exists bool) {
	var has []string
	for _, name := range targetPrivileges() {
		p := esquery.Privilege{Index: target, Name: name}
		switch {
		case !c.missing[p]:
			has = append(has, name)
		case name == "auto_configure" && exists:
			c.warn("privileges", "grant it: the data stream is there, but if it is ever deleted runs cannot make it again",
				"the privilege auto_configure on %s is missing", target)
		default:
			c.fail("privileges", fmt.Sprintf("grant %s on %s to the API key or user (deploy/elasticsearch/run.json)", name, target),
				&esquery.PrivilegeError{Missing: p})
		}
	}
	if len(has) > 0 {
		c.ok("privileges", "%s on %s", strings.Join(has, ", "), target)
	}
}

func (c *Check) target(s alerts.TargetState) {
	const setUp = "run newterms setup with the setup key"
	switch s.State {
	case alerts.Missing:
		c.fail("target", setUp, fmt.Errorf("the index template %s is missing", s.Template))
	case alerts.Outdated:
		message := fmt.Sprintf("the index template %s is not of this version of newterms", s.Template)
		if len(s.Differs) > 0 {
			message = fmt.Sprintf("the mapping of %s is not of this version of newterms (%s)", s.Target, abbreviated(s.Differs))
		}
		c.warn("target", setUp, "%s", message)
	case alerts.Unknown:
		c.warn("target", "if newterms setup has not been run, run it: the first run makes the data stream",
			"%s is not there yet, and this user may not read index templates", s.Target)
	default:
		message := s.Target + " is set up"
		if !s.Exists {
			message += "; the first run makes the data stream"
		}
		c.ok("target", "%s", message)
	}
}

// abbreviated names the first few of a list.
func abbreviated(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}
