package compare_test

import (
	"fmt"
	"time"

	"newterms/job/compare"
)

// tie is two events at once, of which Kibana's runs pick one after the other.
func tie(f *fortnightCase) {
	slot, ok := f.plain(nil)
	if !ok || f.suppress {
		return
	}
	p := f.newPair("duplicate by a tie")
	from, to := f.shared(slot)
	at := f.between(from, to)
	f.see(p, at)
	second := f.see(p, at)
	if f.chance(3) {
		f.pairs[p] = "tie"
		return
	}
	second.visible = f.between(f.slotTime(slot).Add(2*time.Second), f.slotTime(slot+1).Add(-2*time.Second))
	f.expect(compare.OnlyKibana, p, at, compare.Duplicate)
}

// earlierTwin is a pair whose first event came after Kibana had alerted the second,
// and in time for the next run.
func earlierTwin(f *fortnightCase) {
	slot, ok := f.plain(func(slot int) bool {
		from, _ := f.shared(slot)
		return f.until(f.covering(from)).After(f.slotTime(slot))
	})
	if !ok || f.suppress {
		return
	}
	p := f.newPair("duplicate by a late event")
	from, to := f.shared(slot)
	at := f.between(from.Add(time.Minute), to)
	f.see(p, at)
	first := f.see(p, f.between(from, at.Add(-time.Second)))
	first.visible = f.between(f.slotTime(slot).Add(2*time.Second), f.slotTime(slot+1).Add(-2*time.Second))
	extra := at
	if ours := f.until(f.covering(at)); ours.Before(first.visible) { // so ours has alerted the second, too
		extra = first.at
	}
	f.expect(compare.OnlyKibana, p, extra, compare.Duplicate)
}

// manualFind is an event that came after the runs of both, and that a run by hand of
// Kibana found.
func manualFind(f *fortnightCase) {
	slot, ok := f.plain(func(slot int) bool {
		from, _ := f.solo(slot)
		r := f.covering(f.slotTime(slot))
		return f.alone(slot) && !f.hidden(f.slotTime(slot).Add(-f.lookback), f.slotTime(slot)) && f.until(r).Add(-f.overlap-time.Minute).After(f.slotTime(slot)) && from.After(r.last) && f.until(r).Before(f.end().Add(-3*day/2))
	})
	if !ok {
		return
	}
	f.used[slot-1], f.used[slot], f.used[slot+1] = 9, 9, 9 // or the run by hand finds what others miss
	p := f.newPair("manual")
	from, to := f.solo(slot)
	at := f.between(from, to)
	s := f.see(p, at)
	ours := f.until(f.covering(at))
	s.visible = f.between(ours.Add(2*time.Second), ours.Add(6*time.Hour))
	f.byHand(s.visible.Add(f.share(18*time.Hour, 0.1, 1)), f.slotTime(slot))
	if f.override {
		f.expect(compare.OnlyKibana, p, at, compare.Manual)
	} else { // by event.ingested
		f.expect(compare.OnlyKibana, p, at, compare.Late, compare.Manual)
	}
}

// alone reports whether nothing begins in a slot and those beside it.
func (f *fortnightCase) alone(slot int) bool {
	return f.used[slot-1]+f.used[slot]+f.used[slot+1] == 0
}

// byHand adds a manual run of Kibana at a time, of the window that a scheduled one
// would have searched.
func (f *fortnightCase) byHand(at, to time.Time) *execution {
	e := &execution{
		slot: -1, at: at, uuid: f.uuid(), windows: []window{{to.Add(-f.lookback), to}}, backfilled: to.Add(-f.interval), revision: f.lastRevision(at),
	}
	f.runs = append(f.runs, e)
	return e
}

// lastRevision is that of Kibana's rule at a time.
func (f *fortnightCase) lastRevision(at time.Time) int {
	revision := 1
	for _, e := range f.runs {
		if !e.manual() && !e.at.After(at) {
			revision = e.revision
		}
	}
	return revision
}

// severityDiffers is a pair to which Kibana gave another severity.
func severityDiffers(f *fortnightCase) {
	if slot, ok := f.plain(nil); ok {
		p := f.newPair("severity")
		from, to := f.solo(slot)
		at := f.between(from, to)
		f.see(p, at)
		f.settle = append(f.settle, func(alerts map[pair][]*kibanaAlert) {
			alerts[p][0].severity = "high"
			f.expect(compare.Both, p, at, compare.Severity)
		})
	}
}

// absentTerm is an event without an account, which is a term for us alone.
func absentTerm(f *fortnightCase) {
	if slot, ok := f.plain(nil); ok && f.include {
		p := pair{f.newPair("of one that may lack a term")[0], "\x00"}
		f.pairs[p] = "fields"
		from, to := f.solo(slot)
		at := f.between(from, to)
		f.see(p, at)
		f.expect(compare.OnlyNewterms, p, at, compare.FieldValues)
	}
}

// arrays are events of several pairs, which both sides find alike.
func arrays(f *fortnightCase) {
	if slot, ok := f.plain(f.alone); ok && !f.suppress {
		f.used[slot] = 9 // for they are many pairs
		p := f.newPair("array")
		from, to := f.solo(slot)
		s := f.see(p, f.between(from, to))
		s.actors = append(s.actors, f.newPair("array")[0])
		if f.single {
			return
		}
		s.accounts = append(s.accounts, map[bool]string{true: "2000000", false: "acc-of-arrays"}[f.numeric])
		for _, p := range f.pairsOf(s) {
			f.pairs[p] = "array"
		}
	}
}

// oldCreation is an event that Kibana's query saw, and that is too old for ours: the
// query counts back from now.
func oldCreation(f *fortnightCase) {
	if slot, ok := f.plain(nil); ok && f.timed {
		p := f.newPair("query_time")
		from, to := f.solo(slot)
		at := f.between(from, to)
		f.see(p, at).created = at.Add(-time.Minute)
		f.expect(compare.OnlyKibana, p, at, compare.QueryTime)
	}
}

// exceptionExpired is an event that an exception kept from Kibana's run, and no
// longer from ours.
func exceptionExpired(f *fortnightCase) {
	f.exception(func(item *exceptionItem, change time.Time) { item.created, item.expires = f.start.Add(-20*day), change }, compare.OnlyNewterms)
}

// exceptionAdded is an event that an exception kept from our run, and not yet from
// Kibana's.
func exceptionAdded(f *fortnightCase) {
	f.exception(func(item *exceptionItem, change time.Time) { item.created = change }, compare.OnlyKibana)
}

func (f *fortnightCase) exception(set func(*exceptionItem, time.Time), side compare.Side) {
	slot, ok := f.plain(f.beforeOurs)
	if !ok || len(f.items) >= 3 {
		return
	}
	p := f.newPair("exception")
	from, to := f.solo(slot)
	at := f.between(from, to)
	ours := f.covering(at)
	item := exceptionItem{network: fmt.Sprint("Heron Net ", len(f.items))}
	set(&item, f.between(f.slotTime(slot).Add(10*time.Second), f.until(ours).Add(-10*time.Second)))
	f.items = append(f.items, item)
	f.see(p, at).network = item.network
	f.expect(side, p, at, compare.Exception)
	// long before and long after the change both do the same
	s, _ := f.spanOf(1)
	if before := f.covering(f.start); s.kind == "" && ours.phase > before.phase+1 && before.state == "" {
		f.see(f.newPair("before an exception changes"), f.between(f.slotTime(1), f.slotTime(2))).network = item.network
	}
}

// suppressed are pairs of one address, of which the first stands for all.
func suppressed(f *fortnightCase) {
	slot, ok := f.plain(func(slot int) bool { return f.used[slot] == 0 })
	if !ok || !f.suppress {
		return
	}
	f.used[slot] = 9
	from, to := f.solo(slot)
	ip := fmt.Sprintf("203.0.113.%d", f.random.IntN(250))
	for _, s := range f.events {
		if s.ip == ip {
			return
		}
	}
	var group []*sighting
	var pairs []pair
	for range 2 + f.random.IntN(3) {
		p := f.newPair("suppressed")
		s := f.see(p, f.between(from, to))
		s.ip = ip
		group, pairs = append(group, s), append(pairs, p)
	}
	f.settle = append(f.settle, func(alerts map[pair][]*kibanaAlert) {
		for i, p := range pairs {
			if len(alerts[p]) == 0 {
				f.expect(compare.OnlyNewterms, p, group[i].at, compare.Suppressed)
			}
		}
	})
}
