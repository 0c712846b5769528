package check

import (
	"context"

	"newterms/alerts"
	"newterms/esquery/inspect"
)

// hidden reports what Elasticsearch hides from this user in the rule's indices.
func (c *ruleCheck) hidden(ctx context.Context, h inspect.Health) {
	hidden, err := c.restricted.Find(ctx, c.Client, h.Indices, c.Search.Indices, h.Names)
	if err != nil {
		c.fail("hidden", err)
	}
	for _, r := range hidden {
		if r.Fields != nil {
			c.warn("hidden", problem(FieldsHidden, "%s: the rule works as if no event had a value there", r))
			continue
		}
		c.partly = true
		c.warn("hidden", problem(DocumentsHidden, "%s: events are missed, and known pairs may look new", r))
	}
}

// hiddenTargets reports what Elasticsearch hides from this user in the targets.
func (s *commonCheck) hiddenTargets(ctx context.Context) {
	targets := []string{s.AlertsTarget, s.RunsTarget}
	hidden, err := s.restricted.Find(ctx, s.Client, targets, targets, alerts.ReadFields())
	if err != nil {
		s.fail("hidden", err)
	}
	for _, r := range hidden {
		s.warn("hidden", problem(DocumentsHidden, "%s: a run does not see which pairs are alerted already, or what earlier runs have covered", r))
	}
}
