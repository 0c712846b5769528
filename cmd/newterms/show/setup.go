package show

import (
	"fmt"

	"newterms/alerts/templates"
	"newterms/deploy/kibana"
)

// Installed returns the lines about what setup did for a target.
func Installed(i templates.Installed) string {
	did := map[templates.State]string{
		templates.Missing: "installed", templates.Outdated: "updated", templates.Current: "unchanged",
	}[i.Was]
	text := fmt.Sprintf("%s index template %s for %s\n", did, i.Template, i.Target)
	if i.Created {
		text += fmt.Sprintf("created data stream %s\n", i.Target)
	}
	return text
}

// KibanaRule returns a sentence about a rule of Kibana that notifies.
func KibanaRule(o kibana.Outcome, space, connector string) string {
	how := ""
	if o.How != "" {
		how = " (" + o.How + ")"
	}
	return fmt.Sprintf("%s Kibana rule %q%s in space %s, which notifies through %s", o.Did, o.Name, how, space, connector)
}
