package compare_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job/compare"
)

// none is the class of what one has, and not the other.
const none compare.Class = "-"

// A confusion counts what compare says of differences by their true cause.
type confusion struct {
	fortnights, requests int
	played, compared     time.Duration
	counts               map[compare.Class]map[compare.Class]int
	certain              map[compare.Class]map[compare.Certainty]int
	wrong                []string
}

func (c *confusion) enter(f *fortnightCase, e truth, d compare.Difference) {
	is := e.classes[0]
	if slices.Contains(e.classes, d.Class) {
		is = d.Class
	} else {
		c.wrong = append(c.wrong, fmt.Sprintf("seed %d (%s): %s %q %s (%s) is %v, got %s (%s, Kibana's run %s): %s",
			f.seed, f.about(), e.side, e.pair, stamp(e.at), e.kind, e.classes, d.Class, d.Certainty, d.Execution, d.Because))
	}
	if c.counts == nil {
		c.counts, c.certain = map[compare.Class]map[compare.Class]int{}, map[compare.Class]map[compare.Certainty]int{}
	}
	if c.counts[is] == nil {
		c.counts[is] = map[compare.Class]int{}
	}
	c.counts[is][d.Class]++
	if c.certain[d.Class] == nil {
		c.certain[d.Class] = map[compare.Certainty]int{}
	}
	c.certain[d.Class][d.Certainty]++
}

// print logs the table: a line for each true cause, with what compare said of it.
func (c *confusion) print(t *testing.T) {
	t.Helper()
	t.Logf("%d fortnights: made in %s, compared in %s with %d requests", c.fortnights, c.played, c.compared, c.requests)
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s %6s %6s %9s %9s  %s\n", "cause", "is", "right", "precision", "recall", "otherwise")
	for _, is := range slices.Sorted(maps.Keys(c.counts)) {
		all, right, precision, recall := c.measure(is)
		var otherwise []string
		for _, got := range slices.Sorted(maps.Keys(c.counts[is])) {
			if got != is {
				otherwise = append(otherwise, fmt.Sprintf("%s %d", got, c.counts[is][got]))
			}
		}
		fmt.Fprintf(&b, "%-16s %6d %6d %9.4f %9.4f  %s\n", is, all, right, precision, recall, strings.Join(otherwise, ", "))
	}
	for _, got := range slices.Sorted(maps.Keys(c.certain)) {
		fmt.Fprintf(&b, "%-16s %v\n", got, c.certain[got])
	}
	t.Log("\n" + b.String())
}

// measure returns how often a class is the cause and is said to be, and its precision
// and recall.
func (c *confusion) measure(of compare.Class) (all, right int, precision, recall float64) {
	said := 0
	for is, row := range c.counts {
		said += row[of]
		for _, n := range row {
			if is == of {
				all += n
			}
		}
	}
	right = c.counts[of][of]
	ratio := func(a, b int) float64 {
		if b == 0 {
			return 1
		}
		return float64(a) / float64(b)
	}
	return all, right, ratio(right, said), ratio(right, all)
}

// few is a number of fortnights of which every difference must be right.
const few = 100

// judge fails the test if compare is wrong too often, or guesses.
func (c *confusion) judge(t *testing.T) {
	t.Helper()
	for i, w := range c.wrong {
		if i < 400 {
			t.Log(w)
		}
	}
	explained, of := 0, 0
	for is, row := range c.counts {
		all, right, precision, recall := c.measure(is)
		if precision < 0.99 || recall < 0.99 || is == compare.Unexplained && all != right {
			t.Errorf("%s has a precision of %.4f and a recall of %.4f, %d of %d", is, precision, recall, right, all)
		}
		for got, n := range row {
			if is != compare.Unexplained && is != none {
				of += n
				if got != compare.Unexplained && got != none {
					explained += n
				}
			}
		}
	}
	if of == 0 || float64(explained) < 0.999*float64(of) {
		t.Errorf("%d of %d differences with a known cause are explained", explained, of)
	}
	if len(c.wrong) > 0 && c.fortnights < few {
		t.Errorf("%d differences are wrong", len(c.wrong))
	}
}
