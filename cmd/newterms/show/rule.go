package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
	"newterms/job/rule/page"
)

// A Page is the page of a rule, as text or JSON.
type Page struct{ page.Page }

// Print prints a page.
func (p Page) Print(out io.Writer, format Format) error {
	if format == JSON {
		return Object(out, p.Page)
	}
	if _, onTerminal := terminal.Width(out); onTerminal {
		p.Description, p.Guide = joinParagraphs(p.Description), joinParagraphs(p.Guide)
	}
	_, err := io.WriteString(terminal.Fitting(out), p.text())
	if err == nil && len(p.Requests) > 0 {
		_, err = io.WriteString(terminal.Escaping(out), p.requests(min(readableWidth, terminal.WidthOfText(out))))
	}
	return err
}

func (p Page) text() string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-12s%s\n", name, text)
		}
	}
	status := p.Status
	if p.BuildingBlock {
		status += ", building block: its alerts are for other rules"
	}
	timestamp := p.Timestamp
	if p.Fallback != "" {
		timestamp += ", else " + p.Fallback
	}
	line("name", p.Name)
	line("rule_id", p.ID)
	line("source", p.Source)
	line("status", status)
	line("severity", p.Severity)
	line("risk", fmt.Sprintf("%v of 100", p.RiskScore))
	line("index", strings.Join(p.Index, ", "))
	line("new terms", strings.Join(p.NewTerms, ", "))
	line("history", p.History)
	line("first run", "looks back "+p.Lookback)
	line("timestamp", timestamp)
	if len(p.TimeClauses) > 0 {
		line("time", strings.Join(p.TimeClauses, "; ")+": this limits the history as well")
	}
	if len(p.Overrides) > 0 {
		line("overrides", "the rule's name, risk or severity come from "+strings.Join(p.Overrides, ", "))
	}
	if p.MaxSignals != nil {
		line("max_signals", fmt.Sprintf("%v in Kibana; no alert is dropped here", p.MaxSignals))
	}
	line("look at", strings.Join(p.Investigate, ", "))
	p.attack(&b)
	section(&b, "Query", splitConditions(cmp.Or(p.Query, "every event")))
	section(&b, "Exclusions", exclusionLines(p.Exclusions))
	section(&b, "Indicators", p.indicatorLines())
	p.sameAction(&b)
	section(&b, "Exceptions", exceptionLines(p.Exceptions))
	section(&b, "Description", strings.Split(p.Description, "\n"))
	section(&b, "False positives", p.FalsePositives)
	section(&b, "Triage guide", strings.Split(p.Guide, "\n"))
	return b.String()
}

// joinParagraphs joins the lines of each paragraph of Markdown, to be folded anew. It
// leaves lists, tables, quotes and what is indented as they are.
func joinParagraphs(text string) string {
	lines := strings.Split(text, "\n")
	var b strings.Builder
	for i, line := range lines {
		switch {
		case i == 0:
		case line == "" || lines[i-1] == "" || strings.ContainsAny(line[:1], " -*+#>|`0123456789") || strings.ContainsAny(lines[i-1][:1], " #|`"):
			b.WriteString("\n")
		default:
			b.WriteString(" ")
		}
		b.WriteString(line)
	}
	return b.String()
}

func section(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 || len(lines) == 1 && lines[0] == "" {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, line := range lines {
		b.WriteString(strings.TrimRight("  "+line, " ") + "\n")
	}
}

func (p Page) attack(b *strings.Builder) {
	var lines []string
	add := func(indent string, t page.Technique) { lines = append(lines, indent+t.Name+" ("+t.ID+")") }
	for _, tactic := range p.Tactics {
		add("", tactic.Technique)
		for _, technique := range tactic.Techniques {
			add("  ", technique)
			for _, sub := range technique.Subtechniques {
				add("    ", sub)
			}
		}
	}
	section(b, "MITRE ATT&CK", lines)
}

func exclusionLines(exclusions [][]kql.Clause) []string {
	var lines []string
	for _, clauses := range exclusions {
		for i, c := range clauses {
			text := clauseText(c, nil)
			if i > 0 {
				text = "  with " + text
			}
			lines = append(lines, text)
		}
	}
	return lines
}

func (p Page) indicatorLines() []string {
	var lines []string
	for i, c := range p.Indicators {
		var same []int
		if p.Among != nil {
			same = p.Among.Same[i]
		}
		lines = append(lines, clauseText(c, same))
	}
	return lines
}

// clauseText returns a clause with its values, each with the number of other rules that
// have it too.
func clauseText(c kql.Clause, same []int) string {
	values := slices.Clone(c.Values)
	for i := range values {
		if values[i] == "" {
			values[i] = `""`
		}
		if i < len(same) && same[i] > 0 {
			values[i] += fmt.Sprintf(" [%d]", same[i])
		}
	}
	kind, field := c.Kind, c.Field
	if c.Not {
		kind = "not " + kind
	}
	if field == "" {
		field = "(any field)"
	}
	if len(values) == 0 && len(same) > 0 && same[0] > 0 {
		kind += fmt.Sprintf(" [%d]", same[0])
	}
	return strings.TrimSpace(field + " " + kind + " " + strings.Join(values, ", "))
}

func (p Page) sameAction(b *strings.Builder) {
	if p.Among == nil {
		return
	}
	fmt.Fprintf(b, "\n  [n] is how many of %s look for the same in this field and way.\n", words.Plural(int64(p.Among.Rules), "other rule", "other rules"))
	section(b, "Rules that look for the same action", firstLines(p.Among.Actions, 20))
}

func firstLines(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append(slices.Clone(lines[:n]), fmt.Sprintf("and %d more", len(lines)-n))
}

// splitConditions puts each condition of a one-line query on its own line. It leaves a
// query of several lines as it is.
func splitConditions(query string) []string {
	if strings.Contains(query, "\n") {
		return strings.Split(query, "\n")
	}
	var lines []string
	depth, quoted, start := 0, false, 0
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("({", c) >= 0:
			depth++
		case strings.IndexByte(")}", c) >= 0:
			depth--
		case depth == 0 && c == ' ' && i > start:
			word, _, found := strings.Cut(query[i+1:], " ")
			if found && (strings.EqualFold(word, "and") || strings.EqualFold(word, "or")) {
				lines, start = append(lines, strings.TrimSpace(query[start:i])), i+1
			}
		}
	}
	return append(lines, strings.TrimSpace(query[start:]))
}
