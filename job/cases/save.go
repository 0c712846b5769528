package cases

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"newterms/alerts/fields"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
	"newterms/job/casefile"
	"newterms/job/explain"
	"newterms/job/rule"
)

// maxSaved is how many events of a pair are saved, the latest ones.
const maxSaved = 100

// casesOfPairs returns a case for each explained pair, in the format of package casefile,
// to append to a file that has some cases already. A case has the pair's events with the fields that the rule reads, and expects the alerts that a
// run over these events writes. Values that may identify somebody are replaced, equal ones
// by equal ones: those of the new-terms fields, public addresses, and fields with typed text. If the
// rule's query asks for such a value, the case does not hold until somebody restores it.
func casesOfPairs(ctx context.Context, source *esquery.Source, r rule.Rule, pairs []explain.Pair, already int) (string, error) {
	s := saver{rule: r, cases: already, names: r.Search.PlainNames(), instead: map[string]any{}}
	for _, p := range pairs {
		since := query.Range{From: p.Since, To: p.To}
		moments, err := source.Moments(ctx, since, []esquery.Candidate{{Terms: p.Terms}})
		if err != nil {
			return "", err
		}
		var at []esquery.Candidate
		for _, m := range moments[0][max(0, len(moments[0])-maxSaved):] {
			at = append(at, esquery.Candidate{Terms: p.Terms, First: m.At})
		}
		s.begin(p)
		for events, err := range source.Events(ctx, at) {
			if err != nil {
				return "", err
			}
			for i, e := range events {
				if err := s.event(p, at[i].First, e); err != nil {
					return "", err
				}
			}
			at = at[len(events):]
		}
		for _, o := range p.Occurrences {
			if o.FirstOccurrence {
				s.alert(p, o.At)
			}
		}
	}
	return s.text.String(), s.err
}

// A saver writes cases.
type saver struct {
	rule    rule.Rule
	names   []string // the fields that the rule reads
	cases   int      // so far
	instead map[string]any
	text    strings.Builder
	err     error
}

func (s *saver) begin(p explain.Pair) {
	s.cases++
	s.text.WriteString("\n[[case]]\n")
	s.value("rule", s.rule.ID)
	s.value("name", fmt.Sprintf("%d: a pair, up to %s", s.cases, words.Stamp(p.To)))
	s.value("from", casefile.Offset(p.From.Sub(p.To)))
	if s.rule.Search.MissingTerms {
		s.value("missing_terms", "include")
	}
}

func (s *saver) event(p explain.Pair, at time.Time, e *esquery.Event) error {
	if e == nil || e.Missing != "" {
		return nil // it is gone, or cannot be read
	}
	var source map[string]any
	if e.Source != nil {
		value, err := elastic.Parse(e.Source)
		if err != nil {
			return fmt.Errorf("read the event %s/%s: %w", e.Index, e.ID, err)
		}
		source, _ = value.(map[string]any)
	}
	s.text.WriteString("\n[[case.event]]\n")
	s.value("at", casefile.Offset(at.Sub(p.To)))
	for _, name := range s.names {
		value, ok := elastic.Lookup(source, name)
		if list := e.Fields[name]; !ok && len(list) > 0 {
			value, ok = any(list), true
		}
		if ok && value != nil && !slices.Contains([]string{"@timestamp", s.rule.Search.Timestamp, s.rule.Search.Fallback}, name) {
			s.value(name, s.replaced(name, value))
		}
	}
	return nil
}

func (s *saver) alert(p explain.Pair, at time.Time) {
	s.text.WriteString("\n[[case.alert]]\n")
	s.value("terms", s.replacedAll(p.Terms))
	s.value("at", casefile.Offset(at.Sub(p.To)))
}

// replacedAll returns the terms of a pair as cases have them.
func (s *saver) replacedAll(terms []any) []any {
	all := make([]any, len(terms))
	for i, term := range terms {
		if all[i] = explain.MissingValue; term != nil {
			all[i] = s.replaced(s.rule.Search.Fields[i], term)
		}
	}
	return all
}

// replaced returns a value of a field as the case has it.
func (s *saver) replaced(name string, value any) any {
	if list, ok := value.([]any); ok {
		all := make([]any, len(list))
		for i, element := range list {
			all[i] = s.replaced(name, element)
		}
		return all
	}
	text, isText := value.(string)
	address, err := netip.ParseAddr(text)
	isAddress := isText && err == nil
	switch {
	case !isText, isAddress && (address.IsPrivate() || address.IsLoopback()):
		return value // a private address tells nobody's
	case !isAddress && !slices.Contains(s.rule.Search.Fields, name) && !fields.IsTyped(name):
		return value
	}
	if s.instead[text] == nil {
		n := len(s.instead) + 1
		switch {
		case isAddress && address.Is6():
			s.instead[text] = fmt.Sprintf("2001:db8::%x", n)
		case isAddress:
			s.instead[text] = fmt.Sprintf("198.51.%d.%d", 100+n/250, n%250)
		default:
			s.instead[text] = fmt.Sprintf("value-%d", n)
		}
	}
	return s.instead[text]
}

// barePart matches a part of a key that TOML has without quotes.
var barePart = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// value writes a key with its value.
func (s *saver) value(path string, value any) {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if !barePart.MatchString(part) {
			quoted, err := tomlOf(part)
			s.err = cmp.Or(s.err, err)
			parts[i] = quoted
		}
	}
	text, err := tomlOf(value)
	s.err = cmp.Or(s.err, err)
	fmt.Fprintf(&s.text, "%s = %s\n", strings.Join(parts, "."), text)
}

// tomlOf returns a value in TOML, on one line.
func tomlOf(value any) (string, error) {
	var b bytes.Buffer
	encoder := toml.NewEncoder(&b)
	encoder.Indent = ""
	if err := encoder.Encode(map[string]any{"v": numbers(value)}); err != nil {
		return "", fmt.Errorf("write %v as TOML: %w", value, err)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(b.String()), "v = ")
	if !ok || strings.Contains(text, "\n") {
		return "", fmt.Errorf("write %v as TOML: it is an object", value)
	}
	return text, nil
}

// numbers returns a value whose numbers are TOML's.
func numbers(value any) any {
	switch v := value.(type) {
	case []any:
		all := make([]any, len(v))
		for i, element := range v {
			all[i] = numbers(element)
		}
		return all
	case json.Number:
		return elastic.Number(v)
	}
	return value
}
