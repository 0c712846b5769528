package failure

import "newterms/job/check"

// problemAdvice is for what check found.
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
		check.TargetPipeline:    PipelineAdvice,
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
