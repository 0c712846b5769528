package explain_test

import (
	"strings"
	"testing"

	"newterms/esquery/query"
	"newterms/job/explain"
	"newterms/job/rule"
)

// TestRulesFor asks the rules that have most of the given fields.
func TestRulesFor(t *testing.T) {
	var rules []rule.Rule
	for _, fields := range []string{"a b", "b c", "d"} {
		rules = append(rules, rule.Rule{Name: fields, Search: query.Search{Fields: strings.Fields(fields)}})
	}
	for given, want := range map[string]string{
		"a": "a b", "b": "a b, b c", "a b": "a b", "b c": "b c", "a c": "a b, b c", "a d": "a b, d", "a b d": "a b", "x": "a b, b c, d", "x d": "d",
	} {
		values := query.Values{}
		for field := range strings.FieldsSeq(given) {
			values[field] = []any{"v"}
		}
		var names []string
		for _, r := range explain.RulesFor(values, rules) {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}

func TestParseTerms(t *testing.T) {
	values, err := explain.ParseTerms([]string{"a=", "b==x=y", "c=(missing)", "d= e "})
	if err != nil || len(values) != 4 || values["a"][0] != "" || values["b"][0] != "=x=y" || values["c"][0] != nil || values["d"][0] != " e " {
		t.Errorf("got %q, %v", values, err)
	}
	for text, want := range map[string]string{
		"a": "is not FIELD=VALUE", "=a": "is not FIELD=VALUE", "": "is not FIELD=VALUE", "a*=b": "* is no wildcard", "a=" + strings.Repeat("x", 32_767): "32767 bytes",
	} {
		if _, err := explain.ParseTerms([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: got %v, want %s", text, err, want)
		}
	}
	if _, err := explain.ParseTerms([]string{"a=1", "a=2"}); err == nil || !strings.Contains(err.Error(), "a is there twice") {
		t.Errorf("got %v", err)
	}
}
