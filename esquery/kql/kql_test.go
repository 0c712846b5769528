package kql_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"newterms/esquery/kql"
)

// The mapping that the tables below know.
func fields() kql.Fields {
	keyword, date := kql.Field{Types: []string{"keyword"}}, kql.Field{Types: []string{"date"}}
	return kql.Fields{
		"user": keyword, "host.name": keyword, "host.id": keyword, "@timestamp": date,
		"mixed": {Types: []string{"keyword", "wildcard"}}, "bytes": {Types: []string{"long"}}, "note": {Types: []string{"text"}},
		"grants.role": {Types: []string{"keyword"}, NestedPath: "grants"},
		"agent":       {Types: []string{"keyword"}, Object: true}, "seen": {Types: []string{"date"}, Object: true},
		"loans.role": {Types: []string{"keyword"}, MixedPaths: []string{"loans"}},
	}
}

func TestCompile(t *testing.T) {
	one := func(clause string) string { return `{"bool":{"should":[` + clause + `],"minimum_should_match":1}}` }
	group := func(path, query string) string {
		return `{"nested":{"path":"` + path + `","ignore_unmapped":true,"query":` + query + `,"score_mode":"none"}}`
	}
	for _, c := range []struct{ name, kql, want string }{
		{"the empty query matches everything", "", `{"match_all":{}}`},
		{"and so do spaces", " \n\u00a0", `{"match_all":{}}`},
		{"any value in any field", "*:*", `{"match_all":{}}`},
		{"keyword", `user:ada`, one(`{"term":{"user":{"value":"ada"}}}`)},
		{"keyword, quoted", `user:"ada"`, one(`{"term":{"user":{"value":"ada"}}}`)},
		{"field in quotes", `"user":ada`, one(`{"term":{"user":{"value":"ada"}}}`)},
		{"space around the colon", "user :\n ada", one(`{"term":{"user":{"value":"ada"}}}`)},
		{"unknown type, unquoted", `x:ada`, one(`{"match":{"x":"ada"}}`)},
		{"unknown type, quoted", `x:"ada l"`, one(`{"match_phrase":{"x":"ada l"}}`)},
		{"two types are no keyword", `mixed:a`, one(`{"match":{"mixed":"a"}}`)},
		{"an object in some indices is no keyword", `agent:a`, one(`{"match":{"agent":"a"}}`)},
		{"a wildcard on such a name", `agent:a*`, one(`{"query_string":{"fields":["agent"],"query":"a*"}}`)},
		{"an object in some indices is no date", `seen:2026`, one(`{"match":{"seen":"2026"}}`)},
		{"text", `note:"a b"`, one(`{"match_phrase":{"note":"a b"}}`)},
		{"a number stays a string", `bytes:070`, one(`{"match":{"bytes":"070"}}`)},
		{"booleans and null have types", `x:true or x:false or x:null`,
			one(one(`{"match":{"x":true}}`) + "," + one(`{"match":{"x":false}}`) + "," + one(`{"match":{"x":null}}`))},
		{"quoted true is a string", `x:"true"`, one(`{"match_phrase":{"x":"true"}}`)},
		{"True is a string", `x:True`, one(`{"match":{"x":"True"}}`)},
		{"exists", `user:*`, one(`{"exists":{"field":"user"}}`)},
		{"two stars are no exists", `user:**`, one(`{"wildcard":{"user":{"value":"**"}}}`)},
		{"wildcard on a keyword, spaces kept", `user:S3 Bro*`, one(`{"wildcard":{"user":{"value":"S3 Bro*"}}}`)},
		{"question marks and other operators are literal", `user:a?b+c*`, one(`{"wildcard":{"user":{"value":"a\\?b\\+c*"}}}`)},
		{"escaped star beside a wildcard", `user:a\**`, one(`{"wildcard":{"user":{"value":"a\\**"}}}`)},
		{"escaped star alone", `user:a\*`, one(`{"term":{"user":{"value":"a*"}}}`)},
		{"star in quotes", `user:"a*"`, one(`{"term":{"user":{"value":"a*"}}}`)},
		{"wildcard elsewhere", `x:a-b*`, one(`{"query_string":{"fields":["x"],"query":"a\\-b*"}}`)},
		{"field wildcard", `host.*:a`, one(`{"term":{"host.id":{"value":"a"}}},{"term":{"host.name":{"value":"a"}}}`)},
		{"inner field wildcard", `h*.n*e:a`, one(`{"term":{"host.name":{"value":"a"}}}`)},
		{"field wildcard that matches nothing", `nope*:a`, one(`{"match":{"nope*":"a"}}`)},
		{"date", `@timestamp:"2026-01-02"`, one(`{"range":{"@timestamp":{"gte":"2026-01-02","lte":"2026-01-02","time_zone":"Zulu"}}}`)},
		{"date in milliseconds", `@timestamp:1700000000000`, one(`{"range":{"@timestamp":{"gte":"1700000000000","lte":"1700000000000"}}}`)},
		{"range", `bytes >= 5 and bytes<9`,
			`{"bool":{"filter":[` + one(`{"range":{"bytes":{"gte":"5"}}}`) + `,` + one(`{"range":{"bytes":{"lt":"9"}}}`) + `]}}`},
		{"a range takes an equals sign apart from its operator for the value", `bytes > =5 or bytes>==5`,
			one(one(`{"range":{"bytes":{"gt":"=5"}}}`) + `,` + one(`{"range":{"bytes":{"gte":"=5"}}}`))},
		{"range of dates", `@timestamp > "now-1d"`, one(`{"range":{"@timestamp":{"gt":"now-1d","time_zone":"Zulu"}}}`)},
		{"not", `not user:a`, `{"bool":{"must_not":` + one(`{"term":{"user":{"value":"a"}}}`) + `}}`},
		{"not binds closer than and, and closer than or", `not user:a and user:b or user:c`,
			one(`{"bool":{"filter":[{"bool":{"must_not":` + one(`{"term":{"user":{"value":"a"}}}`) + `}},` +
				one(`{"term":{"user":{"value":"b"}}}`) + `]}},` + one(`{"term":{"user":{"value":"c"}}}`))},
		{"keywords in any case", `user:a OR user:b`, one(one(`{"term":{"user":{"value":"a"}}}`) + `,` + one(`{"term":{"user":{"value":"b"}}}`))},
		{"a list of values", `user:(a or b)`, one(one(`{"term":{"user":{"value":"a"}}}`) + `,` + one(`{"term":{"user":{"value":"b"}}}`))},
		{"everything but", `user:(* and not (a or b*))`,
			`{"bool":{"filter":[` + one(`{"exists":{"field":"user"}}`) + `,{"bool":{"must_not":` +
				one(one(`{"term":{"user":{"value":"a"}}}`)+`,`+one(`{"wildcard":{"user":{"value":"b*"}}}`)) + `}}]}}`},
		{"or the field is missing", `user:(a or not *)`,
			one(one(`{"term":{"user":{"value":"a"}}}`) + `,{"bool":{"must_not":` + one(`{"exists":{"field":"user"}}`) + `}}`)},
		{"words that only look like keywords", `user:orange and user:or`,
			`{"bool":{"filter":[` + one(`{"term":{"user":{"value":"orange"}}}`) + `,` + one(`{"term":{"user":{"value":"or"}}}`) + `]}}`},
		{"a field of two words", `user:a or or x:b`, one(one(`{"term":{"user":{"value":"a"}}}`) + `,` + one(`{"match":{"or x":"b"}}`))},
		{"escaped keyword", `user:this \and that`, one(`{"term":{"user":{"value":"this and that"}}}`)},
		{"windows path", `user:C\:\\Temp\\*`, one(`{"wildcard":{"user":{"value":"C\\:\\\\Temp\\\\*"}}}`)},
		{"a backslash in quotes stays", `user:"C:\Windows\uninstall"`, one(`{"term":{"user":{"value":"C:\\Windows\\uninstall"}}}`)},
		{"escapes in quotes", `user:"\"\u00e9\t\\"`, one(`{"term":{"user":{"value":"\"é\t\\"}}}`)},
		{"escapes without quotes", `user:\u00e9\:\(\t.`, one(`{"term":{"user":{"value":"é:(\t."}}}`)},
		{"two escapes that make one character", `user:"\ud83d\ude00" or user:a\uD83D\uDE00b`,
			one(one(`{"term":{"user":{"value":"😀"}}}`) + `,` + one(`{"term":{"user":{"value":"a😀b"}}}`))},
		{"an escaped backslash before what looks like half of a character", `user:"\\ud83d"`, one(`{"term":{"user":{"value":"\\ud83d"}}}`)},
		{"a replacement character that is meant", "user:\ufffd or user:\\ufffd",
			one(one(`{"term":{"user":{"value":"\ufffd"}}}`) + `,` + one(`{"term":{"user":{"value":"\ufffd"}}}`))},
		{"free text", `ada lovelace`, `{"multi_match":{"type":"best_fields","query":"ada lovelace","lenient":true}}`},
		{"free phrase", `"ada l"`, `{"multi_match":{"type":"phrase","query":"ada l","lenient":true}}`},
		{"free wildcard", `ada*`, `{"query_string":{"query":"ada*"}}`},
		{"nested", `grants:{ role:admin and x:1 }`,
			`{"nested":{"path":"grants","ignore_unmapped":true,"query":{"bool":{"filter":[` + one(`{"match":{"grants.role":"admin"}}`) + `,` +
				one(`{"match":{"grants.x":"1"}}`) + `]}},"score_mode":"none"}}`},
		{"field wildcard into a nested field", `grants.*:admin`,
			one(`{"nested":{"path":"grants","ignore_unmapped":true,"query":{"term":{"grants.role":{"value":"admin"}}},"score_mode":"none"}}`)},
		{"a field that is nested in some indices is plain", `loans.role:admin`, one(`{"term":{"loans.role":{"value":"admin"}}}`)},
		{"so is one that a pattern stands for", `lo*.role:admin`, one(`{"term":{"loans.role":{"value":"admin"}}}`)},
		{"and a group may name it", `loans:{ role:admin }`, group("loans", one(`{"match":{"loans.role":"admin"}}`))},
		{"free text inside a group", `grants:{ admin }`, group("grants", one(`{"match":{"grants.null":"admin"}}`))},
		{"in quotes", `grants:{ "admin" }`, group("grants", one(`{"match_phrase":{"grants.null":"admin"}}`))},
		{"with a wildcard", `grants:{ adm* }`, group("grants", one(`{"query_string":{"fields":["grants.null"],"query":"adm*"}}`))},
		{"any text inside a group", `grants:{ * }`, group("grants", one(`{"exists":{"field":"grants.null"}}`))},
		{"null for a field inside a group", `grants:{ null:admin }`, group("grants", one(`{"match":{"grants.null":"admin"}}`))},
		{"any value in any field of a group", `grants:{ *:* }`, group("grants", `{"match_all":{}}`)},
		{"a pattern inside a group stands for itself", `grants:{ ro*:admin }`, group("grants", one(`{"match":{"grants.ro*":"admin"}}`))},
		{"also in a range", `grants:{ ro* < 5 }`, group("grants", one(`{"range":{"grants.ro*":{"lt":"5"}}}`))},
		{"and with any value", `grants:{ ro*:* }`, group("grants", one(`{"exists":{"field":"grants.ro*"}}`))},
		{"a wildcard with a space inside a group", `grants:{ role:S3 Bro* }`, group("grants", one(`{"query_string":{"fields":["grants.role"],"query":"S3 Bro*"}}`))},
		{"a field that is named outside as well is known", `gr*.role:x or grants:{ role:S3 Bro* and ro*:y }`, one(one(`{"nested":{"path":"grants",`+
			`"ignore_unmapped":true,"query":{"term":{"grants.role":{"value":"x"}}},"score_mode":"none"}}`) + `,` + group("grants",
			`{"bool":{"filter":[`+one(`{"wildcard":{"grants.role":{"value":"S3 Bro*"}}}`)+`,`+one(`{"term":{"grants.role":{"value":"y"}}}`)+`]}}`))},
	} {
		t.Run(c.name, func(t *testing.T) {
			compiled, err := parse(t, c.kql).Compile(fields())
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(compiled)
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, string(got), c.want) {
				t.Errorf("%s\n got %s\nwant %s", c.kql, got, c.want)
			}
		})
	}
}

func parse(t *testing.T, query string) kql.Query {
	t.Helper()
	q, err := kql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

func TestNames(t *testing.T) {
	for query, want := range map[string]string{
		`user:(a or b) and not host.*:x and bytes>5`: "bytes host.* user",
		`free and null:x and "user":c`:               "user",
		`grants:{ role:a and site:b }`:               "grants grants.*",
		`a:{ b:{ c:d } } or a.b:{ free }`:            "a a.* a.b a.b.*",
		`user:a or user:b or user:(c and not d)`:     "user",
		`_id:a`:                                      "_id",
		``:                                           "",
	} {
		if got := strings.Join(parse(t, query).Names(), " "); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}
