package kibana

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:generate sh -c "go run ./generate > newterms.ndjson"

//go:embed newterms.ndjson
var objects []byte

// Settings are what differs from one space to another in the saved objects.
type Settings struct {
	AlertsTarget, RunsTarget string
	// OktaAdmin is the address of Okta's admin console, to which the id of an
	// actor then leads. It is "" for none: no event tells it.
	OktaAdmin string
	Notes     []Note // of the rules that run
}

// A Note tells what to do about the alerts of a rule, in markdown.
type Note struct{ Rule, Text string }

// Objects returns the saved objects, a JSON object a line.
func Objects(s Settings) ([]byte, error) {
	var out bytes.Buffer
	for line := range bytes.Lines(objects) {
		var o map[string]any
		if err := json.Unmarshal(line, &o); err != nil {
			return nil, err
		}
		attributes := o["attributes"].(map[string]any)
		var err error
		switch o["id"] {
		case "newterms-alerts", "newterms-decided-alerts":
			attributes["title"] = s.AlertsTarget
			err = within(attributes, "fieldFormatMap", s.addFormats)
		case "newterms-runs":
			attributes["title"] = s.RunsTarget
		case alertsDashboard:
			err = within(attributes, "panelsJSON", s.addNotes)
		}
		if err != nil {
			return nil, err
		}
		text, err := encode(o)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(&out, text)
	}
	return out.Bytes(), nil
}

// within changes what an attribute holds as JSON in a string.
func within[T any](attributes map[string]any, name string, change func(T)) error {
	var inner T
	if err := json.Unmarshal([]byte(attributes[name].(string)), &inner); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	change(inner)
	text, err := encode(inner)
	attributes[name] = text
	return err
}

func (s Settings) addFormats(formats map[string]any) {
	if s.OktaAdmin != "" {
		user := strings.TrimRight(s.OktaAdmin, "/") + "/admin/user/profile/view/{{value}}"
		formats["okta.actor.id"] = map[string]any{"id": "url", "params": map[string]any{"urlTemplate": user, "labelTemplate": "{{value}}"}}
	}
}

// addNotes puts the notes behind the text of the guide.
func (s Settings) addNotes(panels []map[string]any) {
	for _, p := range panels {
		if p["panelIndex"] != "guide" {
			continue
		}
		params := p["embeddableConfig"].(map[string]any)["savedVis"].(map[string]any)["params"].(map[string]any)
		for _, n := range s.Notes {
			params["markdown"] = fmt.Sprintf("%s\n\n---\n\n**%s**\n\n%s", params["markdown"], n.Rule, strings.TrimSpace(n.Text))
		}
	}
}

// encode is compact JSON with sorted keys, as in newterms.ndjson.
func encode(v any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}
