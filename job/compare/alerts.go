package compare

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/esquery/kibana"
)

// An entry is what is kept of each alert: 64 bytes and its id.
type entry struct {
	pair                pairKey
	at                  int64 // of its event, in milliseconds
	id                  string
	written             int64  // in milliseconds
	run, severity, rule uint32 // numbered by a names; the rule only of Kibana's
}

func (e entry) time() time.Time { return time.UnixMilli(e.at).UTC() }

// A pairKey is equal for equal pairs.
type pairKey [16]byte

// keyOf returns the key of a pair. Kibana may have written a number as text, so the terms
// count as text.
func keyOf(fields []string, terms []any) pairKey {
	texts := slices.Clone(fields)
	for _, term := range terms {
		if term == nil {
			texts = append(texts, "nil")
		} else {
			texts = append(texts, "="+fmt.Sprint(term))
		}
	}
	text, _ := json.Marshal(texts) // texts are always JSON
	sum := sha256.Sum256(text)
	return pairKey(sum[:16])
}

// inOrder returns the terms of an alert of Kibana's in the order of our fields. ok is false
// if the alert is of other fields.
func inOrder(a kibana.Alert, fields []string) (terms []any, ok bool) {
	theirs := a.Fields
	if len(theirs) == 0 { // the alert does not say
		theirs = fields
	}
	if len(theirs) != len(fields) || len(a.Terms) != len(fields) {
		return a.Terms, false
	}
	terms = make([]any, len(fields))
	for i, field := range fields {
		n := slices.Index(theirs, field)
		if n < 0 {
			return a.Terms, false
		}
		terms[i] = a.Terms[n]
	}
	return terms, true
}

// names numbers texts, so that an entry holds a number instead.
type names struct {
	texts   []string
	numbers map[string]uint32
}

func (n *names) number(text string) uint32 {
	number, known := n.numbers[text]
	if !known {
		if n.numbers == nil {
			n.numbers = map[string]uint32{}
		}
		number = uint32(len(n.texts))
		n.numbers[strings.Clone(text)], n.texts = number, append(n.texts, strings.Clone(text))
	}
	return number
}

// A match is an alert of each side, or of one; the other is nil.
type match struct{ ours, theirs *entry }

// A pairing is what joining the two sides yields.
type pairing struct {
	same, other []match // of the same event, and of another one of the pair
	ours        []entry // without another side, ordered by time
	theirs      []entry
	// twins are other alerts of Kibana's of the same pair, less than the history away, by id.
	twins map[string]entry
}

// join finds for each alert the one of the other side: of the same pair and time, else the
// nearest of the pair less than the history away. Each alert has one partner at most. Of
// several rules of Kibana's, each may have the alert: the first is the partner then, and
// the others count as nothing. It sorts both lists.
func join(ours, theirs []entry, history time.Duration) pairing {
	p := pairing{twins: map[string]entry{}}
	sortEntries(ours)
	sortEntries(theirs)
	ours = slices.CompactFunc(ours, func(a, b entry) bool { return a.id == b.id }) // in two backing indices
	for len(ours)+len(theirs) > 0 {
		pair := firstPair(ours, theirs)
		isOther := func(e entry) bool { return e.pair != pair }
		var n, k []entry
		n, ours = cut(ours, isOther)
		k, theirs = cut(theirs, isOther)
		joined := map[*entry]bool{}
		for len(k) > 0 {
			var some, others []entry
			for _, e := range k {
				if e.rule == k[0].rule {
					some = append(some, e)
				} else {
					others = append(others, e)
				}
			}
			p.add(n, some, history.Milliseconds(), joined)
			k = others
		}
		for i := range n {
			if !joined[&n[i]] {
				p.ours = append(p.ours, n[i])
			}
		}
	}
	byTime := func(a, b entry) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) }
	slices.SortFunc(p.ours, byTime)
	slices.SortFunc(p.theirs, byTime)
	return p
}

func sortEntries(all []entry) {
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(bytes.Compare(a.pair[:], b.pair[:]), cmp.Compare(a.at, b.at), cmp.Compare(a.written, b.written), cmp.Compare(a.id, b.id))
	})
}

func firstPair(ours, theirs []entry) pairKey {
	switch {
	case len(ours) == 0:
		return theirs[0].pair
	case len(theirs) == 0 || bytes.Compare(ours[0].pair[:], theirs[0].pair[:]) < 0:
		return ours[0].pair
	}
	return theirs[0].pair
}

func cut(all []entry, isOther func(entry) bool) (some, rest []entry) {
	if i := slices.IndexFunc(all, isOther); i >= 0 {
		return all[:i], all[i:]
	}
	return all, nil
}

// add joins the alerts of a pair and one rule of Kibana's, which are ordered by time.
// joined has those of ours that have a partner already.
func (p *pairing) add(ours, theirs []entry, history int64, joined map[*entry]bool) {
	var n, k []*entry // without a partner
	for i, j := 0, 0; i < len(ours) || j < len(theirs); {
		switch {
		case j == len(theirs) || i < len(ours) && ours[i].at < theirs[j].at:
			n, i = append(n, &ours[i]), i+1
		case i == len(ours) || theirs[j].at < ours[i].at:
			k, j = append(k, &theirs[j]), j+1
		default:
			if !joined[&ours[i]] {
				p.same = append(p.same, match{&ours[i], &theirs[j]})
			}
			joined[&ours[i]] = true
			i, j = i+1, j+1
		}
	}
	var near []match
	for _, a := range n {
		for _, b := range k {
			if distance(a, b) < history {
				near = append(near, match{a, b})
			}
		}
	}
	slices.SortStableFunc(near, func(a, b match) int { return cmp.Compare(distance(a.ours, a.theirs), distance(b.ours, b.theirs)) })
	taken := map[*entry]bool{}
	for _, m := range near {
		if taken[m.ours] || taken[m.theirs] {
			continue
		}
		taken[m.ours], taken[m.theirs] = true, true
		if !joined[m.ours] {
			p.other = append(p.other, m)
		}
		joined[m.ours] = true
	}
	for _, b := range k {
		if taken[b] {
			continue
		}
		p.theirs = append(p.theirs, *b)
		for i := range theirs {
			if twin := &theirs[i]; twin.id != b.id && distance(twin, b) < history {
				if best, found := p.twins[b.id]; !found || distance(twin, b) < distance(&best, b) {
					p.twins[b.id] = *twin
				}
			}
		}
	}
}

func distance(a, b *entry) int64 { return max(a.at-b.at, b.at-a.at) }
