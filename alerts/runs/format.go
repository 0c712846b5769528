package runs

import (
	"context"
	"fmt"

	"newterms/esquery/elastic"
)

// documentFormat is recorded with each run. It rises when earlier programs would write
// an alert again, because they do not recognize the new documents. Runs of builds
// before it have none.
const documentFormat = 2

// A NewerDataError reports that a newer program has written to the runs target. This
// one might write its alerts a second time.
type NewerDataError struct {
	Target  string
	Version string // of the newer newterms
}

func (e *NewerDataError) Error() string {
	return fmt.Sprintf("%s was written by newterms %s, and this is an earlier version, which would alert again what is alerted already", e.Target, e.Version)
}

func newerData(target string, newest runHits) error {
	e := &NewerDataError{Target: target, Version: "of a later version"}
	if len(newest.Hits.Hits) > 0 {
		e.Version = newest.Hits.Hits[0].run().Version
	}
	return e
}

// RefuseNewer returns a *NewerDataError if a newer program has written to the runs
// target. Checkpoints includes this check.
func (r *Reader) RefuseNewer(ctx context.Context) error {
	var answer struct {
		Newest runHits `json:"newest"`
		Newer  struct {
			Count int64 `json:"doc_count"`
		} `json:"newer"`
	}
	newer := dsl{"range": dsl{"newterms.format": dsl{"gt": documentFormat}}}
	body := elastic.Aggregate(dsl{"newer": dsl{"filter": newer}, "newest": newestRun(false)}, newer)
	err := r.client.Search(ctx, elastic.Search{Indices: []string{r.target}, Body: body}, &answer)
	switch {
	case elastic.IsMissing(err):
		return nil
	case err != nil:
		return fmt.Errorf("look for runs of a newer version: %w", err)
	case answer.Newer.Count > 0:
		return newerData(r.target, answer.Newest)
	}
	return nil
}
