package esquery

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A pairsAnswer holds the aggregations of a page of pairs.
type pairsAnswer struct {
	Pairs   elastic.Composite[bucket] `json:"pairs"`
	All     elastic.DocCount          `json:"all"` // of the window, on its first page
	Lacking query.LackingAnswer       `json:"lacking"`
	undated
}

// undated counts the events without the primary timestamp, if it is not known yet
// whether there are any.
type undated struct {
	WithoutTimestamp elastic.DocCount `json:"without_timestamp"`
}

type bucket struct {
	Key   bucketKey `json:"key"`
	Count int64     `json:"doc_count"`
	query.TimesAnswer
	located
	summarized
}

// A bucketKey is the pair of a bucket, and the time if it is requested. A map would
// take most of a page's memory.
type bucketKey []struct {
	field string
	value any
}

func (k *bucketKey) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*k = make(bucketKey, 0, 4)
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	return elastic.Members(d, func(name string) error {
		value, err := elastic.Value(d)
		*k = append(*k, struct {
			field string
			value any
		}{name, value})
		return err
	})
}

func (k bucketKey) of(field string) (value any, ok bool) {
	for _, one := range k {
		if one.field == field {
			return one.value, true
		}
	}
	return nil, false
}

func (s *Source) candidate(b bucket) (Candidate, error) {
	terms, err := s.terms(b)
	if err != nil {
		return Candidate{}, err
	}
	first, ok := b.Earliest()
	if !ok {
		return Candidate{}, fmt.Errorf("%w: pair %v has no time", elastic.ErrIncomplete, terms)
	}
	return Candidate{Terms: terms, First: first, Events: b.Count}, nil
}

// terms returns the pair of a bucket.
func (s *Source) terms(b bucket) ([]any, error) {
	terms := make([]any, len(s.search.Fields))
	for i, field := range s.search.Fields {
		var ok bool
		if terms[i], ok = b.Key.of(field); !ok {
			return nil, fmt.Errorf("%w: a pair without %s", elastic.ErrIncomplete, field)
		}
	}
	return terms, nil
}
