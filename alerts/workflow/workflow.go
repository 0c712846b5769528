// Package workflow has the status of an alert's triage, and the decisions that an alert
// keeps.
package workflow

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
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
