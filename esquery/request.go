package esquery

import (
	"strings"

	"newterms/esquery/access"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// A Request is a request of a Source, for people to read.
type Request struct {
	Name string         `json:"name"`
	Path string         `json:"path"`
	Body map[string]any `json:"body"`
}

// Requests returns the requests of a Source with a search, for a window and a page
// of candidates. It treats every field as a keyword, and sends nothing.
func Requests(s query.Search, window, history query.Range, page []Candidate) ([]Request, error) {
	fields := kql.Fields{}
	for _, name := range s.PlainNames() {
		fields[name] = kql.Field{Types: []string{"keyword"}}
	}
	match, err := query.Compile(s, access.Mapping{Fields: fields})
	if err != nil {
		return nil, err
	}
	return bodies{search: s, match: match}.requests(window, history, page), nil
}

// Requests is the function Requests with the actual types of the fields.
func (s *Source) Requests(window, history query.Range, page []Candidate) []Request {
	return s.requests(window, history, page)
}

func (b bodies) requests(window, history query.Range, page []Candidate) []Request {
	s := b.search
	path := "POST /" + strings.Join(s.Indices, ",") + "/"
	return []Request{
		{"field types", path + "_field_caps", access.FieldTypesBody(s.FieldNames())},
		{"candidates", path + "_search", b.candidates(window, defaultPageSize, nil)},
		{"history", path + "_search", b.history(history, page, false, defaultPageSize, nil)},
		{"first events", path + "_search", b.find(page, false, maxFound(len(page)), asSent, nil, nil)},
	}
}
