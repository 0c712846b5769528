package explain

import "newterms/esquery"

// contextRequest returns the question that the context of the given alert comes from;
// nil if there is none.
func (e *Explainer) contextRequest(source *esquery.Source) *esquery.Request {
	if e.GivenAlert == nil || e.Details == nil || e.Details.Context == nil || len(e.Details.Context.Terms) == 0 {
		return nil
	}
	s := esquery.Subject{Terms: e.GivenAlert.Terms, At: e.GivenAlert.FirstSeen}
	for _, a := range e.Details.Context.Attributes {
		if source.CanAsk(a.Field, a.Value) { // the mapping may have changed
			s.Attributes = append(s.Attributes, esquery.Attribute{Field: a.Field, Value: a.Value})
		}
	}
	request := source.ContextRequest(e.Rule.History, []esquery.Subject{s})
	return &request
}
