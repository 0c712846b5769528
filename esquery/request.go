package esquery

import (
	"strings"

	"newterms/esquery/access"
	"newterms/esquery/kql"
)

// A Request is a request of a Source, for people to read.
type Request struct {
	Name string         `json:"name"`
	Path string         `json:"path"`
	Body map[string]any `json:"body"`
}

// Requests returns the requests of a Source with this search, for a window and a page
// of candidates. It treats every field as a keyword, and sends nothing.
func (s Search) Requests(window, history Range, page []Candidate) ([]Request, error) {
	fields := kql.Fields{}
	for _, name := range s.PlainNames() {
		fields[name] = kql.Field{Types: []string{"keyword"}}
	}
	query, err := s.compile(fields)
	if err != nil {
		return nil, err
	}
	return bodies{search: s, query: query}.requests(window, history, page), nil
}

// Requests is Search.Requests with the actual types of the fields.
func (s *Source) Requests(window, history Range, page []Candidate) []Request {
	return s.requests(window, history, page)
}

// Types returns the types of the search's mapped fields.
func (s *Source) Types() map[string][]string {
	types := map[string][]string{}
	for _, name := range s.search.fieldNames() {
		if f, ok := s.fields[name]; ok {
			types[name] = f.Types
		}
	}
	return types
}

func (b bodies) requests(window, history Range, page []Candidate) []Request {
	s := b.search
	path := "POST /" + strings.Join(s.Indices, ",") + "/"
	return []Request{
		{"field types", path + "_field_caps", access.FieldTypesBody(s.fieldNames())},
		{"candidates", path + "_search", b.candidates(window, defaultPageSize, nil)},
		{"history", path + "_search", b.history(history, page, defaultPageSize, nil)},
		{"first events", path + "_search", b.find(page, false, maxFound(len(page)), asSent, nil, nil)},
	}
}
