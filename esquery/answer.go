package esquery

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/elastic"
)

// A pairsAnswer holds the aggregations of a page of pairs.
type pairsAnswer struct {
	Pairs   elastic.Composite[bucket] `json:"pairs"`
	All     docCount                  `json:"all"` // of the window, on its first page
	Lacking lackingAnswer             `json:"lacking"`
	undated
}

type docCount struct {
	Count int64 `json:"doc_count"`
}

// A lackingAnswer is the answer to bodies.lacking: the fields are named by their
// positions.
type lackingAnswer struct {
	docCount
	First  lackingField `json:"0"`
	Second lackingField `json:"1"`
	Third  lackingField `json:"2"`
}

type lackingField struct {
	docCount
	Ignored docCount `json:"ignored"`
}

func (a lackingAnswer) read(fields []string) Lacking {
	lacking := Lacking{Any: a.Count, ByField: map[string]int64{}, Ignored: map[string]int64{}}
	for i, field := range []lackingField{a.First, a.Second, a.Third}[:len(fields)] {
		lacking.ByField[fields[i]], lacking.Ignored[fields[i]] = field.Count, field.Ignored.Count
	}
	return lacking
}

// undated counts the events without the primary timestamp, if it is not known yet
// whether there are any.
type undated struct {
	WithoutTimestamp docCount `json:"without_timestamp"`
}

type bucket struct {
	Key   bucketKey `json:"key"`
	Count int64     `json:"doc_count"`
	times
	hits
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

// times is the answer to bodies.times, in milliseconds.
type times struct {
	Time *struct {
		Value *float64 `json:"value"`
	} `json:"time"`
	Fallback *struct {
		Time *struct {
			Value *float64 `json:"value"`
		} `json:"time"`
		hits
	} `json:"fallback"`
}

// atMillis returns the time of milliseconds, in UTC. The zero time means none, so an
// event of exactly that time is one nanosecond later.
func atMillis(milliseconds int64) time.Time {
	t := time.UnixMilli(milliseconds).UTC()
	if t.IsZero() {
		t = t.Add(1)
	}
	return t
}

func (t times) values() []time.Time {
	var values []time.Time
	add := func(v *struct {
		Value *float64 `json:"value"`
	}) {
		if v != nil && v.Value != nil {
			values = append(values, atMillis(int64(*v.Value)))
		}
	}
	add(t.Time)
	if t.Fallback != nil {
		add(t.Fallback.Time)
	}
	return values
}

func (t times) earliest() (earliest time.Time, ok bool) {
	for _, v := range t.values() {
		if !ok || v.Before(earliest) {
			earliest, ok = v, true
		}
	}
	return earliest, ok
}

func (t times) latest() (latest time.Time, ok bool) {
	for _, v := range t.values() {
		if !ok || v.After(latest) {
			latest, ok = v, true
		}
	}
	return latest, ok
}

func (s *Source) candidate(b bucket) (Candidate, error) {
	terms, err := s.terms(b)
	if err != nil {
		return Candidate{}, err
	}
	first, ok := b.earliest()
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
