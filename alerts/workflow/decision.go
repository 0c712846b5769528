package workflow

import (
	"maps"
	"slices"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// IsLast reports whether the decision is the last of an alert: an attempt whose answer
// was lost has written it.
func (d Decision) IsLast(a Alert) bool {
	list, _ := a.decisions()
	if len(list) == 0 {
		return false
	}
	last, _ := list[len(list)-1].(map[string]any)
	user, _ := last["user"].(string)
	return last["status"] == string(d.Status) && last["at"] == words.Stamp(d.At) && user == d.User
}

// IsNew reports whether the decision changes an alert, and whether it changes its status.
func (d Decision) IsNew(a Alert) (changes, status bool) {
	status = a.Status() != d.Status
	has := a.Assignees()
	assigns := d.Assignees != nil && !slices.EqualFunc(has, d.Assignees, func(id any, assignee string) bool { return id == assignee })
	return status || assigns, status
}

// Document returns the part of an alert that the decision replaces. It adds the decision
// to the earlier ones.
func (d Decision) Document(a Alert) map[string]any {
	document := map[string]any{}
	entry := map[string]any{"at": words.Stamp(d.At), "status": string(d.Status), "user": d.User, "comment": d.Comment}
	if d.Assignees != nil {
		document["kibana.alert.workflow_assignee_ids"] = d.Assignees
		entry["assignee_ids"] = d.Assignees
	}
	if _, status := d.IsNew(a); status {
		entry["reason"] = d.Reason
		maps.Copy(document, map[string]any{
			"kibana.alert.workflow_status":            d.Status,
			"kibana.alert.workflow_status_updated_at": words.Stamp(d.At),
			"kibana.alert.workflow_user":              orNil(d.User),
			"kibana.alert.workflow_reason":            orNil(d.Reason),
			commentField:                              orNil(d.Comment),
		})
		maps.Copy(document, d.times(a))
	}
	list, omitted := a.decisions()
	list = append(slices.Clone(list), withoutEmpty(entry))
	if over := len(list) - maxDecisions; over > 0 {
		list = slices.Delete(list, maxDecisions/2, maxDecisions/2+over)
		document[omittedField] = omitted + int64(over)
	}
	document[decisionsField] = list
	return document
}

// times returns the times to acknowledge and to close that a new status changes.
func (d Decision) times(a Alert) map[string]any {
	times := map[string]any{timeToCloseField: nil}
	written, err := time.Parse(time.RFC3339, a.Text("@timestamp"))
	if err != nil {
		return times
	}
	spent := max(0, d.At.Sub(written).Milliseconds()) // the clocks may differ
	switch _, has := elastic.Lookup(a, timeToAcknowledgeField); {
	case d.Status == Closed:
		times[timeToCloseField] = spent
	case d.Status == Acknowledged && !has:
		times[timeToAcknowledgeField] = spent
	}
	return times
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// withoutEmpty removes the members that are "".
func withoutEmpty(members map[string]any) map[string]any {
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == "" })
	return members
}
