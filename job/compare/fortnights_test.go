package compare_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job"
	"newterms/job/compare"
)

var (
	within     = flag.Duration("within", 0, "how long TestFortnights begins more of them; 0 is no limit")
	fortnights = flag.Int("fortnights", 12, "how many fortnights TestFortnights makes")
	seed       = flag.Uint64("seed", 1, "of the first fortnight")
)

// together is how many fortnights share their indices.
const together = 12

// TestFortnights plays fortnights of a rule that runs on both sides, and holds what
// compare says of each difference against its cause.
func TestFortnights(t *testing.T) {
	var c confusion
	targets, begin := newTargets(t), time.Now()
	for done := 0; done < *fortnights && (*within == 0 || time.Since(begin) < *within); done += together {
		var cases []*fortnightCase
		for i := range min(together, *fortnights-done) {
			cases = append(cases, newFortnight(*seed+uint64(done+i), done+i, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)))
		}
		t.Run(fmt.Sprint("from ", cases[0].seed), func(t *testing.T) {
			b := newBatch(t, targets, cases)
			begin := time.Now()
			b.play()
			b.writeKibana()
			ours := b.ourAlerts()
			c.played += time.Since(begin)
			for _, f := range cases {
				f.check(t, ours[f])
				b.compare(f, &c)
			}
		})
	}
	c.print(t)
	c.judge(t)
}

// compare runs compare on a case and enters what it says.
func (b *batch) compare(f *fortnightCase, c *confusion) {
	b.t.Helper()
	want, sides, others := map[key]truth{}, map[compare.Side]int{}, 0
	for _, e := range f.truths {
		want[key{e.side, e.pair, e.at.UnixMilli()}] = e
		sides[e.side]++
		if e.classes[0] == compare.OtherEvent {
			others++
		}
	}
	begin := time.Now()
	before, _ := b.client.Usage()
	report, err := b.comparison(f).Run(b.t.Context(), job.Window{From: f.start, To: f.end()}, func(d compare.Difference) error {
		k := key{d.Side, pairOf(d.Terms), d.FirstSeen.UnixMilli()}
		e, ok := want[k]
		delete(want, k)
		if !ok {
			e = truth{side: d.Side, pair: k.pair, at: d.FirstSeen, kind: f.pairs[k.pair], classes: []compare.Class{none}}
		}
		c.enter(f, e, d)
		return nil
	})
	if err != nil {
		b.t.Errorf("fortnight %d: %v", f.seed, err)
	}
	if report.OnlyKibana != sides[compare.OnlyKibana] || report.OnlyNewterms != sides[compare.OnlyNewterms] || report.OtherEvent != others {
		b.t.Errorf("fortnight %d has %v, and %d of another event: the report is %+v", f.seed, sides, others, report)
	}
	c.compared += time.Since(begin)
	after, _ := b.client.Usage()
	c.requests += after - before
	c.fortnights++
	for _, e := range want {
		if e.classes[0] == none {
			continue
		}
		c.enter(f, e, compare.Difference{Class: none})
	}
}

func (f *fortnightCase) about() string {
	var of []string
	for name, is := range map[string]bool{
		"override": f.override, "esql": f.esql, "single": f.single, "reversed": f.reversed, "include": f.include, "timed": f.timed, "numeric": f.numeric, "bare": f.bare, "suppress": f.suppress, "log " + f.log: f.log != "",
	} {
		if is {
			of = append(of, name)
		}
	}
	slices.Sort(of)
	return fmt.Sprintf("every %s, H %s, %s", f.interval, f.history, strings.Join(of, ", "))
}
