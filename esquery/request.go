package esquery

import (
	"strings"

	"newterms/esquery/kql"
)

// A Request is one that a Source sends, for people to read.
type Request struct {
	Name, Path string
	Body       map[string]any
}

// Requests shows what a Source with this search would send for a window and a
// page of candidates, with every field taken for a keyword. It asks nobody.
func (s Search) Requests(window, history Range, page []Candidate) ([]Request, error) {
	fields := kql.Fields{}
	for _, name := range s.fieldNames() {
		fields[name] = kql.Field{Types: []string{"keyword"}}
	}
	query, err := s.compile(fields)
	if err != nil {
		return nil, err
	}
	b := bodies{search: s, query: query}
	path := "POST /" + strings.Join(s.Indices, ",") + "/"
	return []Request{
		{"field types", path + "_field_caps", fieldTypesBody(s.fieldNames())},
		{"candidates", path + "_search", b.candidates(window, defaultPageSize, nil)},
		{"history", path + "_search", b.history(history, page, defaultPageSize, nil)},
		{"first events", path + "_search", b.find(page, nil)},
	}, nil
}
