package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A Key identifies an alert by the data alone: a retry, a rerun and a concurrent run
// make the same key.
type Key struct {
	// ID is the SHA-256 of the compact JSON [rule_id, [fields…], [terms…], first
	// seen in milliseconds], in hex. JSON keeps the types of the terms apart.
	ID string
	// Pair is the SHA-256 of [rule_id, [fields…], [terms…]], in hex.
	Pair      string
	FirstSeen time.Time
	// FormerPair is the same without the fields, as alerts of version 0.1 have it.
	FormerPair string
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
		FirstSeen: firstSeen, FormerPair: hash("[" + rule + "," + pair + "]"),
	}, nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
