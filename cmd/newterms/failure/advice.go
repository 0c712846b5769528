package failure

import (
	"errors"
	"net/http"
	"strings"

	"newterms/alerts"
	"newterms/deploy/kibana"
	"newterms/job"
	"newterms/job/check"
	"newterms/job/rule"
)

// Line is an error in one line, for a log where a line is an event, with
// what to do about it.
func Line(err error) string {
	line := strings.ReplaceAll(err.Error(), "\n", "; ")
	if do := Advice(err); do != "" {
		line += ": " + do
	}
	return line
}

// Advice is the one place that says what to do about an error, a warning or a
// problem that check found. It is "" where the text of the error says it, as
// texts about the command line and the settings do.
func Advice(err error) string {
	var found *check.Problem
	var lacking *job.LackingTerms
	var gap *job.Gap
	var leftOut *job.LeftOut
	var rejected *alerts.RejectedError
	var inTheWay *alerts.TargetError
	var ofConnector *kibana.ConnectorError
	var fromKibana *kibana.RequestError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &found):
		return problemAdvice(found)
	case errors.As(err, &gap):
		return "the outage was longer than NEWTERMS_MAX_CATCHUP; run it by hand with " + gap.Rerun
	case errors.As(err, &lacking):
		return termAdvice(lacking.Fields()...)
	case Is[*job.NoHistory](err):
		return "nothing to do if the source is that new; otherwise check the indices and how long they are kept"
	case Is[*job.PassedOver](err):
		return "open or restore them, let the user read them, or leave them out with NEWTERMS_INDEX"
	case Is[*job.Unmapped](err):
		return unmappedAdvice
	case Is[*job.TimeLimited](err):
		return timeAdvice
	case Is[*job.TextNetworks](err):
		return networkAdvice
	case Is[*job.FutureRun](err):
		return "check the clocks of the cluster's nodes"
	case Is[*job.Forgotten](err):
		return "nothing to do if the rule is new here; otherwise run by hand from where it last looked (newterms run --from), and keep runs for longer than it may pause"
	case Is[*job.SourceOff](err):
		return keepSource
	case Is[*job.OtherSearch](err):
		return "nothing to do if that is meant; otherwise look for a second job, or for runs by hand without --from"
	case errors.As(err, &leftOut) && leftOut.Unreadable():
		return plainJSON
	case leftOut.Gone():
		return "nothing to do: it was deleted after the run had found it, and the alert has its pair and its time"
	case leftOut != nil:
		return "nothing to do: it does not fit the alerts mapping, and the event itself still has it"
	case Is[*alerts.NoStreamError](err):
		return "nothing to do: the first write creates it; until then its dashboard has no fields to show"
	case Is[*alerts.UnknownAlertsError](err):
		return "an id is the _id of an alert: kibana.alert.uuid on the dashboard, _id in newterms run --output ndjson"
	case isOfKeys(err):
		return keysAdvice(err)
	case Is[*alerts.NewerDataError](err):
		return "run that version or a later one, or set NEWTERMS_NAMESPACE so that this one has targets of its own"
	case Is[*alerts.ConflictError](err):
		return "do it again"
	case errors.As(err, &ofConnector):
		return "set KIBANA_CONNECTOR_ID to one of this space, as Stack Management > Connectors lists them, and for e-mail KIBANA_CONNECTOR_TO; " +
			"for other types install deploy/kibana/rules by hand"
	case errors.As(err, &fromKibana):
		return kibanaAdvice(fromKibana)
	case Is[*alerts.PipelineError](err):
		return PipelineAdvice + "; until then each run covers this window again"
	case errors.As(err, &rejected):
		return rejectionAdvice(rejected)
	case errors.As(err, &inTheWay):
		return targetAdvice(inTheWay)
	case alerts.IsOtherMapping(err):
		return "the target was not made by the index template of newterms: run newterms setup, which names what is in the way"
	case Is[*job.Uncounted](err):
		return "nothing to do: they are excluded all the same"
	case Is[*job.MaxAlertsError](err):
		return "look at them with --dry-run, then raise NEWTERMS_MAX_ALERTS or exclude what is known"
	case Is[*job.PrintError](err):
		return "see to what reads stdout, or run with --output none; " + covered + ", and what is written counts as already alerted"
	case errors.Is(err, job.ErrTerminated):
		return covered
	case Is[*rule.Error](err):
		return "correct the rule or leave it out"
	}
	return clusterAdvice(err)
}

// PipelineAdvice is for an ingest pipeline on a target.
const PipelineAdvice = "take the pipeline off the target (set index.default_pipeline and index.final_pipeline to _none), or let it pass the documents of newterms as they are"

// timeAdvice is for a rule that limits the time itself.
const timeAdvice = "take it out of the query, filter or exclusion: the window of a run and history_window_start say which time counts"

// keepSource is for indices without the _source of their events.
const keepSource = "let their template keep _source, at least a synthetic one, and roll over or reindex; or leave them out with NEWTERMS_INDEX"

const plainJSON = "let what sends such events write plain JSON in UTF-8: no other encoding, no YAML, no comments"

// covered is what becomes of a window whose run failed.
const covered = "the next scheduled run covers the window again; repeat what was started by hand"

func rejectionAdvice(e *alerts.RejectedError) string {
	switch e.Status {
	case http.StatusNotFound:
		return "run newterms setup, which installs the index templates, or names what is in the way, such as another index template or an index"
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return "the other alerts are written; it is refused even without its event, so run newterms setup to bring the mapping up to date; " +
			"until then each run covers this window again"
	}
	return clusterAdvice(e)
}

func targetAdvice(e *alerts.TargetError) string {
	const elsewhere = "choose another target (NEWTERMS_NAMESPACE, NEWTERMS_ALERTS_TARGET, NEWTERMS_RUNS_TARGET); then run newterms setup"
	switch e.Kind {
	case alerts.SamePriority, alerts.Overridden:
		return "give " + e.Template + " a lower priority or patterns that leave the target out, or " + elsewhere
	case alerts.NoStream:
		return "rename or delete it, or " + elsewhere
	}
	return "delete the data stream, or " + elsewhere
}

// networkAdvice is for networks of a field that is no ip.
const networkAdvice = "map the field as ip, or exclude addresses by their text (203.0.113.*)"

// termAdvice is for new-terms fields that events lack.
func termAdvice(fields ...string) string {
	const count = "let its absence count as a term with NEWTERMS_MISSING_TERMS=include"
	for _, field := range fields {
		if strings.HasPrefix(field, "cloud.") {
			return "cloud.* of Okta events does not come from Okta but from the host of the Elastic Agent (add_cloud_metadata): run the agent on a cloud host, " +
				"set the field in the ingest pipeline logs-okta.system@custom, or " + count
		}
	}
	return "set the field at ingest, or " + count
}
