package explain

import (
	"strings"

	"newterms/esquery"
	"newterms/esquery/before"
)

// contextRequest returns the question that the context of the given alert comes from;
// nil if there is none.
func (e *Explainer) contextRequest(source *esquery.Source) *esquery.Request {
	if e.GivenAlert == nil || e.Details == nil || e.Details.Context == nil || len(e.Details.Context.Terms) == 0 {
		return nil
	}
	asker, s := before.New(source.Opened), before.Subject{Terms: e.GivenAlert.Terms, At: e.GivenAlert.FirstSeen}
	for _, a := range e.Details.Context.Attributes {
		if asker.CanAsk(a.Field, a.Value) { // the mapping may have changed
			s.Attributes = append(s.Attributes, before.Attribute{Field: a.Field, Value: a.Value})
		}
	}
	return &esquery.Request{
		Name: "context", Path: "POST /" + strings.Join(source.Search.Indices, ",") + "/_search", Body: asker.Body(e.Rule.History, []before.Subject{s}),
	}
}
