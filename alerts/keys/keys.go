package keys

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A Key is an API key as it was made. Its secrets are shown this once.
type Key struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Expiration int64  `json:"expiration,omitempty"` // milliseconds since 1970; 0 is never
	APIKey     string `json:"api_key"`
	Encoded    string `json:"encoded"`
}

// Ends is when the key expires, zero if never.
func (k Key) Ends() time.Time {
	if k.Expiration == 0 {
		return time.Time{}
	}
	return time.UnixMilli(k.Expiration).UTC()
}

// A Valid is a key that is neither invalidated nor expired.
type Valid struct {
	ID      string
	Name    string
	Owner   string
	Created time.Time
	making  string // what made it, "" if it was not Make
}

// MadeBy reports whether it comes of one making.
func (v Valid) MadeBy(making string) bool { return v.making == making }

func (v Valid) String() string { return v.Name + " (" + v.Whose() + ")" }

// Whose tells who is to be asked about the key.
func (v Valid) Whose() string {
	return fmt.Sprintf("id %s, of %s, made %s", v.ID, v.Owner, v.Created.Format(time.RFC3339))
}

// A LackingError says that the user who makes a key has not got what it needs: a
// key has at most the rights of who makes it.
type LackingError struct {
	Name    string   // of the key
	Lacking []string // like "read on logs-*"
}

func (e *LackingError) Error() string {
	return fmt.Sprintf("the key %s would lack %s, which this user has not got either: a key has at most the rights of who makes it",
		e.Name, strings.Join(e.Lacking, ", "))
}

func (e *LackingError) Advice() string { return "let a user with these rights make it" }

func (e *LackingError) StatusCode() int { return http.StatusForbidden }

// Found are the valid keys of newterms that have a name.
type Found struct {
	Valid   []Valid
	OwnOnly bool // those of other users could not be seen
}

// Find looks for the valid keys of newterms that have a name: those of every user, or
// of a user who may not see others' the own ones.
func Find(ctx context.Context, c *elastic.Client, name string, now time.Time) (Found, error) {
	var answer struct {
		Keys []struct {
			ID          string         `json:"id"`
			Name        string         `json:"name"`
			Username    string         `json:"username"`
			Creation    int64          `json:"creation"`
			Expiration  int64          `json:"expiration"`
			Invalidated bool           `json:"invalidated"`
			Metadata    map[string]any `json:"metadata"`
		} `json:"api_keys"`
	}
	var found Found
	err := c.Do(ctx, esapi.SecurityGetAPIKeyRequest{Name: name}, &answer)
	if elastic.HasStatus(err, http.StatusForbidden) {
		found.OwnOnly = true
		err = c.Do(ctx, esapi.SecurityGetAPIKeyRequest{Name: name, Owner: &found.OwnOnly}, &answer)
	}
	if err != nil {
		return found, fmt.Errorf("look for API keys %s: %w", name, err)
	}
	for _, k := range answer.Keys {
		expired := k.Expiration != 0 && k.Expiration <= now.UnixMilli()
		if k.Name != name || k.Invalidated || expired || k.Metadata["application"] != application {
			continue
		}
		making, _ := k.Metadata["making"].(string)
		found.Valid = append(found.Valid, Valid{k.ID, k.Name, k.Username, time.UnixMilli(k.Creation).UTC(), making})
	}
	slices.SortFunc(found.Valid, func(a, b Valid) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return found, nil
}

// Make makes a key. making is a text of the caller's that no other call has, by
// which Unused finds keys of which the answer was lost.
func Make(ctx context.Context, c *elastic.Client, s Spec, making string) (Key, error) {
	body := s.Body()
	body["metadata"].(dsl)["making"] = making
	var key Key
	if err := c.Do(ctx, esapi.SecurityCreateAPIKeyRequest{Body: elastic.JSON(body)}, &key); err != nil {
		return Key{}, fmt.Errorf("make API key %s: %w", s.Name, err)
	}
	if key.ID == "" || key.Encoded == "" {
		return Key{}, fmt.Errorf("make API key %s: %w: it has no key", s.Name, elastic.ErrIncomplete)
	}
	return key, nil
}

// Try asks with a client of the key itself, or of the user who is to make it, whether
// it has what its use needs of Elasticsearch. What it may do in Kibana and in other clusters is not asked:
// those have their own say. Its error is a *LackingError if something is missing.
func Try(ctx context.Context, ofKey *elastic.Client, s Spec) error {
	role := s.role()
	indices := role["indices"].([]dsl)
	if s.Use == Run || s.Use == Compare {
		indices = s.here()
	}
	var answer struct {
		Cluster map[string]bool            `json:"cluster"`
		Index   map[string]map[string]bool `json:"index"`
	}
	if err := ofKey.Do(ctx, esapi.SecurityHasPrivilegesRequest{Body: elastic.JSON(dsl{"cluster": role["cluster"], "index": indices})}, &answer); err != nil {
		return fmt.Errorf("try API key %s: %w", s.Name, err)
	}
	var lacking []string
	for _, privilege := range role["cluster"].([]string) {
		if !answer.Cluster[privilege] {
			lacking = append(lacking, "the cluster privilege "+privilege)
		}
	}
	for _, entry := range indices {
		for _, name := range entry["names"].([]string) {
			for _, privilege := range entry["privileges"].([]string) {
				if !answer.Index[name][privilege] {
					lacking = append(lacking, privilege+" on "+name)
				}
			}
		}
	}
	if len(lacking) > 0 {
		return &LackingError{s.Name, lacking}
	}
	return nil
}
