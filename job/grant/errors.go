package grant

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"newterms/alerts/keys"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
)

// An ExistsError reports that a key of this name exists. With a second one, nobody
// would know which of them is in use.
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

func (e ExistsError) Advice() string {
	return "use that one; if its secret is lost, newterms keys " + string(e.Use) + " --rotate replaces it"
}

// A NotMineError reports that this user cannot replace the keys. A user who cannot see
// those of others may still make another.
type NotMineError struct {
	text    string
	OwnOnly bool // the user sees only own keys
}

func (e NotMineError) Error() string { return "keys: --rotate: " + e.text + ": no key was made" }

func (e NotMineError) Advice() string {
	if e.OwnOnly {
		return "let a user with the privilege manage_api_key rotate it, or leave out --rotate to make one of your own beside it"
	}
	return "let a user with the privilege manage_api_key rotate it"
}

func (e NotMineError) StatusCode() int { return http.StatusForbidden }

// An OthersKeys warns that other users may have valid keys of these names.
type OthersKeys struct{ Names []string }

func (o OthersKeys) Error() string {
	return "this user sees only its own API keys: other users' keys named " + strings.Join(o.Names, " or ") + " stay valid, if there are any"
}

func (o OthersKeys) Advice() string {
	return "let a user with the privilege manage_api_key list them (GET _security/api_key?active_only=true&name=" + o.Names[0] + "), and invalidate the unused ones"
}

// A SecondKey warns of a valid key of the same name.
type SecondKey struct{ keys.Valid }

func (s SecondKey) Error() string {
	return fmt.Sprintf("the API key %s is valid as well", s.Valid)
}

func (s SecondKey) Advice() string {
	return fmt.Sprintf(`if nobody needs it, let its owner or a user with the privilege manage_api_key invalidate it (DELETE _security/api_key {"ids": [%q]})`, s.ID)
}

// A HiddenError reports that documents or fields are hidden from the user who makes a
// key, and so would be from the key.
type HiddenError struct {
	names  []string // of the keys
	hidden []access.Restriction
}

func (e HiddenError) Error() string {
	return fmt.Sprintf("%s, and so from the key %s: no key was made", words.Join(e.hidden, "; "), strings.Join(e.names, " and "))
}

func (e HiddenError) Advice() string {
	return "make it as a user from whom nothing is hidden; a key that must see only a part is made by hand (deploy/elasticsearch), and deploy/README.md describes the effects"
}

func (e HiddenError) StatusCode() int { return http.StatusForbidden }

// A BlindError reports that a key sees less than the user who made it.
type BlindError struct {
	name         string
	Pattern      string
	sees, ofUser inspect.ReadableEvents
	history      time.Duration
}

func (e BlindError) Error() string {
	return fmt.Sprintf("the key %s sees only %s of the last %s in %s of %s, but this user sees %d in %d: it is not printed", e.name,
		words.Plural(e.sees.Events, "event", "events"), words.Span(e.history), words.Plural(int64(len(e.sees.Indices)), "index", "indices"), e.Pattern, e.ofUser.Events, len(e.ofUser.Indices))
}

func (e BlindError) Advice() string {
	if !elastic.IsRemote(e.Pattern) {
		return "let a user with these rights make it"
	}
	_, index := elastic.SplitCluster(e.Pattern)
	return "the other cluster applies the rights that a key has in this cluster: in this cluster, grant the user who makes the key read on " + index + ", or make it as another user"
}

func (e BlindError) StatusCode() int { return http.StatusForbidden }

// An EmptyView warns that the user sees nothing of a pattern, so that nobody can tell
// whether a key will.
type EmptyView struct{ Pattern string }

func (e EmptyView) Error() string {
	return e.Pattern + ": this user sees no index there, so what the key sees could not be compared"
}

func (e EmptyView) Advice() string { return "run newterms check with the key once there are events" }

// A PatternError reports that a key for a pattern with date math would have to cover
// every index.
type PatternError struct{ Rule, Pattern string }

func (e *PatternError) Error() string {
	return fmt.Sprintf("NEWTERMS_INDEX, or the index patterns of the rule %s: a key that covers %s on every day "+
		"could read every index: write a pattern that the index names have in common (such as logs-*); no key was made", e.Rule, e.Pattern)
}
