package explanation

import (
	"fmt"
	"strings"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/summary"
	"newterms/alerts/workflow"
	"newterms/cmd/newterms/show"
	"newterms/esquery/elastic/words"
	"newterms/job/explain"
)

// detailsText prints what the given alert says, and what happened besides.
func (e *Printer) detailsText(b *strings.Builder, x explain.Pair) {
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(b, "    %-10s  %s\n", label, text)
		}
	}
	if d := x.Details; d != nil {
		about := d.About
		line("reason", d.Reason)
		line("severity", fmt.Sprintf("%s, risk %s", d.Severity, d.Risk))
		line("actor", alert.WithDetail(about.Actor, about.Login))
		line("host", about.Host)
		line("process", alert.WithDetail(about.Process, show.Labelled("parent", about.Parent)))
		line("command", about.CommandLine)
		line("file", about.File)
		line("registry", about.Registry)
		line("container", about.Container)
		line("account", alert.WithDetail(about.Account, about.Region))
		line("address", alert.WithDetail(about.IP, about.Place))
		line("network", about.Network)
		line("to", about.Destination)
		line("agent", strings.TrimSpace(about.Browser+" "+about.OS))
		line("link", d.URL)
		line("summary", d.Text)
		if d.Summary != nil {
			summaryText(line, *d.Summary)
		}
		if d.Context != nil {
			contextText(line, *d.Context, x.ContextRequest)
		}
		for _, past := range d.Decisions {
			line("decision", decisionText(past))
		}
		for _, r := range d.Related {
			line("related", e.relatedText(r))
		}
	}
	if a := x.Later; a != nil && a.Events > 0 {
		line("after", fmt.Sprintf("%s until %s, the last at %s", words.Plural(a.Events, "more event", "more events"), words.Stamp(a.Until), words.Stamp(a.Last)))
	} else if a != nil {
		line("after", "no more event until "+words.Stamp(a.Until))
	}
}

// decisionText says who set which status when, and why.
func decisionText(d workflow.Past) string {
	text := strings.TrimSpace(d.Status + " " + d.At)
	if d.User != "" {
		text += " by " + d.User
	}
	switch {
	case d.Assignees != nil && len(d.Assignees) == 0:
		text += ", for nobody"
	case d.Assignees != nil:
		text += ", for " + strings.Join(d.Assignees, ", ")
	}
	if d.Reason != "" {
		text += ", " + d.Reason
	}
	if d.Comment != "" {
		text += ": " + show.Cut(strings.Join(strings.Fields(d.Comment), " ")) // on one line
	}
	return text
}

func summaryText(line func(label, text string), s summary.Summary) {
	line("missing", s.Missing)
	for _, f := range s.Fields {
		var values []string
		for _, v := range f.Values {
			values = append(values, fmt.Sprintf("%s %d", show.Cut(v.Text), v.Events))
		}
		if f.Others > 0 {
			values = append(values, fmt.Sprintf("others %d", f.Others))
		}
		line(f.Label(), strings.Join(values, ", "))
	}
}

func (e *Printer) relatedText(r alerts.Related) string {
	var ids []string
	for _, id := range r.IDs {
		ids = append(ids, e.idText(id))
	}
	text := fmt.Sprintf("%s within a day of the same %s, %s: %s", words.Plural(r.Alerts, "other alert", "other alerts"), r.What, r.Value, strings.Join(ids, ", "))
	if more := r.Alerts - int64(len(r.IDs)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
