package kql

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse checks that no input panics or takes more looks than a few for each
// character, that an error points at a character of the query, and that what
// parses compiles to JSON with no character that was not asked for.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`a:(b or "c*" and not d)`, `grants:{ b:* } or c<=1`, `\u00e9:\**`, `((`, `not not`, `n>=`, `n >= =x`, `\ud83d\ude00:"\ud83d"`,
		"a:\xff", `gr*.role:(x or y*) and mixed:{ role:a or deep:{ b:c } }`, "a   or  an or\tnot  b", `a\or b:\not`, `*:* or _i*:x`,
	} {
		f.Add(seed)
	}
	fields := FieldsOf(Capabilities{
		"grants": {"nested": {}}, "grants.role": {"keyword": {}}, "mixed": {"nested": {}, "object": {}}, "mixed.role": {"text": {}},
		"a": {"keyword": {}}, "b": {"date": {}}, "n": {"long": {}}, "o": {"object": {}, "keyword": {}}, "_id": {"_id": {Metadata: true}},
	})
	f.Fuzz(func(t *testing.T, query string) {
		p := newParser(query)
		q, err := p.parse()
		if most := 10*len(p.in) + 50; p.steps > most {
			t.Errorf("%d steps for %d characters", p.steps, len(p.in))
		}
		if err != nil {
			checkSyntaxError(t, query, err)
			return
		}
		q.Names()
		compiled, err := q.Compile(fields)
		if err != nil {
			if !errors.As(err, new(*FieldError)) {
				t.Error(err)
			}
			return
		}
		got, err := json.Marshal(compiled)
		if err != nil {
			t.Fatal(err)
		}
		// encoding/json writes what is no UTF-8 as an escape, and the character as it is.
		replaced := bytes.Contains(got, []byte(`\ufffd`)) || bytes.ContainsRune(got, utf8.RuneError)
		if meant := strings.ContainsRune(query, utf8.RuneError) || strings.Contains(strings.ToLower(query), "ufffd"); replaced && !meant {
			t.Errorf("%q became %s", query, got)
		}
	})
}

func checkSyntaxError(t *testing.T, query string, err error) {
	t.Helper()
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Error() == "" {
		t.Fatal(err)
	}
	found, in := "", []rune(query)
	if syntax.Offset < len(in) {
		found = string(in[syntax.Offset])
	}
	if syntax.Offset > len(in) || syntax.Found != found || (syntax.Reason == "") == (len(syntax.Expected) == 0) {
		t.Errorf("%q: %+v", query, syntax)
	}
}
