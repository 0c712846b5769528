package query

import (
	"strconv"

	"newterms/esquery/elastic"
)

// Lacking counts matching events that have no pair, because they lack a new-terms
// field.
type Lacking struct {
	Any     int64            // that lack one field or more
	ByField map[string]int64 // that lack the field
	// Ignored counts those of ByField that have a value which is not indexed:
	// it is longer than the mapping's ignore_above, or malformed.
	Ignored map[string]int64
}

// LackingFields counts the events that lack any new-terms field. By the field's position it
// also counts those that lack it, and those whose value is not indexed because it is
// malformed or longer than ignore_above. It uses single filters, not a filters
// aggregation, whose buckets count towards search.max_buckets.
func (c Compiled) LackingFields() DSL {
	any, each := []DSL{}, DSL{}
	for i, field := range c.Search.Fields {
		any = append(any, Lacks(field))
		ignored := DSL{"filter": DSL{"term": DSL{"_ignored": field}}}
		each[strconv.Itoa(i)] = DSL{"filter": Lacks(field), "aggs": DSL{"ignored": ignored}}
	}
	return DSL{"filter": AnyOf(any), "aggs": each}
}

// A LackingAnswer is the answer to Compiled.LackingFields: the fields are named by their
// positions.
type LackingAnswer struct {
	elastic.DocCount
	First  lackingField `json:"0"`
	Second lackingField `json:"1"`
	Third  lackingField `json:"2"`
}

type lackingField struct {
	elastic.DocCount
	Ignored elastic.DocCount `json:"ignored"`
}

// Read returns the answer by the names of the new-terms fields.
func (a LackingAnswer) Read(fields []string) Lacking {
	lacking := Lacking{Any: a.Count, ByField: map[string]int64{}, Ignored: map[string]int64{}}
	for i, field := range []lackingField{a.First, a.Second, a.Third}[:len(fields)] {
		lacking.ByField[fields[i]], lacking.Ignored[fields[i]] = field.Count, field.Ignored.Count
	}
	return lacking
}
