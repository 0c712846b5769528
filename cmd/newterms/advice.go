package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"

	"newterms/alerts"
	"newterms/deploy/kibana"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job"
	"newterms/job/check"
	"newterms/job/rule"
)

// withAdvice is an error in one line, for a log where a line is an event, with
// what to do about it.
func withAdvice(err error) string {
	line := strings.ReplaceAll(err.Error(), "\n", "; ")
	if do := advice(err); do != "" {
		line += ": " + do
	}
	return line
}

// advice is the one place that says what to do about an error, a warning or a
// problem that check found. It is "" where the text of the error says it, as
// texts about the command line and the settings do.
func advice(err error) string {
	var found *check.Problem
	var lacking *job.LackingTerms
	var gap *job.Gap
	var leftOut *job.LeftOut
	var rejected *alerts.RejectedError
	var inTheWay *alerts.TargetError
	var ofConnector *kibana.ConnectorError
	var fromKibana kibanaError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &found):
		return problemAdvice(found)
	case errors.As(err, &gap):
		return "the outage was longer than NEWTERMS_MAX_CATCHUP; run it by hand with " + gap.Rerun
	case errors.As(err, &lacking):
		return termAdvice(lacking.Fields()...)
	case is[*job.NoHistory](err):
		return "nothing to do if the source is that new; otherwise check the indices and how long they are kept"
	case is[*job.PassedOver](err):
		return "open or restore them, let the user read them, or leave them out with NEWTERMS_INDEX"
	case is[*job.Unmapped](err):
		return unmappedAdvice
	case is[*job.TimeLimited](err):
		return timeAdvice
	case is[*job.TextNetworks](err):
		return networkAdvice
	case is[*job.FutureRun](err):
		return "check the clocks of the cluster's nodes"
	case is[*job.Forgotten](err):
		return "nothing to do if the rule is new here; otherwise run by hand from where it last looked (newterms run --from), and keep runs for longer than it may pause"
	case is[*job.SourceOff](err):
		return keepSource
	case is[*job.OtherSearch](err):
		return "nothing to do if that is meant; otherwise look for a second job, or for runs by hand without --from"
	case errors.As(err, &leftOut) && leftOut.Unreadable():
		return plainJSON
	case leftOut.Gone():
		return "nothing to do: it was deleted after the run had found it, and the alert has its pair and its time"
	case leftOut != nil:
		return "nothing to do: it does not fit the alerts mapping, and the event itself still has it"
	case is[*alerts.NoStreamError](err):
		return "nothing to do: the first write creates it; until then its dashboard has no fields to show"
	case is[*alerts.UnknownAlertsError](err):
		return "an id is the _id of an alert: kibana.alert.uuid on the dashboard, _id in newterms run --output ndjson"
	case isOfKeys(err):
		return keysAdvice(err)
	case is[*alerts.NewerDataError](err):
		return "run that version or a later one, or set NEWTERMS_NAMESPACE so that this one has targets of its own"
	case is[*alerts.ConflictError](err):
		return "do it again"
	case errors.As(err, &ofConnector):
		return "set KIBANA_CONNECTOR_ID to one of this space, as Stack Management > Connectors lists them, and for e-mail KIBANA_CONNECTOR_TO; " +
			"for other types install deploy/kibana/rules by hand"
	case errors.As(err, &fromKibana):
		return kibanaAdvice(fromKibana)
	case is[*alerts.PipelineError](err):
		return pipelineAdvice + "; until then each run covers this window again"
	case errors.As(err, &rejected):
		return rejectionAdvice(rejected)
	case errors.As(err, &inTheWay):
		return targetAdvice(inTheWay)
	case alerts.IsOtherMapping(err):
		return "the target was not made by the index template of newterms: run newterms setup, which names what is in the way"
	case is[*job.Uncounted](err):
		return "nothing to do: they are excluded all the same"
	case is[*job.MaxAlertsError](err):
		return "look at them with --dry-run, then raise NEWTERMS_MAX_ALERTS or exclude what is known"
	case is[*job.PrintError](err):
		return "see to what reads stdout, or run with --output none; " + covered + ", and what is written counts as already alerted"
	case errors.Is(err, job.ErrTerminated):
		return covered
	case is[*rule.Error](err):
		return "correct the rule or leave it out"
	}
	return clusterAdvice(err)
}

// clusterAdvice is for what Elasticsearch answers, or that it does not.
func clusterAdvice(err error) string {
	var refused interface{ StatusCode() int }
	var scheme *elastic.SchemeError
	var misfit *esquery.MappingError
	switch {
	case is[*elastic.VersionError](err):
		return "upgrade Elasticsearch, or point ELASTICSEARCH_URL to another cluster"
	case is[*esquery.TypeError](err):
		return "use another field in the rule, reindex the indices that differ, or leave them out with NEWTERMS_INDEX"
	case errors.As(err, &misfit) && misfit.Forbidden:
		return "write it with values in the place of patterns and ranges, or let the cluster allow such queries"
	case misfit != nil && strings.HasPrefix(misfit.Part, string(esquery.OfFilter)):
		return "correct the filter"
	case misfit != nil && misfit.Part != "":
		return "correct it; a network is written 203.0.113.0/24"
	case is[*esquery.MappingError](err):
		return "correct what it names in the rule, --exclude, NEWTERMS_EXCLUDE, NEWTERMS_EXCLUDE_FILE or the exception list; a network is written 203.0.113.0/24"
	case is[*esquery.NotFoundError](err):
		return "install the integration that collects the events, or set NEWTERMS_INDEX to where they are; " +
			"the user or API key must be allowed to read there"
	case errors.As(err, &scheme):
		return "let ELASTICSEARCH_URL begin with " + scheme.Scheme + "://"
	case is[*tls.CertificateVerificationError](err):
		return certificateAdvice(err, "ELASTICSEARCH_URL", "ELASTICSEARCH_CA")
	case is[*elastic.RedirectError](err):
		return "let ELASTICSEARCH_URL lead to Elasticsearch itself: no redirect is followed"
	case is[*esquery.NameError](err):
		return "correct NEWTERMS_INDEX, or the index patterns of the rule"
	case elastic.TooMuchToAsk(err):
		return "the rule with its exclusions has more clauses than the cluster allows for its heap: exclude fewer or larger networks, " +
			"and single addresses and names rather than wildcards"
	case is[*elastic.TimeoutError](err):
		return "check the health of the cluster, ELASTICSEARCH_URL and the network, or raise NEWTERMS_REQUEST_TIMEOUT"
	case is[*elastic.NoAnswerError](err):
		return "check ELASTICSEARCH_URL and the network"
	case errors.Is(err, elastic.ErrOtherProduct):
		return "check ELASTICSEARCH_URL"
	case errors.As(err, &refused):
		switch status := refused.StatusCode(); {
		case status == http.StatusUnauthorized:
			return "check ELASTICSEARCH_API_KEY, which may be revoked or expired, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
		case isBlocked(err):
			return "remove the block, which is no missing privilege: it is in the settings of the index (index.blocks), often for a full disk"
		case status == http.StatusForbidden:
			return "grant this privilege to the API key or user (deploy/elasticsearch has what they need)"
		case status == http.StatusNotFound && hasCause(err, "index_not_found_exception"):
			return "run newterms setup if that was not done yet"
		case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
			return "the cluster is busy or broken; " + covered
		}
	case errors.Is(err, elastic.ErrIncomplete):
		return "nothing is concluded from it; check the health of the cluster; " + covered
	}
	return ""
}

// pipelineAdvice is for an ingest pipeline on a target.
const pipelineAdvice = "take the pipeline off the target (set index.default_pipeline and index.final_pipeline to _none), or let it pass the documents of newterms as they are"

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

// certificateAdvice is for the certificate of a server that is not trusted.
func certificateAdvice(err error, url, authority string) string {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the certificate of the server, or its authority's, or set the clock of this machine"
	case is[x509.HostnameError](err):
		return "let " + url + " have a host name that the certificate is for, or the certificate that host name"
	}
	return "set " + authority + " to the certificate of its authority"
}

func kibanaAdvice(err kibanaError) string {
	var scheme *elastic.SchemeError
	switch {
	case errors.As(err, &scheme):
		return "let KIBANA_URL begin with " + scheme.Scheme + "://"
	case is[*tls.CertificateVerificationError](err):
		return certificateAdvice(err, "KIBANA_URL", "KIBANA_CA")
	case is[*elastic.RedirectError](err):
		return "let KIBANA_URL lead to Kibana itself, with its base path if it has one: no redirect is followed"
	case isStatus(err, http.StatusUnauthorized):
		return "check KIBANA_API_KEY"
	case isStatus(err, http.StatusForbidden):
		return "grant Kibana's privilege " + err.needs + " in this space to the API key or user"
	case isStatus(err, http.StatusNotFound):
		return "check KIBANA_URL, with Kibana's base path if it has one, and KIBANA_SPACE"
	}
	return "check KIBANA_URL"
}

func problemAdvice(p *check.Problem) string {
	const (
		setUp  = "run newterms setup with the setup key"
		agent  = "check that the Elastic Agent with the integration runs"
		clock  = "synchronize the clock of this machine (NTP)"
		lookAt = "look at the CronJob (kubectl get cronjob,job,pod) and at the log of its pods"
		ifNew  = "nothing to do if the CronJob is new; otherwise " + lookAt
	)
	switch p.Kind {
	case check.TermUnmapped, check.TermLacking:
		return termAdvice(p.Field)
	}
	return map[check.Kind]string{
		check.TemplateMissing:   setUp,
		check.TemplateOutdated:  setUp,
		check.TemplateUnknown:   "run newterms setup if that was not done yet, or again to see whether something is in its way; the first write creates the data stream",
		check.TargetPipeline:    pipelineAdvice,
		check.ClockDiffers:      clock,
		check.IndexUnavailable:  "open or restore it, let the user read it, or leave it out with NEWTERMS_INDEX",
		check.DocumentsHidden:   wholeAdvice,
		check.FieldsHidden:      wholeAdvice,
		check.SlowRefresh:       "raise NEWTERMS_OVERLAP to more than that, or set index.refresh_interval lower",
		check.YoungSource:       "nothing to do if the source is that new; otherwise keep its indices for longer than the history window",
		check.SourceOff:         keepSource,
		check.SourceUnreadable:  plainJSON,
		check.TermIgnored:       "raise ignore_above in the mapping of the field, or see why its values are malformed",
		check.NoEvents:          agent + ", and that NEWTERMS_INDEX is right",
		check.StaleEvents:       agent,
		check.LateEvents:        "check the Elastic Agent and Okta's rate limits: a run sees an event only once it is ingested",
		check.LateUnseen:        "let the rule date them by event.ingested (timestamp_override), or raise NEWTERMS_OVERLAP to more than that",
		check.LateUnknown:       "set event.ingested at ingest and let the rule date them by it (timestamp_override), or raise NEWTERMS_OVERLAP to be sure",
		check.AheadEvents:       "check the clocks of the hosts that they come from, and the time zone with which their times are read",
		check.NothingMatches:    "nothing to do if there are none; otherwise compare the query (newterms rule) with an event",
		check.TimestampUnmapped: "set the field at ingest, or change the rule's timestamp_override; nothing to do if another field dates the events and none is late",
		check.FieldUnmapped:     unmappedAdvice,
		check.SeveralTypes:      "reindex the indices that differ",
		check.ExcludesNothing:   "nothing to do if there were no such events; otherwise compare the field and the letter case of the value with an event, or remove it",
		check.NetworkInText:     networkAdvice,
		check.ExcludesAll:       "the rule can find nothing: make it narrower, or disable the rule",
		check.NoRun:             ifNew,
		check.NoSuccess:         ifNew,
		check.RunFailed:         "the next run covers its window again; if it keeps failing, " + lookAt,
		check.RunNeverEnded:     lookAt,
		check.RunsStale:         lookAt,
		check.TimeLimited:       timeAdvice,
		check.TwoJobs:           "give both the same exclusions, or each targets of its own with NEWTERMS_NAMESPACE",
	}[p.Kind]
}

// unmappedAdvice is for fields that the indices do not have, as this user sees them.
const unmappedAdvice = "check that the events are of the kind that the rule expects, and that no field-level security hides the fields from the user or API key"

// wholeAdvice is for a user to whom Elasticsearch shows only a part.
const wholeAdvice = "let a user or API key without this restriction run: newterms keys makes one for a user who sees all of it"

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
