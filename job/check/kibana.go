package check

import (
	"context"
	"time"

	"newterms/esquery/elastic/words"
	"newterms/esquery/kibana"
	"newterms/esquery/query"
)

// besideWithin is how recent a run or an alert of Kibana's rule is if the rule is enabled:
// rules run every 5 minutes by default, and some once a day.
const besideWithin = 25 * time.Hour

// beside looks for a rule of Kibana's with the same rule_id. It says nothing where its
// traces cannot be read: a run does not need that privilege.
func (c *ruleCheck) beside(ctx context.Context) {
	if c.KibanaAlerts == "" || c.KibanaEvents == "" {
		return
	}
	now := c.Now()
	reader := kibana.NewReader(c.Client, c.KibanaAlerts, c.KibanaEvents)
	sign, _ := reader.LastSign(ctx, c.ID, c.Name, query.Range{From: now.Add(-besideWithin), To: now})
	if sign.At.IsZero() {
		return
	}
	what := map[bool]string{true: "alert", false: "run"}[sign.Alert]
	c.warn("kibana", problem(BesideKibana, "Kibana runs this rule too, so people are alerted twice: its last %s was at %s UTC", what, words.Second(sign.At)))
}
