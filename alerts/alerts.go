// Package alerts writes the documents of newterms: the alerts, the run documents, and
// the index templates of both.
package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A Rule holds the parameters of a detection rule under the names of Kibana's detection
// API (rule_id, name, severity, new_terms_fields, …), in JSON's types.
type Rule map[string]any

// A Key identifies an alert by the data alone: a retry, a rerun and a concurrent run
// make the same key.
type Key struct {
	// ID is the SHA-256 of the compact JSON [rule_id, [fields…], [terms…], first
	// seen in milliseconds], in hex. JSON keeps the types of the terms apart.
	ID string
	// Pair is the SHA-256 of [rule_id, [fields…], [terms…]], in hex.
	Pair      string
	FirstSeen time.Time

	formerPair string // without the fields, as alerts of version 0.1 have it
}

// NewKey returns the key of a pair first seen at a time, cut to milliseconds. Terms are
// strings, json.Numbers, bools or nil, one for each of the new-terms fields.
func NewKey(ruleID string, fields []string, terms []any, firstSeen time.Time) (Key, error) {
	texts := make([]string, 3)
	for i, part := range []any{ruleID, fields, terms} {
		text, err := json.Marshal(part)
		if err != nil {
			return Key{}, fmt.Errorf("identify %v: %w", part, err)
		}
		texts[i] = string(text)
	}
	rule, names, pair := texts[0], texts[1], texts[2]
	ms := strconv.FormatInt(firstSeen.UnixMilli(), 10)
	return Key{
		ID: hash("[" + rule + "," + names + "," + pair + "," + ms + "]"), Pair: hash("[" + rule + "," + names + "," + pair + "]"),
		FirstSeen: firstSeen, formerPair: hash("[" + rule + "," + pair + "]"),
	}, nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// A Finding is a first occurrence and its event.
type Finding struct {
	Key
	Terms []any // one for each of the rule's new_terms_fields, in order
	// LastSeen is when the pair was seen before, earlier than the rule's history; zero
	// if it was not, as far as the run has searched.
	LastSeen time.Time
	Events   int64 // matching events of the pair in the window
	// From and To are the window in which Events were counted, To exclusive.
	From, To time.Time

	Event *Event
}

// timestamp formats a time as documents have it: UTC, to the millisecond.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// ReadFields lists the fields by which a run finds alerts and runs.
func ReadFields() []string {
	return []string{
		"@timestamp", "kibana.alert.uuid", "newterms.fields", "newterms.first_seen", "newterms.pair", "newterms.run.id", "newterms.search", "newterms.window.to",
	}
}
