package job

import (
	"fmt"
	"time"

	"newterms/job/words"
)

// A Gap is time before a scheduled window that no run has looked at.
type Gap struct {
	Window Window
	Rerun  string // the command that runs it
}

func (g *Gap) Error() string {
	return fmt.Sprintf("no run has looked at %s, and this one does not either", g.Window)
}

// Advice says what to do about it, as that of all warnings does.
func (g *Gap) Advice() string {
	return "the outage was longer than NEWTERMS_MAX_CATCHUP; run it by hand with " + g.Rerun
}

// Attrs are keys and values for a log, as those of other warnings are.
func (g *Gap) Attrs() []any { return []any{"gap", g.Window.String(), "rerun", g.Rerun} }

// A FutureRun is a successful run whose window ended in the future. A clock was
// wrong then; the run was passed over.
type FutureRun struct{ To, Now time.Time }

func (f *FutureRun) Error() string {
	return fmt.Sprintf("a scheduled run has looked at events up to %s, and it is only %s: its clock was wrong, and it is passed over", words.Stamp(f.To), words.Stamp(f.Now))
}

// Advice is for people.
func (f *FutureRun) Advice() string { return "check the clocks of the cluster's nodes" }

// An OtherSearch tells that scheduled runs of the same rule with another scope
// have succeeded since the last one with this: each follows its own.
type OtherSearch struct{ Search string }

func (o *OtherSearch) Error() string {
	return "this rule also runs with other indices, another query or other fields (search " + o.Search + "): each follows its own last run"
}

// Advice is for people.
func (o *OtherSearch) Advice() string {
	return "nothing to do if that is meant; otherwise look for a second job, or for runs by hand without --from"
}

// Forgotten says that no run of the rule is kept, and that older runs were deleted:
// the rule may have run before.
type Forgotten struct{ From time.Time } // where the window begins

func (f *Forgotten) Error() string {
	return fmt.Sprintf("there is no run of this rule among those that are kept, and older ones were deleted: it begins at %s, as a rule does that never ran", words.Stamp(f.From))
}

// Advice is for people.
func (f *Forgotten) Advice() string {
	return "nothing to do if the rule is new here; otherwise run by hand from where it last looked (newterms run --from), and keep runs for longer than it may pause"
}
