package job

import (
	"context"
	"errors"
	"slices"
	"time"

	"newterms/alerts/alert"
	"newterms/alerts/novelty"
	"newterms/esquery/before"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
	"newterms/job/limits"
)

// contexts asks what was known of a run's alerts before their time. It asks one question
// for 500 alerts, and once for the oldest event of the indices.
type contexts struct {
	asker   *before.Asker
	search  query.Search
	maker   *alert.Maker
	history time.Duration // H
	now     func() time.Time

	left    int           // how many more alerts get a context
	without int           // alerts beyond those
	spent   time.Duration // on all questions of the run
	failed  bool          // it asks no more in this run
	// oldest is the time of the oldest event of the indices; the zero time if it is not
	// known. undated reports that it includes the events without the primary timestamp.
	oldest         time.Time
	asked, undated bool
	young          int // alerts with less history than H
}

// longestReason is how many characters of an error alerts keep: more is not indexed.
const longestReason = 1_000

// asks reports whether the next alerts get a context.
func (c *contexts) asks() bool { return c != nil && c.left > 0 && !c.failed }

// of returns the contexts of occurrences with these events. They are nil beyond the
// limit, and for a nil receiver. A failure leaves them missing: it must not keep alerts
// from being written.
func (c *contexts) of(ctx context.Context, found []Occurrence, events []alert.SourceEvent) ([]*novelty.Context, error) {
	all := make([]*novelty.Context, len(found))
	if c == nil || len(found) == 0 {
		return all, nil
	}
	n := min(c.left, len(found))
	c.left -= n
	c.without += len(found) - n
	if n == 0 {
		return all, nil
	}
	why := "an earlier question for contexts failed in this run"
	var failure error
	if !c.failed {
		attributes, subjects := c.subjects(found[:n], events)
		var got []before.Context
		if got, failure = c.ask(ctx, subjects); failure == nil {
			c.fill(all, attributes, subjects, got)
			return all, nil
		}
		c.failed, why = true, words.Shortened(failure.Error(), longestReason)
	}
	for i := range n {
		all[i] = &novelty.Context{Missing: why}
	}
	return all, failure
}

// subjects returns the attributes of occurrences, and what to ask about them.
func (c *contexts) subjects(found []Occurrence, events []alert.SourceEvent) ([][]novelty.Attribute, []before.Subject) {
	attributes, subjects := make([][]novelty.Attribute, len(found)), make([]before.Subject, len(found))
	for i, o := range found {
		attributes[i], subjects[i] = c.maker.Attributes(events[i], o.Terms, c.asker.CanAsk), before.Subject{Terms: o.Terms, At: o.First}
		for _, a := range attributes[i] {
			subjects[i].Attributes = append(subjects[i].Attributes, before.Attribute{Field: a.Field, Value: a.Value})
		}
	}
	return attributes, subjects
}

// How long alerts wait for their contexts: those that are asked for together, and all of
// a run. 500 alerts take a second where a cluster is well.
const (
	contextWait  = 10 * time.Second
	contextsWait = time.Minute
)

func (c *contexts) ask(ctx context.Context, subjects []before.Subject) ([]before.Context, error) {
	start := c.now()
	defer func() { c.spent += c.now().Sub(start) }()
	wait, why := contextWait, "it took more than "+words.Span(contextWait)
	if left := contextsWait - c.spent; left < wait {
		wait, why = left, "the questions of this run took more than "+words.Span(contextsWait)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, errors.New(why))
	defer cancel()
	earliest := slices.MinFunc(subjects, func(a, b before.Subject) int { return a.At.Compare(b.At) }).At
	var got []before.Context
	err := c.learnOldest(ctx, earliest.Add(-c.history))
	if err == nil {
		got, err = c.asker.Contexts(ctx, c.history, subjects)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return got, err
}

// learnOldest asks for the oldest event once, and once more for those without the
// primary timestamp if no other is as old as since.
func (c *contexts) learnOldest(ctx context.Context, since time.Time) error {
	learn := func(fallback bool) error {
		at, ok, err := c.asker.Oldest(ctx, fallback)
		if err == nil && ok && (c.oldest.IsZero() || at.Before(c.oldest)) {
			c.oldest = at
		}
		return err
	}
	if !c.asked {
		if err := learn(false); err != nil {
			return err
		}
		c.asked = true
	}
	if !c.undated && c.search.Fallback != "" && (c.oldest.IsZero() || c.oldest.After(since)) {
		if err := learn(true); err != nil {
			return err
		}
		c.undated = true
	}
	return nil
}

// fill fills in the contexts of a batch.
func (c *contexts) fill(all []*novelty.Context, batch [][]novelty.Attribute, subjects []before.Subject, got []before.Context) {
	for i, of := range got {
		known := &novelty.Context{History: c.history, PairLast: of.PairLast, User: novelty.Seen{Events: of.User.Events, First: of.User.First, Last: of.User.Last}}
		if length := subjects[i].At.Sub(c.oldest); !c.oldest.IsZero() && length < c.history {
			known.History, known.Young = max(0, length), true
			c.young++
		}
		for n, t := range of.Terms {
			known.Terms = append(known.Terms, novelty.Term{Field: c.search.Fields[n], Seen: novelty.Seen{Events: t.Events, Last: t.Last}, Others: t.Others, Absent: subjects[i].Terms[n] == nil})
		}
		for n, a := range batch[i] {
			is := of.Attributes[n]
			a.Seen, a.Users, a.OfUser = novelty.Seen{Events: is.Events, Last: is.Last}, is.Others, novelty.Seen{Events: is.OfUser, Last: is.UserLast}
			known.Attributes = append(known.Attributes, a)
		}
		all[i] = known
	}
}

// warn warns about the alerts of the run that lack a context, and about a young source:
// with noHistory, which may be nil, or with what the alerts say. It warns of noHistory for
// a nil receiver too.
func (c *contexts) warn(most int, noHistory *limits.NoHistory, warn func(error)) {
	if c != nil && c.without > 0 {
		warn(&ContextLimit{most, c.without})
	}
	switch {
	case noHistory != nil && c != nil:
		noHistory.Young = c.young
		warn(noHistory)
	case noHistory != nil:
		warn(noHistory)
	case c != nil && c.young > 0:
		warn(&YoungSource{c.young, c.oldest})
	}
}
