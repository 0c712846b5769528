package check

import "fmt"

// A Level is what a Finding means for a run.
type Level string

// The levels of a Finding.
const (
	OK      Level = "ok"
	Warning Level = "warning" // a run works; what it finds may not be what is expected
	Error   Level = "error"   // a run fails, or cannot find anything
)

// A Finding is the result of one check.
type Finding struct {
	Level   Level  `json:"level"`
	Check   string `json:"check"`          // what was checked, in a word
	Rule    string `json:"rule,omitempty"` // its name; "" for what all rules have in common
	Message string `json:"message"`
	// Err is a *Problem or the error that a run would end with. It is nil if the level
	// is OK.
	Err error `json:"-"`
}

// A Problem is a finding that is not the error of a request.
type Problem struct {
	Kind  Kind
	Field string // the field that it is about; "" for none
	text  string
}

func (p *Problem) Error() string { return p.text }

// A Kind identifies a problem and its advice.
type Kind string

// The kinds of a Problem.
const (
	TemplateMissing  Kind = "template missing"
	TemplateOutdated Kind = "template outdated"
	TemplateUnknown  Kind = "template unknown"
	OtherVersion     Kind = "other version"

	ClockDiffers Kind = "clock differs"

	IndexUnavailable Kind = "index unavailable"
	DocumentsHidden  Kind = "documents hidden"
	FieldsHidden     Kind = "fields hidden"
	SlowRefresh      Kind = "slow refresh"
	YoungSource      Kind = "young source"
	SourceOff        Kind = "source off"
	SourceUnreadable Kind = "source unreadable"

	NoEvents       Kind = "no events"
	StaleEvents    Kind = "stale events"
	LateEvents     Kind = "late events"
	LateUnseen     Kind = "late events unseen"
	LateUnknown    Kind = "late events unknown"
	AheadEvents    Kind = "events ahead"
	NothingMatches Kind = "nothing matches"

	TermUnmapped      Kind = "term unmapped"
	TermLacking       Kind = "term lacking"
	TermIgnored       Kind = "term ignored"
	TimestampUnmapped Kind = "timestamp unmapped"
	FieldUnmapped     Kind = "field unmapped"
	SeveralTypes      Kind = "several types"

	TimeLimited Kind = "time limited"

	ExcludesNothing Kind = "excludes nothing"
	ExcludesAll     Kind = "excludes all"
	NetworkInText   Kind = "network in text"

	NoRun         Kind = "no run"
	NoSuccess     Kind = "no successful run"
	RunFailed     Kind = "run failed"
	RunNeverEnded Kind = "run never ended"
	RunsStale     Kind = "no run of late"
	TwoJobs       Kind = "two jobs"

	BesideKibana Kind = "beside kibana"
)

// report collects findings, of one rule or of all.
type report struct {
	rule     string
	findings []Finding
}

func (r *report) ok(check, format string, args ...any) {
	r.findings = append(r.findings, Finding{Level: OK, Check: check, Rule: r.rule, Message: fmt.Sprintf(format, args...)})
}

func (r *report) warn(check string, err error) {
	r.findings = append(r.findings, Finding{Level: Warning, Check: check, Rule: r.rule, Message: err.Error(), Err: err})
}

func (r *report) fail(check string, err error) {
	r.findings = append(r.findings, Finding{Level: Error, Check: check, Rule: r.rule, Message: err.Error(), Err: err})
}

func problem(kind Kind, format string, args ...any) *Problem {
	return &Problem{Kind: kind, text: fmt.Sprintf(format, args...)}
}

func (p *Problem) of(field string) *Problem {
	p.Field = field
	return p
}
