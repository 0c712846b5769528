package kibana

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/google/uuid"

	"newterms/esquery/elastic"
)

// ruleFiles are for the default targets, with a message as most connectors take
// it, so that they can be sent to Kibana by hand.
//
//go:embed rules/*.json
var ruleFiles embed.FS

// A Notifier is a rule of Kibana that tells people something of newterms.
type Notifier struct {
	// id makes it the same one the next time. Kibana takes nothing but UUIDs for
	// ids of rules.
	id string
	// forms are the rule in the order in which they are tried: Kibana may lack
	// what the first one needs.
	forms []form
}

type form struct {
	how  string // what sets it apart, for people
	rule map[string]any
}

// Notifiers are the rules for a space: of new alerts, of many with one cause, and of a
// job that does not succeed. The last is told of each rule where Kibana takes ES|QL, and
// else only once all rules stand still. Alerts of less than a novelty are left out; those
// whose novelty is not known are not.
func (s Space) Notifiers(alertsTarget, runsTarget string, novelty uint, c Connector) ([]Notifier, error) {
	newAlert, err := ruleFor("new-alert", ".alerts-newterms.detections-default", alertsTarget, c)
	if err == nil && novelty > 0 {
		err = leaveOut(newAlert, novelty)
	}
	if err != nil {
		return nil, err
	}
	oneCause, err := ruleFor("one-cause", ".alerts-newterms.runs-default", runsTarget, c)
	if err != nil {
		return nil, err
	}
	ofEach, err := ruleFor("no-success-of-a-rule", ".alerts-newterms.runs-default", runsTarget, c)
	if err != nil {
		return nil, err
	}
	ofAll, err := ruleFor("no-success", ".alerts-newterms.runs-default", runsTarget, c)
	if err != nil {
		return nil, err
	}
	return []Notifier{
		{s.ruleID("new alert", alertsTarget), []form{{"", newAlert}}},
		{s.ruleID("one cause", runsTarget), []form{{"", oneCause}}},
		{s.ruleID("no success", runsTarget), []form{{"of each rule", ofEach}, {"of all rules together", ofAll}}},
	}, nil
}

// leaveOut changes the query of a rule so that it ignores alerts of less than a novelty.
func leaveOut(rule map[string]any, novelty uint) error {
	params := rule["params"].(map[string]any)
	return within(params, "esQuery", func(query map[string]any) {
		filter := query["query"].(map[string]any)["bool"].(map[string]any)
		filter["must_not"] = append(filter["must_not"].([]any), map[string]any{"range": map[string]any{"newterms.novelty": map[string]any{"lt": novelty}}})
	})
}

// ruleID is made of what the rule is about and the space: ids are unique over all
// spaces.
func (s Space) ruleID(about, target string) string {
	name := s.Name
	if name == "" {
		name = "default"
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("newterms:"+name+"/"+target+"/"+about)).String()
}

// ruleFor reads a rule from its file and puts a target and a connector into it.
func ruleFor(file, defaultTarget, target string, c Connector) (map[string]any, error) {
	text, err := ruleFiles.ReadFile("rules/" + file + ".json")
	if err != nil {
		return nil, err
	}
	var rule map[string]any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), defaultTarget, target)), &rule); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, action := range rule["actions"].([]any) {
		action := action.(map[string]any)
		message := action["params"].(map[string]any)["message"].(string)
		action["id"], action["params"] = c.ID, c.params(rule["name"].(string), message)
	}
	return rule, nil
}

// An Outcome tells what Install did.
type Outcome struct {
	Did  string // "installed", "updated" or "unchanged"
	Name string // of the rule
	How  string // which form of it, and what Kibana says of a better one; "" if there is one form
}

// Install creates the rule, or changes an older one to it, and leaves one alone
// that says the same.
//
// https://www.elastic.co/docs/api/doc/kibana/operation/operation-post-alerting-rule-id
func (s Space) Install(ctx context.Context, n Notifier) (Outcome, error) {
	installed, err := s.rule(ctx, n.id)
	if err != nil {
		return Outcome{}, fmt.Errorf("look up the rule %s: %w", n.id, err)
	}
	why := ""
	for i, f := range n.forms {
		outcome := Outcome{Name: f.rule["name"].(string), How: f.how + why}
		outcome.Did, err = s.put(ctx, n.id, f.rule, installed)
		var refused *elastic.ResponseError
		if errors.As(err, &refused) && refused.Status == http.StatusBadRequest && i+1 < len(n.forms) {
			why = fmt.Sprintf(", since Kibana refuses it %s: %s", f.how, refused.Reason)
			continue
		}
		if err != nil {
			return outcome, fmt.Errorf("rule %s: %w", outcome.Name, err)
		}
		return outcome, nil
	}
	return Outcome{}, errors.New("a notifier has no form")
}

// rule returns a rule as Kibana has it, nil if it has none.
func (s Space) rule(ctx context.Context, id string) (map[string]any, error) {
	text, err := s.send(ctx, call{method: http.MethodGet, path: "api/alerting/rule/" + id})
	if elastic.HasStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	var rule map[string]any
	if err == nil && json.Unmarshal(text, &rule) != nil {
		err = otherAnswer(text)
	}
	return rule, err
}

func (s Space) put(ctx context.Context, id string, rule, installed map[string]any) (did string, err error) {
	method, body, did := http.MethodPost, rule, "installed"
	if installed != nil {
		method, body, did = http.MethodPut, map[string]any{}, "updated"
		for _, name := range []string{"name", "tags", "schedule", "params", "actions"} { // what can be changed
			body[name] = rule[name]
		}
		if holds(installed, body) {
			return "unchanged", nil
		}
	}
	text, err := encode(body)
	if err != nil {
		return "", err
	}
	_, err = s.send(ctx, call{method, "api/alerting/rule/" + id, "", "application/json", []byte(text)})
	return did, err
}

// holds reports whether what Kibana has says all that is wanted. It adds defaults
// and ids of its own.
func holds(has, wanted any) bool {
	switch wanted := wanted.(type) {
	case map[string]any:
		has, ok := has.(map[string]any)
		for name, value := range wanted {
			ok = ok && holds(has[name], value)
		}
		return ok
	case []any:
		has, ok := has.([]any)
		if !ok || len(has) != len(wanted) {
			return false
		}
		for i, value := range wanted {
			ok = ok && holds(has[i], value)
		}
		return ok
	}
	return reflect.DeepEqual(has, wanted)
}
