package kibana_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"newterms/deploy/kibana"
)

// TestCauseLink leads from a run to the alerts of its cause: Discover reads the KQL of the
// run document.
func TestCauseLink(t *testing.T) {
	objects, err := kibana.Objects(kibana.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var formats map[string]struct{ Params struct{ URLTemplate string } }
	for line := range strings.Lines(string(objects)) {
		var view struct {
			ID         string
			Attributes struct{ FieldFormatMap string }
		}
		if err := json.Unmarshal([]byte(line), &view); err == nil && view.ID == "newterms-runs" {
			err = json.Unmarshal([]byte(view.Attributes.FieldFormatMap), &formats)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, where := range []string{`as: "VPN"`, `as: "O\u0027Neil\u0021"`, `as: "back\\slash \"quoted\""`, "as: \"日本 ü 😀\"", `as: "(),:@*&%#+?/="`} {
		// Kibana encodes the value as encodeURIComponent does.
		encoded := strings.ReplaceAll(url.QueryEscape(where), "+", "%20")
		_, state, _ := strings.Cut(strings.ReplaceAll(formats["newterms.cause.where"].Params.URLTemplate, "{{value}}", encoded), "#/?")
		state, err := url.PathUnescape(state[strings.Index(state, "&_a=")+1:])
		// In its notation ! escapes and ' ends a text.
		query := regexp.MustCompile(`query:\(language:kuery,query:'([^'!]*)'\)\)$`).FindStringSubmatch(state)
		if err != nil || query == nil || query[1] != where {
			t.Errorf("%s: %v, %q in %s", where, err, query, state)
		}
	}
}
