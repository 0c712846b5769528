package job

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/alerts/alert"
	"newterms/alerts/novelty"
	"newterms/esquery/before"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
)

// contexts asks what was known of a run's alerts before their time. It asks one question
// for 50 alerts, and once for the oldest event of the indices.
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

// of returns the contexts of occurrences with these events. They are nil beyond the
// limit, and for a nil receiver. A failure leaves them missing: it must not keep alerts
// from being written. All questions of a run together may take as long as patience.
func (c *contexts) of(ctx context.Context, found []Occurrence, events []alert.SourceEvent) ([]*novelty.Context, error) {
	all := make([]*novelty.Context, len(found))
	if c == nil {
		return all, nil
	}
	n := min(c.left, len(found))
	c.left -= n
	c.without += len(found) - n
	var failure error
	why := "an earlier question for contexts failed in this run"
	for start := 0; start < n; {
		batch, subjects := c.batch(found[start:n], events[start:n])
		if !c.failed {
			if got, err := c.ask(ctx, subjects); err != nil {
				c.failed, failure, why = true, err, words.Shortened(err.Error(), longestReason)
			} else {
				c.fill(all[start:], batch, subjects, got)
			}
		}
		if c.failed {
			for i := range batch {
				all[start+i] = &novelty.Context{Missing: why}
			}
		}
		start += len(batch)
	}
	return all, failure
}

// batch returns the attributes of the first occurrences, as many as one question has, and
// the question's subjects.
func (c *contexts) batch(found []Occurrence, events []alert.SourceEvent) ([][]novelty.Attribute, []before.Subject) {
	var attributes [][]novelty.Attribute
	var subjects []before.Subject
	most := 0
	for i, o := range found {
		of := c.maker.Attributes(events[i], o.Terms, c.asker.CanAsk)
		most = max(most, len(of))
		if i > 0 && i >= before.AtOnce(most, len(o.Terms)) {
			break
		}
		s := before.Subject{Terms: o.Terms, At: o.First}
		for _, a := range of {
			s.Attributes = append(s.Attributes, before.Attribute{Field: a.Field, Value: a.Value})
		}
		attributes, subjects = append(attributes, of), append(subjects, s)
	}
	return attributes, subjects
}

func (c *contexts) ask(ctx context.Context, subjects []before.Subject) ([]before.Context, error) {
	start := c.now()
	defer func() { c.spent += c.now().Sub(start) }()
	ctx, cancel := context.WithTimeoutCause(ctx, patience-c.spent, fmt.Errorf("the questions of this run took more than %s", words.Span(patience)))
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

// warn warns about the alerts of the run that lack a context, and those of a young
// source.
func (c *contexts) warn(most int, warn func(error)) {
	if c == nil {
		return
	}
	if c.without > 0 {
		warn(&ContextLimit{most, c.without})
	}
	if c.young > 0 {
		warn(&YoungSource{c.young, c.oldest})
	}
}
