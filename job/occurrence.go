package job

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/runs"
	"newterms/alerts/summary"
	"newterms/esquery"
	"newterms/esquery/before"
	"newterms/job/limits"
	"newterms/job/rule"
)

// An Occurrence is a first occurrence, with the key of its alert.
type Occurrence struct {
	Verdict
	Window  Window // in which its events were counted
	Key     alert.Key
	Alerted bool // it has an alert
}

// An OccurrencePage is a page with its first occurrences, in the page's order.
type OccurrencePage struct {
	Page
	Occurrences []Occurrence
}

// FindOccurrences is Find for a rule. It looks up which first occurrences have an alert.
func (f Finder) FindOccurrences(ctx context.Context, store *alerts.Store, r rule.Rule, w Window) iter.Seq2[OccurrencePage, error] {
	return func(yield func(OccurrencePage, error) bool) {
		lookup, err := LookupOf(r)
		if err != nil {
			yield(OccurrencePage{}, err)
			return
		}
		for page, err := range f.Find(ctx, w) {
			o := OccurrencePage{Page: page}
			if err == nil {
				if o.Occurrences, err = occurrences(ctx, store, r, lookup, page); err != nil {
					err = fmt.Errorf("window %s: %w", page.Part, err)
				}
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// LookupOf returns what the alerts of a rule are looked up by.
func LookupOf(r rule.Rule) (alerts.Lookup, error) {
	search, err := r.Search.Hash()
	return alerts.Lookup{History: r.History, Search: search, Fields: r.Search.Fields}, err
}

func occurrences(ctx context.Context, store *alerts.Store, r rule.Rule, lookup alerts.Lookup, page Page) ([]Occurrence, error) {
	var all []Occurrence
	var keys []alert.Key
	for _, v := range page.Verdicts {
		if !v.FirstOccurrence {
			continue
		}
		key, err := alert.NewKey(r.ID, lookup.Fields, v.Terms, v.First)
		if err != nil {
			return nil, err
		}
		all, keys = append(all, Occurrence{Verdict: v, Window: page.Part, Key: key}), append(keys, key)
	}
	rest := all
	for batch := range slices.Chunk(keys, alerts.MaxBatch) {
		alerted, err := store.AlreadyAlerted(ctx, batch, lookup)
		if err != nil {
			return nil, err
		}
		for i := range batch {
			rest[i].Alerted = alerted[i]
		}
		rest = rest[len(batch):]
	}
	return all, nil
}

// An AlertMaker builds the alerts of a rule's first occurrences, each with its event.
type AlertMaker struct {
	source *esquery.Source
	maker  *alert.Maker
	now    func() time.Time
	warn   func(error)
	// sourceOff lists the indices without _source that it has warned about.
	sourceOff  []string
	summarizer *summarizer
	contexts   *contexts // nil if alerts get none
}

// NewAlertMaker returns an AlertMaker for the alerts of a run. It calls warn with a
// *limits.SourceOff for each index that keeps no _source, and once with an *Unanswered
// about summaries or contexts.
func NewAlertMaker(source *esquery.Source, r alert.Rule, info runs.Info, now func() time.Time, warn func(error)) (*AlertMaker, error) {
	maker, err := alert.NewMaker(r, info)
	return &AlertMaker{source: source, maker: maker, now: now, warn: warn, summarizer: newSummarizer(source, r)}, err
}

// LinkTo gives each alert its address in Kibana; nil gives none.
func (m *AlertMaker) LinkTo(link func(id string, firstSeen time.Time) string) *AlertMaker {
	m.maker.Link = link
	return m
}

// WithoutSummaries makes alerts that lack a summary of their events.
func (m *AlertMaker) WithoutSummaries() *AlertMaker {
	m.summarizer = nil
	return m
}

// WithContexts gives the first alerts, up to a number, their context over the rule's
// history. 0 gives none.
func (m *AlertMaker) WithContexts(history time.Duration, most int) *AlertMaker {
	if most > 0 {
		m.contexts = &contexts{asker: before.New(m.source.Opened), search: m.source.Search, maker: m.maker, history: history, now: m.now, left: most}
	}
	return m
}

// Alerts yields the alerts of occurrences, ordered by time: events of about the same
// time are the cheapest to fetch together. While it fetches them, it summarizes the
// events of their pairs, and checks that all of the history could be seen. It ends after
// the first error.
func (m *AlertMaker) Alerts(ctx context.Context, found []Occurrence) iter.Seq2[[]alert.Alert, error] {
	return func(yield func([]alert.Alert, error) bool) {
		if len(found) == 0 {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		unchanged := sync.OnceValue(func() error { return m.source.Unchanged(ctx) })
		go unchanged()
		defer unchanged() // wait for the goroutine
		defer cancel()
		slices.SortStableFunc(found, func(a, b Occurrence) int { return a.First.Compare(b.First) })
		summaries := m.summarizer.begin(ctx, found)
		defer summaries.wait()
		candidates := make([]esquery.Candidate, len(found))
		for i, o := range found {
			candidates[i] = o.Candidate
		}
		read := func(ctx context.Context) iter.Seq2[[]readEvent, error] { return m.events(ctx, candidates) }
		var held []readEvent
		batches := 0
		yieldHeld := func() bool {
			n := len(held)
			of, err := summaries.next(n)
			if err != nil && ctx.Err() == nil {
				m.warn(unsummarized(err))
			}
			made, err := m.of(ctx, found[:n], held, of)
			if err != nil && ctx.Err() == nil {
				m.warn(uncontexted(err))
			}
			found, held, batches = found[n:], nil, 0
			return n == 0 || yield(made, nil)
		}
		for events, err := range Prefetch(ctx, read) {
			if err == nil {
				err = unchanged()
			}
			if err != nil {
				if ctx.Err() != nil || yieldHeld() {
					yield(nil, err)
				}
				return
			}
			held, batches = append(held, events...), batches+1
			if (batches == heldBatches || !m.contexts.asks()) && !yieldHeld() {
				return
			}
		}
		yieldHeld()
	}
}

// heldBatches is how many batches of events, of up to 2 MB each, are held to ask for
// their contexts together. The first one has ten events.
const heldBatches = 3

// of returns the alerts of first occurrences, each with its event, summary and context.
// Its error is about the contexts, which then are missing.
func (m *AlertMaker) of(ctx context.Context, found []Occurrence, events []readEvent, summaries []*summary.Summary) ([]alert.Alert, error) {
	sources := make([]alert.SourceEvent, len(found))
	for i, e := range events {
		sources[i] = *e.Event
	}
	contexts, err := m.contexts.of(ctx, found, sources)
	made := make([]alert.Alert, len(found))
	for i, o := range found {
		m.warnIfSourceOff(events[i].Event)
		made[i] = m.maker.Alert(alert.Finding{
			Key: o.Key, Terms: o.Terms, LastSeen: o.LastSeen, Events: o.Events, From: o.Window.From, To: o.Window.To,
			Event: events[i].read, Summary: summaries[i], Context: contexts[i],
		}, m.now())
	}
	return made, err
}

// warnIfSourceOff warns once about each index whose events have no _source.
func (m *AlertMaker) warnIfSourceOff(e *esquery.Event) {
	if e.Source == nil && e.Missing == "" && e.Index != "" && !slices.Contains(m.sourceOff, e.Index) {
		m.sourceOff = append(m.sourceOff, e.Index)
		m.warn(&limits.SourceOff{Index: e.Index})
	}
}
