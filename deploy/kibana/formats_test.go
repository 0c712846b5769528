package kibana_test

import (
	"regexp"
	"slices"
	"strings"
)

// formats checks how a data view shows the values of its fields.
func (c *checklist) formats(view, text string) {
	var formats map[string]struct {
		ID     string
		Params struct {
			Pattern, InputFormat, OutputFormat, URLTemplate, LabelTemplate string
			OutputPrecision                                                int
		}
	}
	if !c.decode("fieldFormatMap", []byte(text), &formats) {
		return
	}
	for name, f := range formats {
		switch f.ID {
		case "date":
			c.field(view, name, "date")
			if f.Params.Pattern == "" || len(f.Params.Pattern) > 12 {
				c.problem("the date format %q of %s does not fit a figure", f.Params.Pattern, name)
			}
		case "relative_date":
			c.field(view, name, "date")
		case "duration":
			c.field(view, name, "long")
		case "url":
			c.field(view, name, "keyword")
			c.link(name, f.Params.URLTemplate, f.Params.LabelTemplate)
		default:
			c.problem("%s has the format %q", name, f.ID)
		}
	}
}

// link checks the template of a link in a cell. Kibana puts its address, base
// path and space before "../app", and the value encoded for a URL.
func (c *checklist) link(name, template, label string) {
	switch {
	case !strings.HasPrefix(template, "../app/") && !strings.HasPrefix(template, "https://"):
		c.problem("the link of %s leads to %s, which is no page of Kibana's and not https", name, template)
	case strings.Count(template, "{{value}}") != 1:
		c.problem("the link of %s holds its value %d times", name, strings.Count(template, "{{value}}"))
	case strings.Count(template, "(") != strings.Count(template, ")") || strings.Count(template, "'")%2 != 0:
		c.problem("the link of %s is broken: %s", name, template)
	case label == "":
		c.problem("the link of %s has no label", name)
	}
	for _, m := range regexp.MustCompile(`query:'([a-z.]+):%22`).FindAllStringSubmatch(template, -1) {
		if m[1] != name {
			c.problem("the link of %s asks for %s", name, m[1])
		}
	}
}

func isColor(text string) bool { return regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`).MatchString(text) }

// A colorMapping gives values of a split their colours.
type colorMapping struct {
	PaletteID   string
	ColorMode   struct{ Type string }
	Assignments []struct {
		Rule struct {
			Type   string
			Values []string
		}
		Color   struct{ Type, ColorCode string }
		Touched bool
	}
	SpecialAssignments []struct {
		Rule, Color struct{ Type string }
		Touched     bool
	}
}

func (m colorMapping) has(value string) bool {
	for _, a := range m.Assignments {
		if slices.Contains(a.Rule.Values, value) {
			return true
		}
	}
	return false
}

func (c *checklist) colors(m colorMapping) {
	if m.PaletteID == "" || m.ColorMode.Type != "categorical" || len(m.SpecialAssignments) != 1 {
		c.problem("a colour mapping needs a palette, a mode and what others get: %+v", m)
	}
	var seen []string
	for _, a := range m.Assignments {
		if a.Rule.Type != "matchExactly" || len(a.Rule.Values) == 0 || a.Color.Type != "colorCode" || !isColor(a.Color.ColorCode) {
			c.problem("the colour of %v is %v", a.Rule, a.Color)
		}
		for _, value := range a.Rule.Values {
			if slices.Contains(seen, value) {
				c.problem("%s has two colours", value)
			}
			seen = append(seen, value)
		}
	}
}

// colorsOf are the values that must have colours of their own, by the field that
// a chart or donut is split by.
func colorsOf(field string) []string {
	return map[string][]string{
		"kibana.alert.severity":                    {"low", "medium", "high", "critical"},
		"kibana.alert.workflow_status":             {"open", "acknowledged", "closed"},
		"event.outcome":                            {"success", "failure"},
		"kibana.alert.workflow_reason":             {"true_positive", "benign_positive", "false_positive", "duplicate"},
		"newterms.run.state":                       {"success", "failure"},
		"okta.debug_context.debug_data.risk_level": {"LOW", "MEDIUM", "HIGH"},
	}[field]
}
