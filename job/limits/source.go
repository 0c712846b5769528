// Package limits warns of what limits the events that a search sees.
package limits

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/esquery"
	"newterms/esquery/access"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
)

// UnavailableIndices lists the indices of the rule whose events were not seen.
type UnavailableIndices struct{ Indices []access.Unavailable }

func (u *UnavailableIndices) Error() string {
	return "some indices were not searched, and known pairs may look new: " + words.Join(u.Indices, ", ")
}

func (u *UnavailableIndices) Action() string { return "indices-unavailable" }

func (u *UnavailableIndices) Advice() string {
	return "open or restore them, let the user read them, or leave them out with NEWTERMS_INDEX"
}

// WarnOfSource warns of what limits the events that a search sees: unavailable indices,
// unmapped fields, clauses about time, and networks in text fields. It reports whether
// the rule limits the time.
func WarnOfSource(source *esquery.Source, s query.Search, warn func(error)) (timeLimited bool) {
	if unavailable := source.Unavailable(); len(unavailable) > 0 {
		warn(&UnavailableIndices{unavailable})
	}
	if fields := source.Unmapped(); len(fields) > 0 {
		warn(&Unmapped{fields, s})
	}
	clauses := s.TimeClauses()
	if len(clauses) > 0 {
		warn(&TimeLimited{clauses})
	}
	if networks := source.TextNetworks(); len(networks) > 0 {
		warn(&TextNetworks{networks})
	}
	return len(clauses) > 0
}

// Unmapped lists the fields of the rule that no index maps: they do not exist, or are
// hidden from this user.
type Unmapped struct {
	Fields []string
	search query.Search
}

func (u *Unmapped) Error() string {
	text := "no index maps " + strings.Join(u.Fields, ", ") + ": the rule works as if no event had a value there"
	if slices.Contains(u.Fields, u.search.Timestamp) && u.search.Fallback != "" {
		text += ", and " + u.search.Fallback + " dates the events"
	}
	return text
}

// UnmappedAdvice is the advice about fields that this user sees in no index.
const UnmappedAdvice = "check that the events are of the kind that the rule expects, and that no field-level security hides the fields from the user or API key"

func (u *Unmapped) Action() string { return "fields-unmapped" }

func (u *Unmapped) Advice() string { return UnmappedAdvice }

// TimeLimited reports that the rule itself limits the time of its events, and so its
// history.
type TimeLimited struct{ Clauses []query.TimeClause }

func (t *TimeLimited) Error() string {
	texts, relative := make([]string, len(t.Clauses)), false
	for i, c := range t.Clauses {
		texts[i] = c.Text
		relative = relative || c.Relative
	}
	text := "the rule's own clause about time also limits its history: a pair seen only outside of " + strings.Join(texts, ", ") + " looks new"
	if relative {
		text += "; the limit moves with now, so a run over earlier days does not find their events"
	}
	return text
}

// TimeAdvice is the advice about a rule that limits the time itself.
const TimeAdvice = "remove the clause from the query, filter or exclusion: the window of a run and history_window_start set the time range"

func (t *TimeLimited) Action() string { return "query-time-limited" }

func (t *TimeLimited) Advice() string { return TimeAdvice }

// TextNetworks lists excluded networks that match no address, because their fields are
// not of type ip.
type TextNetworks struct{ Networks []query.TextNetwork }

func (t *TextNetworks) Error() string {
	return "excluded networks match nothing: " + words.Join(t.Networks, "; ")
}

// NetworkAdvice is the advice about a network in a field that is not of type ip.
const NetworkAdvice = "map the field as ip, or exclude addresses by their text (203.0.113.*)"

func (t *TextNetworks) Action() string { return "networks-as-text" }

func (t *TextNetworks) Advice() string { return NetworkAdvice }

// NoHistory reports that no event matches in the history before the window: the source
// may be new, rather than its pairs.
type NoHistory struct {
	Oldest, HistoryFrom time.Time
	// Young is how many alerts of the run say that the rule's indices have no event, matching
	// or not, that is as old as the history is long.
	Young int
}

func (n *NoHistory) Error() string {
	text := fmt.Sprintf("the history since %s has no matching event, so every pair looks new: the oldest matching event is from %s",
		words.Stamp(n.HistoryFrom), words.Stamp(n.Oldest))
	if n.Young > 0 {
		text += fmt.Sprintf("; %s that the source is young", words.Plural(n.Young, "alert says", "alerts say"))
	}
	return text
}

func (n *NoHistory) Action() string { return "no-history" }

func (n *NoHistory) Advice() string {
	if n.Young > 0 {
		return "nothing to do if it is that new: find these alerts with newterms.context.young: true; otherwise check the indices and how long they are kept"
	}
	return "nothing to do if the source is that new; otherwise check the indices and how long they are kept"
}

func (n *NoHistory) Attrs() []any {
	return []any{"oldest_event", n.Oldest.UTC(), "history_from", n.HistoryFrom.UTC(), "young", n.Young}
}

// SourceOff names an index that keeps no _source of its events. A run warns of each
// index once.
type SourceOff struct{ Index string }

func (s *SourceOff) Error() string {
	return s.Index + " keeps no _source: alerts about its events hold only the pair and the times"
}

// KeepSourceAdvice is the advice about indices that keep no _source.
const KeepSourceAdvice = "enable _source in their index template, at least a synthetic one, and roll over or reindex; or leave them out with NEWTERMS_INDEX"

func (s *SourceOff) Action() string { return "no-source" }

func (s *SourceOff) Advice() string { return KeepSourceAdvice }

func (s *SourceOff) Attrs() []any { return []any{"index", s.Index} }
