package failure

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/alerts/templates"
	"newterms/deploy/kibana"
	"newterms/job"
	"newterms/job/rule"
)

// Line returns an error and its advice in one line, for a log.
func Line(err error) string {
	line := strings.ReplaceAll(err.Error(), "\n", "; ")
	if do := Advice(err); do != "" {
		line += ": " + do
	}
	return line
}

// Advice returns what the user can do about an error, a warning or a problem that check
// found. An error's own Advice method comes first; the advice about others is here. It
// is "" where the error says it itself, as errors about the command line and the
// settings do.
func Advice(err error) string {
	var advised interface {
		error
		Advice() string
	}
	var rejected *alerts.RejectedError
	var targetErr *templates.TargetError
	var ofConnector *kibana.ConnectorError
	var fromKibana *kibana.RequestError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &advised):
		return advised.Advice()
	case Is[*templates.NoStreamError](err):
		return "nothing to do: the first write creates it; until then its dashboard has no fields to show"
	case Is[*alerts.UnknownAlertsError](err):
		return "an id is the _id of an alert (kibana.alert.uuid on the dashboard), or its first digits, at least 4, as newterms alerts shows them"
	case Is[*alerts.AmbiguousIDError](err):
		return "give more of its digits"
	case Is[*runs.NewerDataError](err):
		return "run that version or a later one, or set NEWTERMS_NAMESPACE so that this version has its own targets"
	case Is[*alerts.ConflictError](err):
		return "repeat the command"
	case errors.As(err, &ofConnector):
		return "set KIBANA_CONNECTOR_ID to a connector in this space (Stack Management > Connectors), and for e-mail also KIBANA_CONNECTOR_TO; " +
			"for other types install deploy/kibana/rules by hand"
	case errors.As(err, &fromKibana):
		return kibanaAdvice(fromKibana)
	case Is[*alerts.PipelineError](err):
		return templates.PipelineAdvice + "; until then each run covers this window again"
	case errors.As(err, &rejected):
		return rejectionAdvice(rejected)
	case errors.As(err, &targetErr):
		return targetAdvice(targetErr)
	case templates.IsOtherMapping(err):
		return "the target was not made by the index template of newterms: run newterms setup, which names what is in the way"
	case errors.Is(err, job.ErrTerminated):
		return job.Covered
	case Is[*rule.Error](err) && errors.Is(err, fs.ErrNotExist):
		return "correct the path"
	case Is[*rule.Error](err):
		return "correct the rule or leave it out"
	}
	return clusterAdvice(err)
}

func rejectionAdvice(e *alerts.RejectedError) string {
	switch e.Status {
	case http.StatusNotFound:
		return "run newterms setup, which installs the index templates, or names what is in the way, such as another index template or an index"
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return "the target refuses the alert even without its event; the other alerts are written; run newterms setup to update the mapping; " +
			"until then each run covers this window again"
	}
	return clusterAdvice(e)
}

func targetAdvice(e *templates.TargetError) string {
	const elsewhere = "choose another target (NEWTERMS_NAMESPACE, NEWTERMS_ALERTS_TARGET, NEWTERMS_RUNS_TARGET); then run newterms setup"
	switch e.Kind {
	case templates.SamePriority, templates.Overridden:
		return "give " + e.Template + " a lower priority or patterns that do not match the target, or " + elsewhere
	case templates.NoStream:
		return "rename or delete it, or " + elsewhere
	}
	return "delete the data stream, or " + elsewhere
}

// Attrs returns the keys and values that an error or a warning has for a log; nil if it
// has none. The Action of a warning is its event.action.
func Attrs(err error) []any {
	var attrs []any
	if acting, ok := errors.AsType[interface {
		Action() string
		error
	}](err); ok {
		attrs = append(attrs, "event.action", acting.Action())
	}
	if attributed, ok := errors.AsType[interface {
		Attrs() []any
		error
	}](err); ok {
		attrs = append(attrs, attributed.Attrs()...)
	}
	return attrs
}
