// Package workflow has the status of an alert's triage, and the decisions that an alert
// keeps.
package workflow

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// A Status is the status of an alert's triage.
type Status string

// The workflow statuses. A new alert is open.
const (
	Open         Status = "open"
	Acknowledged Status = "acknowledged"
	Closed       Status = "closed"
)

// Reasons lists the reasons for which Kibana closes an alert.
func Reasons() []string {
	return []string{"false_positive", "duplicate", "true_positive", "benign_positive", "automated_closure", "other"}
}

// The longest texts of a Decision, in bytes.
const (
	maxComment  = 4096
	maxAssignee = 256
)

// A Decision is a new status of alerts, or new assignees: by whom and why.
type Decision struct {
	Status    Status
	User      string   // who decides; "" if the user has no name
	Reason    string   // one of Reasons; "" if none is given
	Comment   string   // of at most maxComment bytes
	Assignees []string // in place of others; empty removes them, nil keeps them
	At        time.Time
}

// Check returns an error about a text of the decision. It begins with reason, comment or
// assign.
func (d Decision) Check() error {
	reasons := Reasons()
	switch {
	case d.Reason != "" && !slices.Contains(reasons, d.Reason):
		last := len(reasons) - 1
		return fmt.Errorf("reason: %q is none of %s and %s; write a text of your own with --comment", words.Shortened(d.Reason, 40), strings.Join(reasons[:last], ", "), reasons[last])
	case len(d.Comment) > maxComment:
		return fmt.Errorf("comment: it has %d bytes, and an alert keeps at most %d", len(d.Comment), maxComment)
	}
	for _, user := range d.Assignees {
		switch {
		case strings.TrimSpace(user) == "":
			return errors.New("assign: the user is empty")
		case len(user) > maxAssignee:
			return fmt.Errorf("assign: the user has %d bytes, and an alert keeps at most %d", len(user), maxAssignee)
		}
	}
	return nil
}

// maxDecisions is how many decisions an alert keeps: the first and the last half. With
// comments of maxComment bytes they take 400 kB.
const maxDecisions = 100

// The fields of an alert that hold its decisions. The times are milliseconds from the
// alert's @timestamp. The time to acknowledge is that of the first acknowledgement. The
// time to close is that of the last closing, if the alert is still closed.
const (
	decisionsField         = "newterms.decisions"
	omittedField           = "newterms.decisions_omitted"
	commentField           = "newterms.workflow_comment"
	timeToAcknowledgeField = "newterms.time_to_acknowledge_ms"
	timeToCloseField       = "newterms.time_to_close_ms"
)

// An Alert is what an alert says about its decisions: the Fields of its source, or more.
// Others may have written them.
type Alert map[string]any

// Fields lists the fields that an Alert needs.
func Fields() []string {
	return []string{"@timestamp", "kibana.alert.workflow_*", "newterms.decisions*", commentField, timeToAcknowledgeField, timeToCloseField}
}

// Text returns the text of a field; "" for another value.
func (a Alert) Text(field string) string {
	value, _ := elastic.Lookup(a, field)
	text, _ := value.(string)
	return text
}

// Status returns the workflow status.
func (a Alert) Status() Status {
	return Status(a.Text("kibana.alert.workflow_status"))
}

// Assignees returns the ids of the assignees as a list, even if there is only one.
func (a Alert) Assignees() []any {
	value, _ := elastic.Lookup(a, "kibana.alert.workflow_assignee_ids")
	switch v := value.(type) {
	case []any:
		return v
	case nil:
		return nil
	}
	return []any{value}
}

// decisions returns the decisions on the alert, oldest first, and how many were omitted.
// If the status is of no decision that the alert holds, it is the last: an earlier
// version, or another program, has set it.
func (a Alert) decisions() (list []any, omitted int64) {
	value, _ := elastic.Lookup(a, decisionsField)
	list, isList := value.([]any)
	if !isList && value != nil {
		list = []any{value}
	}
	value, _ = elastic.Lookup(a, omittedField)
	if number, ok := value.(json.Number); ok {
		omitted, _ = number.Int64()
	}
	at, last := a.Text("kibana.alert.workflow_status_updated_at"), Open
	isKnown := at == ""
	for _, entry := range list {
		entry, _ := entry.(map[string]any)
		if status, ok := entry["status"].(string); ok {
			last = Status(status)
		}
		isKnown = isKnown || entry["at"] == at
	}
	if status := cmp.Or(a.Status(), Open); !isKnown || status != last {
		list = append(list, withoutEmpty(map[string]any{
			"at": at, "status": string(status), "user": a.Text("kibana.alert.workflow_user"), "reason": a.Text("kibana.alert.workflow_reason"),
			"comment": a.Text(commentField),
		}))
	}
	return list, omitted
}

// A Past is a decision that an alert keeps. Texts are "" if it has none.
type Past struct {
	At        string   `json:"at,omitempty"` // RFC 3339
	Status    string   `json:"status,omitempty"`
	User      string   `json:"user,omitempty"`
	Reason    string   `json:"reason,omitempty"`
	Comment   string   `json:"comment,omitempty"`
	Assignees []string `json:"assignee_ids,omitempty"` // nil if it keeps them
}

// Decisions returns the decisions that the alert keeps.
func (a Alert) Decisions() []Past {
	list, _ := a.decisions()
	var all []Past
	for _, entry := range list {
		members, _ := entry.(map[string]any)
		text := func(name string) string { return fields.Text(members[name]) }
		d := Past{text("at"), text("status"), text("user"), text("reason"), text("comment"), nil}
		if ids, given := members["assignee_ids"]; given {
			d.Assignees = []string{}
			many, isList := ids.([]any)
			if !isList {
				many = []any{ids}
			}
			for _, id := range many {
				d.Assignees = append(d.Assignees, fields.Text(id))
			}
		}
		all = append(all, d)
	}
	return all
}

// IsLast reports whether the decision is the last of an alert: an attempt whose answer
// was lost has written it.
func (d Decision) IsLast(a Alert) bool {
	list, _ := a.decisions()
	if len(list) == 0 {
		return false
	}
	last, _ := list[len(list)-1].(map[string]any)
	user, _ := last["user"].(string)
	return last["status"] == string(d.Status) && last["at"] == elastic.Timestamp(d.At) && user == d.User
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
	entry := map[string]any{"at": elastic.Timestamp(d.At), "status": string(d.Status), "user": d.User, "comment": d.Comment}
	if d.Assignees != nil {
		document["kibana.alert.workflow_assignee_ids"] = d.Assignees
		entry["assignee_ids"] = d.Assignees
	}
	if _, status := d.IsNew(a); status {
		entry["reason"] = d.Reason
		maps.Copy(document, map[string]any{
			"kibana.alert.workflow_status":            d.Status,
			"kibana.alert.workflow_status_updated_at": elastic.Timestamp(d.At),
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
