package keys

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// Unused returns the keys that one making made, without those that are kept.
func Unused(ctx context.Context, c *elastic.Client, names []string, making string, now time.Time, kept map[string]bool) ([]Valid, error) {
	var unused []Valid
	for _, name := range names {
		found, err := Find(ctx, c, name, now)
		if err != nil {
			return nil, err
		}
		for _, v := range found.Valid {
			if v.MadeBy(making) && !kept[v.ID] {
				unused = append(unused, v)
			}
		}
	}
	return unused, nil
}

// MayEndOthers reports whether the user may invalidate the keys of other users.
func MayEndOthers(ctx context.Context, c *elastic.Client) (bool, error) {
	const privilege = "manage_api_key"
	var answer struct {
		Cluster map[string]bool `json:"cluster"`
	}
	if err := c.Do(ctx, esapi.SecurityHasPrivilegesRequest{Body: elastic.JSON(dsl{"cluster": []string{privilege}})}, &answer); err != nil {
		return false, fmt.Errorf("ask whether this user may end the API keys of others: %w", err)
	}
	return answer.Cluster[privilege], nil
}

// Invalidate ends keys for good. It is an error if one of them is not ended by
// it and was not before.
func Invalidate(ctx context.Context, c *elastic.Client, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var answer struct {
		Done []string `json:"invalidated_api_keys"`
	}
	err := invalidate(ctx, c, dsl{"ids": ids}, &answer)
	if elastic.HasStatus(err, http.StatusForbidden) {
		err = invalidate(ctx, c, dsl{"ids": ids, "owner": true}, &answer)
	}
	for _, id := range ids {
		if err == nil && !slices.Contains(answer.Done, id) {
			err = wasEnded(ctx, c, id)
		}
	}
	if err != nil {
		return fmt.Errorf("invalidate API keys %s: %w", strings.Join(ids, ", "), err)
	}
	return nil
}

// wasEnded returns an error unless a key was invalidated before. Elasticsearch counts
// such keys as nothing, as it does those of others.
func wasEnded(ctx context.Context, c *elastic.Client, id string) error {
	var answer struct {
		Keys []struct {
			Invalidated bool `json:"invalidated"`
		} `json:"api_keys"`
	}
	err := c.Do(ctx, esapi.SecurityGetAPIKeyRequest{ID: id}, &answer)
	if elastic.HasStatus(err, http.StatusForbidden) {
		own := true
		err = c.Do(ctx, esapi.SecurityGetAPIKeyRequest{ID: id, Owner: &own}, &answer)
	}
	if err == nil && (len(answer.Keys) != 1 || !answer.Keys[0].Invalidated) {
		err = fmt.Errorf("%w: it does not tell of %s", elastic.ErrIncomplete, id)
	}
	return err
}

func invalidate(ctx context.Context, c *elastic.Client, body dsl, answer any) error {
	return c.Do(ctx, esapi.SecurityInvalidateAPIKeyRequest{Body: elastic.JSON(body)}, answer)
}
