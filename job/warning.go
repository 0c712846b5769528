package job

import (
	"fmt"
	"time"

	"newterms/esquery/elastic/words"
)

// A Gap is time before a scheduled window that no run has covered.
type Gap struct {
	Window Window
	Rerun  string // the command that runs it by hand
}

func (g *Gap) Error() string {
	return fmt.Sprintf("no run has covered %s, nor does this one", g.Window)
}

func (g *Gap) Action() string { return "gap" }

// Advice returns what the user can do; all warnings have it.
func (g *Gap) Advice() string {
	return "the outage was longer than NEWTERMS_MAX_CATCHUP; run it by hand with " + g.Rerun
}

// Attrs returns keys and values for a log; some other warnings have it too.
func (g *Gap) Attrs() []any { return []any{"gap", g.Window.String(), "rerun", g.Rerun} }

// A FutureRun is a successful run whose window ended in the future, because a clock was
// wrong. Later runs ignore it.
type FutureRun struct{ To, Now time.Time }

func (f *FutureRun) Error() string {
	return fmt.Sprintf("a scheduled run covered events up to %s, but it is only %s: its clock was wrong, and the run is ignored", words.Stamp(f.To), words.Stamp(f.Now))
}

func (f *FutureRun) Action() string { return "future-run" }

func (f *FutureRun) Advice() string { return "check the clocks of the cluster's nodes" }

// An OtherSearch reports that scheduled runs of the rule with another scope have
// succeeded since the last one with this scope. Each scope continues its own runs.
type OtherSearch struct{ Search string }

func (o *OtherSearch) Error() string {
	return "this rule also runs with other indices, another query or other fields (search " + o.Search + "): each search continues from its own last run"
}

func (o *OtherSearch) Action() string { return "search-changed" }

func (o *OtherSearch) Advice() string {
	return "ignore this if it is intended; otherwise look for a second job, or for runs by hand without --from"
}

// Forgotten reports that no run of the rule is kept and older runs were deleted: the
// rule may have run before.
type Forgotten struct{ From time.Time } // where the window begins

func (f *Forgotten) Error() string {
	return fmt.Sprintf("no run document of this rule is kept, and older ones were deleted: the run begins at %s, like a rule's first run", words.Stamp(f.From))
}

func (f *Forgotten) Action() string { return "runs-forgotten" }

func (f *Forgotten) Advice() string {
	return "nothing to do if the rule is new here; otherwise run it by hand from the end of its last run (newterms run --from), and keep run documents for longer than a rule may pause"
}
