package compare

import "time"

// A Difference is something that one side has and the other has not, or has otherwise.
type Difference struct {
	Rule      string    `json:"rule"` // its rule_id
	Class     Class     `json:"class"`
	Side      Side      `json:"side"`
	Kind      Kind      `json:"kind"`
	Certainty Certainty `json:"certainty"`
	Terms     []any     `json:"terms"` // in the order of our rule's new-terms fields
	// FirstSeen is the primary timestamp of the alert's event, in whole milliseconds.
	FirstSeen   time.Time `json:"first_seen"`
	Alert       string    `json:"alert"`        // _id of ours; "" if there is none
	KibanaAlert string    `json:"kibana_alert"` // _id of Kibana's; "" if there is none
	// Execution is the id of the run of Kibana that decides; "" if there is none.
	Execution string `json:"execution"`
	Because   string `json:"because"` // the proof, in a sentence with times and ids
	Command   string `json:"command"` // shows more; as a shell reads it
}

// A Side says who has an alert.
type Side string

// The sides.
const (
	OnlyNewterms Side = "newterms"
	OnlyKibana   Side = "kibana"
	Both         Side = "both"
)

// A Kind says what a class is about.
type Kind string

// The kinds of classes.
const (
	Meaning   Kind = "meaning"   // the two define an alert differently
	Operation Kind = "operation" // Kibana's rule did not do what it defines, or not then
	Ours      Kind = "ours"      // newterms did not do what it defines, or not then
	NoKind    Kind = ""          // the class says nothing about a cause
)

// A Certainty says how well a class is known to be the cause.
type Certainty string

// The certainties.
const (
	Proved     Certainty = "proved"     // a document shows it
	Inferred   Certainty = "inferred"   // documents make it likely
	Unknowable Certainty = "unknowable" // the documents that would show it cannot be read, or are deleted
	Unsure     Certainty = ""           // unexplained
)

// A Report sums up a comparison.
type Report struct {
	Summary bool      `json:"summary"` // always true: it tells the last line from the others
	Rule    string    `json:"rule"`    // its rule_id
	From    time.Time `json:"from"`
	To      time.Time `json:"to"` // exclusive
	// Both counts the alerts that both sides have: of the same event, or of another one
	// less than the history away. OtherEvent counts the latter.
	Both         int `json:"both"`
	OnlyKibana   int `json:"only_kibana"`
	OnlyNewterms int `json:"only_newterms"`
	OtherEvent   int `json:"other_event"`
	Unexplained  int `json:"unexplained"`
	// Classes counts the differences of each class.
	Classes map[Class]int `json:"classes"`
	// Unread says what could not be read, and which answers are missing for that.
	Unread []string `json:"unread"`
	// Notes say what else a reader must know, such as several Kibana rules of one rule_id.
	Notes []string `json:"notes"`
}
