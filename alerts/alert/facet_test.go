package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"newterms/alerts/runs"
)

// TestFacets lists who and from where, each with the field that it comes from, and
// nothing that an unknown actor has typed.
func TestFacets(t *testing.T) {
	isMapped := func(field string) bool { return field != "okta.security_context.as.organization.name" }
	for _, c := range []struct {
		event  string
		fields []string
		terms  []any
		want   string
	}{
		{`{"okta":{"actor":{"id":"00u1","display_name":"Ada"}}}`, []string{"okta.actor.id", "cloud.account.id"}, []any{"00u1", "acc"}, "actor okta.actor.id=00u1 (Ada), account cloud.account.id=acc"},
		{`{"okta":{"actor":{"id":["00u1","00u2"]}}}`, []string{"okta.actor.id"}, []any{"00u2"}, "actor okta.actor.id=00u2"},
		{`{"user":{"name":["a","b"]},"source":{"ip":"192.0.2.7"}}`, []string{"process.name"}, []any{"x.exe"}, "process.name process.name=x.exe, actor user.name=a, actor user.name=b, client IP source.ip=192.0.2.7"},
		{`{}`, []string{"process.name", "source.as.number"}, []any{nil, 16509}, "source.as.number source.as.number=16509"},
		{`{"okta":{"security_context":{"as":{"organization":{"name":"A"}}}},"client":{"as":{"organization":{"name":"B"}}}}`, []string{"user.id"}, []any{"u"}, "user.id user.id=u, network client.as.organization.name=B"},
		{`{"okta":{"security_context":{"as":{"organization":{"name":"A"}}}}}`, []string{"user.id"}, []any{"u"}, "user.id user.id=u, network okta.security_context.as.organization.name=A"},
		{`{"okta":{"actor":{"id":"unknown","display_name":"hunter2"}},"user":{"name":"hunter2"}}`, []string{"user.name", "cloud.account.id"}, []any{"hunter2", "acc"}, "account cloud.account.id=acc, actor okta.actor.id=unknown"},
	} {
		rule := testRule()
		rule["new_terms_fields"] = c.fields
		m, err := NewMaker(rule, runs.Info{})
		if err != nil {
			t.Fatal(err)
		}
		alert := m.Alert(Finding{Terms: c.terms, From: firstSeen, Event: NewEvent(SourceEvent{Source: []byte(c.event)})}, firstSeen)
		var got []string
		for _, f := range alert.Facets(isMapped) {
			text := fmt.Sprintf("%s %s=%s", f.Kind, f.Field, f.Value)
			if isSource := f.Kind != "account" && f.Value != "unknown"; f.Source != isSource {
				t.Errorf("%s: source is %t", text, f.Source)
			}
			if f.Name != "" {
				text += " (" + f.Name + ")"
			}
			got = append(got, text)
			if !slices.Contains(FacetKinds(c.fields), f.Kind) {
				t.Errorf("%s is no known kind", f.Kind)
			}
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: got %s, want %s", c.event, text, c.want)
		}
	}
}
