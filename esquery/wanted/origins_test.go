package wanted_test

import (
	"testing"

	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/esquery/wanted"
)

// TestFields lists a field once that a rule and its summary both want: what is listed
// twice would be fetched for every event, although its source has it.
func TestFields(t *testing.T) {
	mapped := kql.Fields{}
	for _, name := range []string{"a", "b", "user"} {
		mapped[name] = kql.Field{Types: []string{"keyword"}}
	}
	listed, _ := wanted.Fields(query.Search{Fields: []string{"user"}, Wanted: []string{"a", "b", "a", "user", "unmapped"}}, mapped)
	if len(listed) != 2 {
		t.Errorf("wanted %v", listed)
	}
}
