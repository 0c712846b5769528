package show

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"newterms/cmd/newterms/terminal"
	"newterms/job/backtest"
)

// longestValue is how many columns of a value are shown: enough for any id or address.
const longestValue = 80

// topValues is how many values of a dimension are shown.
const topValues = 5

// values prints the top values of each dimension below the field that they are of.
func (r reportView) values(b *strings.Builder) {
	for _, d := range r.Values {
		if d.Distinct() > 0 {
			b.WriteString("\n")
			r.dimension(b, d)
		}
	}
	comeBack := r.Pairs.Top(backtest.MaxTop, 2)
	if len(comeBack) > 0 {
		b.WriteString("\npairs that come back\n")
	}
	for _, c := range comeBack {
		r.valueLine(b, c, r.Pairs.Forgotten() > 0)
	}
}

func (r reportView) dimension(b *strings.Builder, d backtest.Dimension) {
	top := d.Top(topValues, 1)
	var fields []string
	for _, c := range top {
		if !slices.Contains(fields, c.Field) {
			fields = append(fields, c.Field)
		}
	}
	title := strings.Join(fields, ", ")
	if title != d.Name {
		title = d.Name + " (" + title + ")"
	}
	switch {
	case d.Forgotten() > 0 && top[0].Count <= d.Forgotten():
		fmt.Fprintf(b, "%s: thousands, none of them often\n", title)
		return
	case d.Distinct() > topValues && top[0].Count == 1:
		fmt.Fprintf(b, "%s: %d, each once\n", title, d.Distinct())
		return
	}
	b.WriteString(title + "\n")
	for _, c := range top {
		r.valueLine(b, c, d.Forgotten() > 0)
	}
	if more := d.Distinct() - topValues; more > 0 && d.Forgotten() == 0 {
		fmt.Fprintf(b, "%16sand %d more\n", "", more)
	} else if more > 0 {
		fmt.Fprintf(b, "%16sand thousands more\n", "")
	}
}

func (r reportView) valueLine(b *strings.Builder, c backtest.ValueCount, atLeast bool) {
	about := ""
	if atLeast {
		about = "at least "
	}
	value := c.Value
	if c.Name != "" {
		value = c.Name + " (" + c.Value + ")"
	}
	share := fmt.Sprintf("%d%%", (200*c.Count/max(1, r.FirstOccurrences)+1)/2)
	fmt.Fprintf(b, "%8d  %4s  %s%s\n", c.Count, share, about, text.Trim(terminal.Escape(value), longestValue))
}
