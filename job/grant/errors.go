package grant

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"newterms/alerts/keys"
	"newterms/esquery"
	"newterms/job/words"
)

// An ExistsError says that a key would be a second one, of which nobody would
// know whether it is in use.
type ExistsError struct {
	keys.Valid
	Use       keys.Use
	Meanwhile bool // it was made by somebody else at the same time
}

func (e ExistsError) Error() string {
	if e.Meanwhile {
		return fmt.Sprintf("somebody else made the API key %s at the same time: this one is not printed", e.Valid)
	}
	return fmt.Sprintf("there is an API key %s already (%s): no key was made", e.Name, e.Whose())
}

// A NotMineError says why keys cannot be replaced by this user. One that does not
// see those of others may make another.
type NotMineError struct {
	text    string
	OwnOnly bool // the user sees only own keys
}

func (e NotMineError) Error() string   { return "keys: --rotate: " + e.text + ": no key was made" }
func (e NotMineError) StatusCode() int { return http.StatusForbidden }

// An OthersKeys is a warning: whether there are more keys is not known.
type OthersKeys struct{ Names []string }

func (o OthersKeys) Error() string {
	return "this user may see only its own API keys: those of others with the name " + strings.Join(o.Names, " or ") + " stay valid, if there are any"
}

// A SecondKey is a warning: a key is valid besides the one that was printed.
type SecondKey struct{ keys.Valid }

func (s SecondKey) Error() string {
	return fmt.Sprintf("the API key %s is valid as well", s.Valid)
}

// A HiddenError says that documents or fields are hidden from the user who makes a
// key, and so would be from the key.
type HiddenError struct {
	names  []string // of the keys
	hidden []esquery.Restriction
}

func (e HiddenError) Error() string {
	texts := make([]string, len(e.hidden))
	for i, r := range e.hidden {
		texts[i] = r.String()
	}
	return fmt.Sprintf("%s, and so from the key %s: no key was made", strings.Join(texts, "; "), strings.Join(e.names, " and "))
}

func (e HiddenError) StatusCode() int { return http.StatusForbidden }

// A BlindError says that a key sees less than the user who made it.
type BlindError struct {
	name         string
	Pattern      string
	sees, ofUser esquery.Sight
	history      time.Duration
}

func (e BlindError) Error() string {
	return fmt.Sprintf("of %s the key %s sees %s of the last %s in %s, and this user %d in %d: it is not printed", e.Pattern, e.name,
		words.Plural(e.sees.Events, "event", "events"), words.Span(e.history), words.Plural(int64(len(e.sees.Indices)), "index", "indices"), e.ofUser.Events, len(e.ofUser.Indices))
}

func (e BlindError) StatusCode() int { return http.StatusForbidden }

// An EmptyView is a warning: nobody can tell whether a key sees what there will be.
type EmptyView struct{ Pattern string }

func (e EmptyView) Error() string {
	return e.Pattern + ": this user sees nothing there, so that whether the key will is not known"
}

// A PatternError says that a key for a pattern with date math would have to cover every
// index.
type PatternError struct{ Rule, Pattern string }

func (e *PatternError) Error() string {
	return fmt.Sprintf("NEWTERMS_INDEX, or the index patterns of the rule %s: a key that covers %s, whatever the day is, "+
		"may read every index: name what its names have in common (such as logs-*); no key was made", e.Rule, e.Pattern)
}
