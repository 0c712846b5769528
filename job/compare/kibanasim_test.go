package compare_test

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// A kibanaAlert is an alert of Kibana's rule.
type kibanaAlert struct {
	id       string
	pair     pair
	event    *sighting
	run      *execution
	at       time.Time // of the write
	severity string
	folded   []*sighting // suppressed by it
}

// ends is the time of the last event that an alert stands for.
func (a *kibanaAlert) ends() time.Time {
	last := a.event.at
	for _, s := range a.folded {
		if s.at.After(last) {
			last = s.at
		}
	}
	return last
}

// An exceptionItem keeps events of a network out, from one time on to another.
type exceptionItem struct {
	network          string
	created, expires time.Time // zero is never
}

func (i exceptionItem) inForce(t time.Time) bool {
	return !i.created.After(t) && (i.expires.IsZero() || t.Before(i.expires))
}

// A simulation is Kibana's method, over events in memory. It knows nothing of the
// code under test.
type simulation struct {
	*fortnightCase
	byPair  map[pair][]*sighting // by time
	written map[string]bool      // what a further run finds done, by the id of the alert
	alerts  []*kibanaAlert
}

func newSimulation(f *fortnightCase) *simulation {
	s := &simulation{fortnightCase: f, byPair: map[pair][]*sighting{}, written: map[string]bool{}}
	for _, e := range f.events {
		for _, p := range f.pairsOf(e) {
			s.byPair[p] = append(s.byPair[p], e)
		}
	}
	for _, all := range s.byPair {
		slices.SortFunc(all, func(a, b *sighting) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.id, b.id)) })
	}
	return s
}

// runKibana runs Kibana's rule over the events, and settles what depends on it.
func (f *fortnightCase) runKibana() {
	s := newSimulation(f)
	slices.SortStableFunc(f.runs, func(a, b *execution) int { return a.at.Compare(b.at) })
	for _, e := range f.runs {
		if e.outcome != "failed" && e.outcome != "timeout" {
			for _, w := range e.windows {
				s.write(e, s.candidates(e, w))
			}
		}
	}
	f.alerts = s.alerts
	byPair := map[pair][]*kibanaAlert{}
	for _, a := range f.alerts {
		byPair[a.pair] = append(byPair[a.pair], a)
	}
	for _, settle := range f.settle {
		settle(byPair)
	}
}

// pairsOf lists the pairs of an event. One that lacks a term has none.
func (f *fortnightCase) pairsOf(s *sighting) []pair {
	var pairs []pair
	for _, actor := range s.actors {
		if f.single {
			pairs = append(pairs, pair{actor})
			continue
		}
		for _, account := range s.accounts {
			pairs = append(pairs, pair{actor, account})
		}
	}
	return slices.Compact(pairs)
}

// matches reports whether Kibana's query in a run finds an event, which its
// exceptions at the time leave.
func (s *simulation) matches(e *execution, of *sighting) bool {
	if of.visible.After(e.at) || !slices.Contains(s.actions(e), of.action) || e.outcome == "partial" && of.shard == 1 {
		return false
	}
	if s.timed && !of.created.IsZero() && of.created.Before(e.at.Add(-created)) {
		return false
	}
	return !slices.ContainsFunc(s.items, func(i exceptionItem) bool { return i.network == of.network && i.inForce(e.at) })
}

// created is how old the query of a timed rule lets event.created be.
const created = 30 * day

// actions are those that Kibana's query asks for in a run.
func (f *fortnightCase) actions(e *execution) []string {
	for _, s := range f.spans {
		if s.kind == "edit" && !e.at.Before(f.slotTime(s.first)) && e.at.Before(f.slotTime(s.past)) {
			return []string{"signin", "mfa"}
		}
	}
	return []string{"signin", "sso"}
}

// A candidate is a pair that is new in a window, by its earliest event there.
type candidate struct {
	pair  pair
	event *sighting
	count int // of its events in the window
}

// candidates lists the pairs whose earliest event in the history, counted back from
// the window's end, lies in the window. Of several events at once it takes the last.
func (s *simulation) candidates(e *execution, w window) []candidate {
	var found []candidate
	for p, all := range s.byPair {
		c := candidate{pair: p}
		for _, of := range all {
			if of.at.After(w.to) {
				break
			}
			if of.at.Before(w.to.Add(-s.history)) || !s.matches(e, of) {
				continue
			}
			if c.event == nil || of.at.Equal(c.event.at) {
				c.event = of
			}
			c.count++
		}
		if c.event != nil && c.event.at.After(w.from) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		if s.single && a.count != b.count {
			return b.count - a.count
		}
		if s.reversed {
			return cmp.Or(strings.Compare(a.pair[1], b.pair[1]), strings.Compare(a.pair[0], b.pair[0]))
		}
		return cmp.Or(strings.Compare(a.pair[0], b.pair[0]), strings.Compare(a.pair[1], b.pair[1]))
	})
	return found
}

// write makes alerts of the candidates of a window that have none, as many as the
// rule allows. With suppression the earliest stands for the others of its group.
func (s *simulation) write(e *execution, found []candidate) {
	if s.suppress {
		slices.SortStableFunc(found, func(a, b candidate) int { return a.event.at.Compare(b.event.at) })
	}
	if e.outcome == "page" { // an error ends the page
		found = found[:len(found)/2]
	}
	room := s.maxSignals
	for _, c := range found {
		a := &kibanaAlert{id: s.alertID(c), pair: c.pair, event: c.event, run: e, severity: "medium"}
		if s.written[a.id] {
			continue
		}
		if over := s.suppressor(a); over != nil {
			over.folded = append(over.folded, c.event)
			s.written[a.id] = true
			continue
		}
		if room == 0 {
			e.truncated = true
			continue
		}
		room--
		e.written++
		a.at = e.at.Add(time.Duration(2000+10*e.written) * time.Millisecond)
		s.written[a.id] = true
		s.alerts = append(s.alerts, a)
	}
}

// suppressor returns the alert that stands for another one, or nil.
func (s *simulation) suppressor(a *kibanaAlert) *kibanaAlert {
	for _, other := range slices.Backward(s.alerts) {
		apart := a.event.at.Sub(other.event.at)
		if s.suppress && other.event.ip == a.event.ip && (other.run == a.run || apart >= 0 && apart < s.duration) {
			return other
		}
	}
	return nil
}

// alertID is the id that Kibana gives an alert: a hash over the event, the rule and
// the terms, as text with lengths.
func (s *simulation) alertID(c candidate) string {
	text := func(of string) string { return fmt.Sprintf("string:%d:%s", len(utf16.Encode([]rune(of))), of) }
	terms := s.kibanaTerms(c.pair)
	hashed := "array:5:" + text("events") + text(c.event.id) + text("undefined") + text("default:"+s.ruleUUID()) + fmt.Sprintf("array:%d:", len(terms))
	for _, term := range terms {
		hashed += text(term)
	}
	sum := sha1.Sum([]byte(hashed))
	return hex.EncodeToString(sum[:])
}

// kibanaTerms are the terms in the order of Kibana's rule.
func (f *fortnightCase) kibanaTerms(p pair) []string {
	switch {
	case f.single:
		return []string{p[0]}
	case f.reversed:
		return []string{p[1], p[0]}
	}
	return []string{p[0], p[1]}
}

func (f *fortnightCase) ruleUUID() string {
	return fmt.Sprintf("00000000-0000-4000-9000-%012x", f.seed)
}
func (f *fortnightCase) ruleID() string { return fmt.Sprint("fortnight-", f.id) }

// sortedPairs are the pairs of a map in an order that a seed repeats.
func sortedPairs[V any](of map[pair]V) []pair {
	return slices.SortedFunc(maps.Keys(of), func(a, b pair) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
}
