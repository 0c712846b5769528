package job

import (
	"context"
	"errors"
	"time"

	"newterms/alerts/alert"
	"newterms/alerts/summary"
	"newterms/esquery"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
)

// A summarizer summarizes the events of pairs that have several.
type summarizer struct {
	source *esquery.Source
	fields []string
	failed bool // it asks no more in this run
}

func newSummarizer(source *esquery.Source, r alert.Rule) *summarizer {
	return &summarizer{source: source, fields: source.Summarizable(r.SummaryFields())}
}

// summaries are those of some occurrences, which a goroutine asks for in batches.
type summaries struct {
	batches <-chan summarized
	last    summarized // the rest of the last batch
	cancel  context.CancelFunc
}

// summarized is a batch. A summary is nil where the pair has one event.
type summarized struct {
	of  []*summary.Summary
	err error // why the summaries say that they are missing
}

// begin starts to summarize the events of occurrences, which are ordered by time. It
// asks nothing about pairs with one event. The caller must call wait. A nil summarizer
// asks nothing at all.
func (z *summarizer) begin(ctx context.Context, found []Occurrence) *summaries {
	if z == nil {
		found = nil
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan summarized)
	go func() {
		defer close(batches)
		for len(found) > 0 {
			n := z.batch(found)
			one := z.summarize(ctx, found[:n])
			select {
			case batches <- one:
			case <-ctx.Done():
				return
			}
			found = found[n:]
		}
	}()
	return &summaries{batches: batches, cancel: cancel}
}

// wait ends the goroutine.
func (s *summaries) wait() {
	s.cancel()
	for range s.batches {
	}
}

// next returns the next n summaries. Its error is the first one about them.
func (s *summaries) next(n int) (of []*summary.Summary, err error) {
	for len(of) < n {
		if len(s.last.of) == 0 {
			s.last = <-s.batches
			if len(s.last.of) == 0 { // there are none, or the context has ended
				return make([]*summary.Summary, n), err
			}
			if err == nil {
				err = s.last.err
			}
		}
		some := min(n-len(of), len(s.last.of))
		of, s.last.of = append(of, s.last.of[:some]...), s.last.of[some:]
	}
	return of, err
}

// batch returns how many of the first occurrences are asked about in one request: those
// of the same window, and not too many with several events.
func (z *summarizer) batch(found []Occurrence) int {
	several := 0
	for i, o := range found {
		if o.Window != found[0].Window {
			return i
		}
		if o.Events > 1 {
			several++
		}
		if several > esquery.SummariesAtOnce(z.fields) {
			return i
		}
	}
	return len(found)
}

// patience is how long a batch may take, which takes a second at most where a cluster is
// well. Alerts wait for it.
const patience = time.Minute

// summarize asks about a batch. A failure leaves the summaries missing: it must not keep
// alerts from being written.
func (z *summarizer) summarize(ctx context.Context, found []Occurrence) summarized {
	batch := summarized{of: make([]*summary.Summary, len(found))}
	var several []esquery.Candidate
	var into []int
	for i, o := range found {
		if o.Events > 1 {
			several, into = append(several, o.Candidate), append(into, i)
		}
	}
	if len(several) == 0 {
		return batch
	}
	why := "an earlier request for summaries failed in this run"
	var got []esquery.Summary
	if !z.failed {
		ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("it took more than "+words.Span(patience)))
		defer cancel()
		if got, batch.err = z.source.Summaries(ctx, query.Range(found[0].Window), several, z.fields); batch.err != nil {
			z.failed, why = true, batch.err.Error()
		}
	}
	for i, position := range into {
		switch {
		case i >= len(got):
			batch.of[position] = &summary.Summary{Missing: why}
		case got[i].Events == 0:
			batch.of[position] = &summary.Summary{Missing: "the events are gone since they were counted"}
		default:
			batch.of[position] = summaryOf(got[i])
		}
	}
	return batch
}

func summaryOf(s esquery.Summary) *summary.Summary {
	of := summary.Summary{Events: s.Events, First: s.First, Last: s.Last}
	for _, f := range s.Fields {
		field := summary.Field{Name: f.Field, Others: f.Others}
		for _, v := range f.Values {
			field.Values = append(field.Values, summary.Value{Text: v.Value, Events: v.Events})
		}
		of.Fields = append(of.Fields, field)
	}
	return &of
}
