package check

import (
	"newterms/job"
	"newterms/job/limits"
)

func (p *Problem) Advice() string {
	const (
		setUp  = "run newterms setup with the setup key"
		agent  = "check that the Elastic Agent with the integration runs"
		clock  = "synchronize the clock of this machine (NTP)"
		lookAt = "check the CronJob (kubectl get cronjob,job,pod) and the log of its pods"
		ifNew  = "nothing to do if the CronJob is new; otherwise " + lookAt
	)
	switch p.Kind {
	case TermUnmapped, TermLacking:
		return job.TermAdvice(p.Field)
	}
	return map[Kind]string{
		TemplateMissing:   setUp,
		TemplateOutdated:  setUp,
		TemplateUnknown:   "run newterms setup if you have not yet, or again to see whether something is in its way; the first write creates the data stream",
		OtherVersion:      setUp + ", after the image of each job is upgraded",
		ClockDiffers:      clock,
		IndexUnavailable:  "open or restore it, let the user read it, or leave it out with NEWTERMS_INDEX",
		DocumentsHidden:   wholeAdvice,
		FieldsHidden:      wholeAdvice,
		SlowRefresh:       "raise NEWTERMS_OVERLAP to more than that, or set index.refresh_interval lower",
		YoungSource:       "nothing to do if the source is that new; otherwise keep its indices for longer than the history window",
		SourceOff:         limits.KeepSourceAdvice,
		SourceUnreadable:  job.PlainJSONAdvice,
		TermIgnored:       "raise ignore_above in the mapping of the field, or find out why its values are malformed",
		NoEvents:          agent + ", and that NEWTERMS_INDEX is right",
		StaleEvents:       agent,
		LateEvents:        "check the Elastic Agent and Okta's rate limits: a run sees an event only once it is ingested",
		LateUnseen:        "let the rule date them by event.ingested (timestamp_override), or raise NEWTERMS_OVERLAP to more than that",
		LateUnknown:       "set event.ingested at ingest and let the rule date them by it (timestamp_override), or raise NEWTERMS_OVERLAP to be sure",
		AheadEvents:       "check the clocks of the hosts that send them, and the time zone in which their times are parsed",
		NothingMatches:    "nothing to do if there are none; otherwise compare the query (newterms rule) with an event",
		TimestampUnmapped: "set the field at ingest, or change the rule's timestamp_override; nothing to do if another field dates the events and none is late",
		FieldUnmapped:     limits.UnmappedAdvice,
		SeveralTypes:      "reindex the indices that differ",
		ExcludesNothing:   "nothing to do if there were no such events; otherwise compare the field and the letter case of the value with an event, or remove it",
		NetworkInText:     limits.NetworkAdvice,
		ExcludesAll:       "the rule can find nothing: narrow the exclusion, or disable the rule",
		NoRun:             ifNew,
		NoSuccess:         ifNew,
		RunFailed:         "the next run covers its window again; if it keeps failing, " + lookAt,
		RunNeverEnded:     lookAt,
		RunsStale:         lookAt,
		TimeLimited:       limits.TimeAdvice,
		BesideKibana:      "disable the rule in Kibana, or compare both for a while (newterms compare --from now-14d) and then disable one",
		TwoJobs:           "give both jobs the same exclusions, or each its own targets with NEWTERMS_NAMESPACE",
	}[p.Kind]
}

// wholeAdvice is the advice to a user from whom a part is hidden.
const wholeAdvice = "run newterms as a user or API key without this restriction: newterms keys makes such a key for a user who sees everything"
