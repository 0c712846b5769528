// Package comparison prints how Kibana's alerts differ from ours: as a table with the
// unexplained differences and examples, or as JSON.
package comparison

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job/compare"
)

// A View prints the comparison of one rule. In JSON it prints each difference at once, and
// as text when it has the report.
type View struct {
	out    io.Writer
	format show.Format
	counts map[compare.Class]map[compare.Side]int
	kept   map[compare.Class][]compare.Difference // the unexplained ones and examples
}

// New returns a view that prints to out.
func New(out io.Writer, format show.Format) *View {
	return &View{out, format, map[compare.Class]map[compare.Side]int{}, map[compare.Class][]compare.Difference{}}
}

// examples is how many differences of a class are shown, and maxUnexplained how many
// without a class.
const (
	examples       = 2
	maxUnexplained = 200
)

// Difference takes a difference.
func (v *View) Difference(d compare.Difference) error {
	if v.format == show.JSON {
		return show.Line(v.out, d)
	}
	if v.counts[d.Class] == nil {
		v.counts[d.Class] = map[compare.Side]int{}
	}
	v.counts[d.Class][d.Side]++
	most := examples
	if d.Class == compare.Unexplained {
		most = maxUnexplained
	}
	if len(v.kept[d.Class]) < most {
		v.kept[d.Class] = append(v.kept[d.Class], d)
	}
	return nil
}

// Report prints the sum of a rule with a name, and in text what was kept before.
func (v *View) Report(name string, r compare.Report) error {
	if v.format == show.JSON {
		return show.Line(v.out, r)
	}
	columns, _ := terminal.Width(v.out)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nfrom %s to %s\n%s on both sides, %d only in Kibana, %d only here, %d unexplained", name, words.Stamp(r.From), words.Stamp(r.To),
		words.Plural(r.Both, "alert", "alerts"), r.OnlyKibana, r.OnlyNewterms, r.Unexplained)
	if n := r.Classes[compare.NotKnowable]; n > 0 {
		fmt.Fprintf(&b, ", %d unknowable", n)
	}
	b.WriteString("\n")
	for _, line := range append(r.Notes, r.Unread...) {
		b.WriteString(line + "\n")
	}
	var alone, both [][]string
	for _, class := range compare.Classes() {
		n := v.counts[class]
		if n[compare.Both] > 0 {
			both = append(both, []string{title(class), fmt.Sprint(n[compare.Both]), meaning(class)})
		} else if len(n) > 0 {
			alone = append(alone, []string{title(class), fmt.Sprint(n[compare.OnlyKibana]), fmt.Sprint(n[compare.OnlyNewterms]), meaning(class)})
		}
	}
	if len(alone) > 0 {
		b.WriteString("\n" + terminal.Columns([]string{"CLASS", "ONLY IN KIBANA", "ONLY HERE", "MEANING"}, alone, columns) + "\n")
	}
	if len(both) > 0 {
		b.WriteString("\n" + terminal.Columns([]string{"CLASS", "ON BOTH SIDES", "MEANING"}, both, columns) + "\n")
	}
	if r.Unexplained > 0 {
		b.WriteString("\nUNEXPLAINED\n")
		v.list(&b, compare.Unexplained)
		if more := r.Unexplained - len(v.kept[compare.Unexplained]); more > 0 {
			fmt.Fprintf(&b, "and %d more: see --output json\n", more)
		}
	}
	shown := false
	for _, class := range compare.Classes() {
		if class == compare.Unexplained || len(v.kept[class]) == 0 {
			continue
		}
		if !shown {
			b.WriteString("\nEXAMPLES\n")
		}
		shown = true
		v.list(&b, class)
	}
	_, err := io.WriteString(terminal.Fitting(v.out), b.String())
	return err
}

func (v *View) list(b *strings.Builder, class compare.Class) {
	for _, d := range v.kept[class] {
		certainty := ""
		if d.Certainty != compare.Unsure && d.Certainty != compare.Unknowable {
			certainty = ", " + string(d.Certainty)
		}
		side := map[compare.Side]string{compare.OnlyKibana: "only in Kibana", compare.OnlyNewterms: "only here", compare.Both: "on both sides"}[d.Side]
		fmt.Fprintf(b, "%s  %s  %s%s\n", words.Stamp(d.FirstSeen), title(class), side, certainty)
		fmt.Fprintf(b, "  pair     %s\n", terms(d.Terms))
		fmt.Fprintf(b, "  because  %s\n", d.Because)
		for _, id := range [][2]string{{"here", d.Alert}, {"Kibana", d.KibanaAlert}, {"its run", d.Execution}} {
			if id[1] != "" {
				fmt.Fprintf(b, "  %-7s  %s\n", id[0], id[1])
			}
		}
		if d.Command != "" {
			fmt.Fprintf(b, "  more     %s\n", d.Command)
		}
	}
}

func terms(all []any) string {
	texts := make([]string, len(all))
	for i, term := range all {
		texts[i] = words.Shortened(fmt.Sprint(term), longestTerm)
		switch {
		case term == nil:
			texts[i] = "(missing)"
		case texts[i] == "":
			texts[i] = strconv.Quote(fmt.Sprint(term))
		}
	}
	return strings.Join(texts, ", ")
}

// longestTerm is how many characters of a term are shown: enough for any id or address.
const longestTerm = 80

func title(class compare.Class) string { return strings.ReplaceAll(string(class), "_", " ") }
