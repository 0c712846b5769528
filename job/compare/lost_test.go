package compare_test

import (
	"slices"
	"time"

	"newterms/job/compare"
)

// lose takes documents away, which nothing tells of: the differences that follow have
// no known cause. A query that compares a time with now would be one for all.
func (f *fortnightCase) lose() {
	if f.log != "" {
		f.loseLog()
	}
	if f.timed {
		for i, t := range f.truths {
			if t.classes[0] == compare.Unexplained {
				f.truths[i].classes = append(t.classes, compare.QueryTime)
			}
		}
		return
	}
	f.loseAlerts()
	if f.log == "" {
		f.loseRuns()
	}
	f.loseEvents()
}

// loseAlerts takes alerts of pairs away that both sides alert, some of them in a place
// where a cause for others is near.
func (f *fortnightCase) loseAlerts() {
	near := []string{
		"ordinary", "caught up", "before the outage", "of both queries", "after a failed run", "late but searched", "before the edge", "array", "tie",
		"found by the next run", "after the beginning",
	}
	var both []*kibanaAlert
	for _, a := range f.alerts {
		if slices.Contains(near, f.pairs[a.pair]) && f.inRange(a.event.at) {
			both = append(both, a)
		}
	}
	f.random.Shuffle(len(both), func(a, b int) { both[a], both[b] = both[b], both[a] })
	for _, a := range both[:min(len(both), f.random.IntN(5))] {
		s, _ := f.spanOf(a.run.slot)
		kind := f.pairs[a.pair]
		switch f.random.IntN(3) {
		case 0:
			f.lostOurs = append(f.lostOurs, truth{pair: a.pair, at: a.event.at})
			f.unknown(compare.OnlyKibana, a.pair, a.event.at, "our alert lost: "+kind)
		case 1:
			f.lostAlerts[a] = true
			f.unknown(compare.OnlyNewterms, a.pair, a.event.at, "Kibana's alert lost: "+kind)
		case 2:
			if s.kind != "" || kind != "ordinary" || !f.soloOf(a.run.slot, a.event.at) {
				continue
			}
			f.lostAlerts[a], f.lostRuns[a.run] = true, true
			for i, t := range f.truths {
				if a.run.windows[0].covers(t.at) { // what the run decided may be in the dark, too
					f.truths[i].classes = append(t.classes, compare.Unexplained)
				}
			}
			f.unknown(compare.OnlyNewterms, a.pair, a.event.at, "Kibana's alert and its run lost")
		}
	}
}

func (f *fortnightCase) inRange(t time.Time) bool { return !t.Before(f.start) && t.Before(f.end()) }

func (f *fortnightCase) soloOf(slot int, t time.Time) bool {
	from, to := f.solo(slot)
	return t.After(from) && !t.After(to)
}

func (f *fortnightCase) unknown(side compare.Side, p pair, at time.Time, kind string) {
	f.pairs[p] = kind
	f.expect(side, p, at, compare.Unexplained)
	if t := &f.truths[len(f.truths)-1]; f.unlogged(*t) {
		t.classes = append(t.classes, compare.NotKnowable)
	}
}

// loseRuns takes the log's documents of a failed run away, or those of a gap.
func (f *fortnightCase) loseRuns() {
	for _, s := range f.spans {
		if !f.chance(3) {
			continue
		}
		switch s.kind {
		case "failed":
			for slot := s.first; slot < s.past; slot++ {
				f.lostRuns[f.run(slot)] = true
			}
			f.judge("failed_run", f.slotTime(s.first-1), f.slotTime(s.past), compare.Unexplained)
		case "outage": // the gap's document; the next run's metrics still tell of it
			if e := f.run(s.past); e.gap != (window{}) && !f.bare {
				e.gapLost = true
			}
		}
	}
}

// judge sets the cause of the pairs of a kind.
func (f *fortnightCase) judge(kind string, from, to time.Time, classes ...compare.Class) {
	for i, t := range f.truths {
		if t.kind == kind && t.at.After(from) && t.at.Before(to) {
			f.truths[i].classes, f.truths[i].kind = classes, "lost: "+kind
		}
	}
}

// loseEvents takes events away that made a difference, or none.
func (f *fortnightCase) loseEvents() {
	for i, t := range f.truths {
		if !f.chance(8) {
			continue
		}
		var all []*sighting
		for _, s := range f.events {
			if slices.Contains(f.pairsOf(s), t.pair) && !s.at.After(t.at) {
				all = append(all, s)
			}
		}
		slices.SortFunc(all, func(a, b *sighting) int { return b.at.Compare(a.at) })
		switch t.kind {
		case "history_edge": // the sighting that only our history reaches
			f.lostEvents = append(f.lostEvents, all[1])
			f.truths[i].classes, f.truths[i].kind = []compare.Class{compare.Unexplained}, "lost: history"
			if f.unlogged(t) {
				f.truths[i].classes = append(f.truths[i].classes, compare.NotKnowable)
			}
		case "late": // whose time of arrival our alert may tell
			f.lostEvents = append(f.lostEvents, all[0])
			f.truths[i].classes, f.truths[i].kind = append(t.classes, compare.Unexplained), "lost: late event"
		}
	}
}

// loseLog takes the log away, or its beginning.
func (f *fortnightCase) loseLog() {
	f.logFrom = f.end().Add(100 * day)
	if f.log == "late" {
		f.logFrom = f.start.Add(3*day + f.share(5*day, 0, 1))
	}
	f.logSince = f.logFrom
	if i := slices.IndexFunc(f.runs, func(e *execution) bool { return !e.manual() && !e.at.Before(f.logFrom) }); i >= 0 {
		f.logSince = f.runs[i].at
	}
	for i, t := range f.truths {
		if !f.unlogged(t) {
			continue
		}
		switch t.classes[0] { // with what Kibana's alerts tell there may be more to say
		case compare.HistoryEdge, compare.PartialSearch, compare.LateHistory, compare.Exception, compare.Unexplained:
			f.truths[i].classes = append(t.classes, compare.NotKnowable, compare.Unexplained)
		case compare.GapShadow: // the gap may be known, and not that a later window is searched
			f.truths[i].classes = append([]compare.Class{compare.NotKnowable, compare.Gap}, t.classes...)
		case compare.Outside, compare.Gap, compare.FailedRun, compare.FromEdge, compare.Late, compare.MaxSignals, compare.Suppressed,
			compare.RuleEdited:
			f.truths[i].classes = append([]compare.Class{compare.NotKnowable}, t.classes...)
		}
	}
}

// unlogged reports whether the log tells nothing of a difference that Kibana's runs
// decide.
func (f *fortnightCase) unlogged(t truth) bool {
	return t.side != compare.Both && t.at.Before(f.logSince) && (t.side == compare.OnlyNewterms ||
		slices.Contains([]compare.Class{compare.HistoryEdge, compare.PartialSearch, compare.LateHistory, compare.Exception, compare.Unexplained}, t.classes[0]))
}
