package comparison

import "newterms/job/compare"

// meaning returns what a class means, in half a sentence.
func meaning(class compare.Class) string {
	return map[compare.Class]string{
		compare.RuleEdited:    "the rule differed between the two sides then",
		compare.Outside:       "one side did not run then",
		compare.GapShadow:     "first seen in a gap of Kibana's, and known to it afterwards",
		compare.Gap:           "Kibana did not search the time",
		compare.FailedRun:     "Kibana's run failed",
		compare.MaxSignals:    "Kibana's run reached its limit (max_signals)",
		compare.Suppressed:    "Kibana folded it into another alert",
		compare.Exception:     "one side excludes it, or did then",
		compare.HistoryEdge:   "seen before, but Kibana's history begins later",
		compare.FromEdge:      "exactly where Kibana's window begins",
		compare.Late:          "arrived after the other side's last run",
		compare.PartialSearch: "shards failed in Kibana's run, so the pair looked new",
		compare.Duplicate:     "Kibana alerted the pair for another event too",
		compare.LateHistory:   "an earlier event arrived later",
		compare.Manual:        "it was a manual run of Kibana's",
		compare.QueryTime:     "the query depends on the time of the run",
		compare.FieldValues:   "Kibana skips events that lack a term",
		compare.OursFailed:    "the run of newterms failed, or left a gap",
		compare.NotKnowable:   "the documents that would show it cannot be read",
		compare.Unexplained:   "nothing shows why",
		compare.OtherEvent:    "alerted for another event of the pair",
		compare.Lag:           "one side wrote its alert later than its runs explain",
		compare.Severity:      "another severity",
	}[class]
}
