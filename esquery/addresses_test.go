package esquery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// TestAddressesInOtherFields maps the field f in two indices, a and b, and compares
// it with a list of addresses, and with a network of an exclusion.
func TestAddressesInOtherFields(t *testing.T) {
	const ip, keyword, text, object = `"type":"ip"`, `"type":"keyword"`, `"type":"text"`, `"properties":{"x":{"type":"keyword"}}`
	for _, c := range []struct {
		name, a, b string // "" maps nothing
		of         string // the types that the list's error names; "" is no error
		networks   string // the same for the warning of exclusions
	}{
		{"ip", ip, ip, "", ""},
		{"mapped nowhere", "", "", "", ""},
		{"mapped in one index", ip, "", "", ""},
		{"an object in one index", ip, object, "", ""},
		{"keyword", keyword, keyword, "is of type keyword", "is of type keyword"},
		{"keyword in one index", ip, keyword, "is of type keyword in B", "is of type keyword in B"},
		{"text in one index, an object in the other", text, object, "is of type text in A", "is of type text in A"},
		{"a key of a flattened field", `"properties":{"g":{"type":"ip"}}`, `"type":"flattened"`, "is a key of f, which is of type flattened in B", "is a key of f, which is of type flattened in B"},
		{"ranges of addresses", `"type":"ip_range"`, ip, "is of type ip_range in A", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			indices := map[string]string{}
			for name, mapping := range map[string]string{"A": c.a, "B": c.b} {
				types := map[string]string{"@timestamp": `"type":"date"`, "user": keyword}
				if mapping != "" {
					types["f"] = mapping
				}
				indices[name] = newIndex(t, mappingOf(types))
			}
			names := strings.NewReplacer(indices["A"], "A", indices["B"], "B")
			field := "f"
			if strings.Contains(c.of, "a key of") {
				field = "f.g"
			}
			s := query.Search{Indices: []string{indices["A"], indices["B"]}, Query: parse(t, "not f.x: y"), Fields: []string{"user"}, Timestamp: "@timestamp"}
			s.Exclude = []kql.Query{parse(t, field+": 10.0.0.0/8"), parse(t, field+": (192.0.2.0/24 or 192.0.2.1) or user: x")}
			var networks []string
			for _, n := range open(t, nil, s).TextNetworks() {
				networks = append(networks, fmt.Sprint(n))
			}
			want := ""
			if c.networks != "" {
				want = field + " " + c.networks + ", where no address is in 10.0.0.0/8, 192.0.2.0/24"
			}
			if got := names.Replace(strings.Join(networks, "; ")); got != want {
				t.Errorf("got the warning %q, want %q", got, want)
			}
			s.Exclude, s.Exceptions = nil, []query.Exception{{Name: "item", Entries: []query.Entry{
				{Field: "user", Kind: "exists"}, {Field: field, Kind: "match_any", Values: []string{"10.0.0.0/8"}, List: "nets.txt (ip)", Addresses: true},
			}}}
			client := elastic.NewClient(estest.ForTest(t), elastic.Options{})
			_, openErr := esquery.Open(t.Context(), client, s)
			_, inspectErr := inspect.Events(t.Context(), client, s, allTime)
			for _, err := range []error{openErr, inspectErr} {
				var misfit *query.MappingError
				if c.of == "" {
					if err != nil {
						t.Errorf("got %v", err)
					}
				} else if want := "the exception item compares the value list nets.txt (ip) with " + field + ", which " + c.of + ": "; !errors.As(err, &misfit) || !strings.HasPrefix(names.Replace(err.Error()), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		})
	}
}
