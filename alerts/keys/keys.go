package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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

// A LackingError says that the user who makes a key has not got what it needs: a
// key has at most the rights of who makes it.
type LackingError struct {
	Name    string   // of the key
	Lacking []string // like "read on logs-*"
}

func (e *LackingError) Error() string {
	return fmt.Sprintf("the key %s would lack %s, which this user has not got either: a key has at most the rights of who makes it; none was made",
		e.Name, strings.Join(e.Lacking, ", "))
}

// StatusCode is 403.
func (e *LackingError) StatusCode() int { return http.StatusForbidden }

// Find returns the valid keys of newterms that have a name: those of every user,
// or of a user who may not see others' the own ones.
func Find(ctx context.Context, c *elastic.Client, name string, now time.Time) ([]Valid, error) {
	type found struct {
		ID          string         `json:"id"`
		Name        string         `json:"name"`
		Username    string         `json:"username"`
		Creation    int64          `json:"creation"`
		Expiration  int64          `json:"expiration"`
		Invalidated bool           `json:"invalidated"`
		Metadata    map[string]any `json:"metadata"`
	}
	var answer struct {
		Keys []found `json:"api_keys"`
	}
	err := c.Do(ctx, esapi.SecurityGetAPIKeyRequest{Name: name}, &answer)
	if isForbidden(err) {
		own := true
		err = c.Do(ctx, esapi.SecurityGetAPIKeyRequest{Name: name, Owner: &own}, &answer)
	}
	if err != nil {
		return nil, fmt.Errorf("look for API keys %s: %w", name, err)
	}
	var valid []Valid
	for _, k := range answer.Keys {
		expired := k.Expiration != 0 && k.Expiration <= now.UnixMilli()
		if k.Name != name || k.Invalidated || expired || k.Metadata["application"] != application {
			continue
		}
		making, _ := k.Metadata["making"].(string)
		valid = append(valid, Valid{k.ID, k.Name, k.Username, time.UnixMilli(k.Creation).UTC(), making})
	}
	return valid, nil
}

// Make makes a key. making is a text of the caller's that no other call has, by
// which Unused finds keys of which the answer was lost.
func Make(ctx context.Context, c *elastic.Client, s Spec, making string) (Key, error) {
	body := s.Body()
	body["metadata"].(dsl)["making"] = making
	payload, err := json.Marshal(body)
	if err != nil {
		return Key{}, err
	}
	var key Key
	if err := c.Do(ctx, esapi.SecurityCreateAPIKeyRequest{Body: bytes.NewReader(payload)}, &key); err != nil {
		return Key{}, fmt.Errorf("make API key %s: %w", s.Name, err)
	}
	if key.ID == "" || key.Encoded == "" {
		return Key{}, fmt.Errorf("make API key %s: %w: it has no key", s.Name, elastic.ErrIncomplete)
	}
	return key, nil
}

// Unused returns the ids of the keys that one making made, without those that
// are kept.
func Unused(ctx context.Context, c *elastic.Client, names []string, making string, now time.Time, kept map[string]bool) ([]string, error) {
	var ids []string
	for _, name := range names {
		valid, err := Find(ctx, c, name, now)
		if err != nil {
			return nil, err
		}
		for _, v := range valid {
			if v.making == making && !kept[v.ID] {
				ids = append(ids, v.ID)
			}
		}
	}
	return ids, nil
}

// Try asks with a client of the key itself whether it has what its use needs of
// Elasticsearch. What it may do in Kibana and in other clusters is not asked.
// Its error is a *LackingError if something is missing.
func Try(ctx context.Context, ofKey *elastic.Client, s Spec) error {
	role := s.role()
	payload, err := json.Marshal(dsl{"cluster": role["cluster"], "index": role["indices"]})
	if err != nil {
		return err
	}
	var answer struct {
		Cluster map[string]bool            `json:"cluster"`
		Index   map[string]map[string]bool `json:"index"`
	}
	if err := ofKey.Do(ctx, esapi.SecurityHasPrivilegesRequest{Body: bytes.NewReader(payload)}, &answer); err != nil {
		return fmt.Errorf("try API key %s: %w", s.Name, err)
	}
	var lacking []string
	for _, privilege := range role["cluster"].([]string) {
		if !answer.Cluster[privilege] {
			lacking = append(lacking, "the cluster privilege "+privilege)
		}
	}
	for _, entry := range role["indices"].([]dsl) {
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

// Invalidate ends keys for good. It is an error if one of them is not ended by
// it and was not before.
func Invalidate(ctx context.Context, c *elastic.Client, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var answer struct {
		Done   []string `json:"invalidated_api_keys"`
		Before []string `json:"previously_invalidated_api_keys"`
	}
	err := invalidate(ctx, c, dsl{"ids": ids}, &answer)
	if isForbidden(err) {
		err = invalidate(ctx, c, dsl{"ids": ids, "owner": true}, &answer)
	}
	if err == nil && len(answer.Done)+len(answer.Before) < len(ids) {
		err = fmt.Errorf("%w: it tells of %d of %d keys", elastic.ErrIncomplete, len(answer.Done)+len(answer.Before), len(ids))
	}
	if err != nil {
		return fmt.Errorf("invalidate API keys %s: %w", strings.Join(ids, ", "), err)
	}
	return nil
}

func invalidate(ctx context.Context, c *elastic.Client, body dsl, answer any) error {
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.Do(ctx, esapi.SecurityInvalidateAPIKeyRequest{Body: bytes.NewReader(payload)}, answer)
}

func isForbidden(err error) bool {
	var refused *elastic.ResponseError
	return errors.As(err, &refused) && refused.Status == http.StatusForbidden
}
