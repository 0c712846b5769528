package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A Restriction lists documents or fields of indices that are hidden from the user. To
// the user they do not exist.
//
// https://www.elastic.co/docs/deploy-manage/users-roles/cluster-or-deployment-auth/controlling-access-at-document-field-level
type Restriction struct {
	Indices []string // or names and patterns
	Fields  []string // nil if documents are hidden
	Queries []string // only documents that match one are visible; nil if not known
}

func (r Restriction) String() string {
	of := FirstNames(r.Indices)
	switch {
	case r.Fields != nil:
		return "field-level security hides " + strings.Join(r.Fields, ", ") + " of " + of + " from this user"
	case len(r.Queries) > 0:
		return "document-level security hides documents of " + of + " from this user (it shows those of " + strings.Join(r.Queries, " or ") + ")"
	}
	return "document-level security hides documents of " + of + " from this user"
}

// Restricted holds the restrictions that Elasticsearch reports to a user. The zero
// value has none.
type Restricted struct {
	entries []roleEntry
}

// A roleEntry is an entry of a role, or several entries combined.
type roleEntry struct {
	Names      []string            `json:"names"`
	Privileges []string            `json:"privileges"`
	Query      several[string]     `json:"query"`
	Fields     several[fieldRules] `json:"field_security"`
}

type fieldRules struct {
	Grant  []string `json:"grant"` // nil means all
	Except []string `json:"except"`
}

// several is a value or a list of values in JSON.
type several[T any] []T

func (s *several[T]) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(string(text), "[") || string(text) == "null" {
		return json.Unmarshal(text, (*[]T)(s))
	}
	*s = make([]T, 1)
	return json.Unmarshal(text, &(*s)[0])
}

// OwnRestrictions returns what is hidden from the user. For an API key these are the
// key's own restrictions, not those of its owner.
func OwnRestrictions(ctx context.Context, c *elastic.Client, u User) (Restricted, error) {
	if u.SecurityOff {
		return Restricted{}, nil
	}
	var own struct {
		Indices []roleEntry `json:"indices"`
	}
	err := c.Do(ctx, esapi.SecurityGetUserPrivilegesRequest{}, &own)
	if elastic.HasNoHandler(err) {
		return Restricted{}, nil
	}
	if err == nil {
		return Restricted{own.Indices}, nil
	}
	if u.keyID == "" {
		return Restricted{}, fmt.Errorf("ask what this user may see: %w", err)
	}
	var answer struct {
		Keys []struct {
			Roles map[string]struct {
				Indices []roleEntry `json:"indices"`
			} `json:"role_descriptors"`
		} `json:"api_keys"`
	}
	if err := c.Do(ctx, esapi.SecurityGetAPIKeyRequest{ID: u.keyID}, &answer); err != nil {
		return Restricted{}, fmt.Errorf("ask what this API key may see: %w", err)
	}
	var r Restricted
	for _, key := range answer.Keys {
		for _, role := range key.Roles {
			r.entries = append(r.entries, role.Indices...)
		}
	}
	return r, nil
}

// of returns what the entries hide in indices of this cluster: documents, and the given
// fields. Entries add up: what one shows is visible.
func (r Restricted) of(indices, patterns, fields []string) []Restriction {
	var found []Restriction
	add := func(index string, one Restriction) {
		at := slices.IndexFunc(found, func(f Restriction) bool {
			return slices.Equal(f.Fields, one.Fields) && slices.Equal(f.Queries, one.Queries)
		})
		if at < 0 {
			at, found = len(found), append(found, one)
		}
		found[at].Indices = append(found[at].Indices, index)
	}
	for _, index := range indices {
		entries := slices.DeleteFunc(slices.Clone(r.entries), func(e roleEntry) bool { return !e.reads(index, patterns) })
		if len(entries) == 0 { // for an alias, or an index of another cluster
			continue
		}
		if !slices.ContainsFunc(entries, func(e roleEntry) bool { return len(e.Query) == 0 }) {
			var queries []string
			for _, e := range entries {
				queries = append(queries, e.Query...)
			}
			slices.Sort(queries)
			add(index, Restriction{Queries: slices.Compact(queries)})
		}
		hidden := slices.DeleteFunc(slices.Clone(fields), func(field string) bool {
			return slices.ContainsFunc(entries, func(e roleEntry) bool { return e.shows(field) })
		})
		if len(hidden) > 0 {
			add(index, Restriction{Fields: hidden})
		}
	}
	return found
}

// Find returns what is hidden in the indices that names and patterns match. If the
// entries do not say, it asks the server.
func (r Restricted) Find(ctx context.Context, c *elastic.Client, indices, patterns, fields []string) ([]Restriction, error) {
	found := r.of(indices, patterns, fields)
	hidden, err := hiddenDocuments(ctx, c, patterns)
	hidden = slices.DeleteFunc(slices.Clone(hidden), func(pattern string) bool {
		return slices.ContainsFunc(found, func(r Restriction) bool {
			return r.Fields == nil && slices.ContainsFunc(r.Indices, func(index string) bool { return proves(pattern, index) })
		})
	})
	if len(hidden) > 0 {
		found = append(found, Restriction{Indices: hidden})
	}
	return found, err
}

// reads reports whether the entry allows reads of an index of this cluster, which
// matches one of the names and patterns. A plain name may be an alias.
func (e roleEntry) reads(index string, patterns []string) bool {
	reads := slices.ContainsFunc(e.Privileges, func(name string) bool {
		return name == "read" || name == "all" || strings.HasPrefix(name, "indices:data/read")
	})
	return reads && !elastic.IsRemote(index) && slices.ContainsFunc(e.Names, func(name string) bool {
		return proves(name, index) || strings.HasPrefix(name, "/") || !strings.Contains(name, "*") && slices.Contains(patterns, name)
	})
}

func (e roleEntry) shows(field string) bool {
	matchesOne := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return elastic.Matches(p, field) })
	}
	return len(e.Fields) == 0 || slices.ContainsFunc(e.Fields, func(f fieldRules) bool {
		return (f.Grant == nil || matchesOne(f.Grant)) && !matchesOne(f.Except)
	})
}

// hiddenDocuments returns the patterns of which some documents are hidden from the
// user: by the user's roles, by those of an API key's owner, or in another cluster.
// Elasticsearch refuses to profile a search of such a user.
func hiddenDocuments(ctx context.Context, c *elastic.Client, patterns []string) ([]string, error) {
	none := map[string]any{"match_none": map[string]any{}}
	body := map[string]any{"size": 0, "track_total_hits": false, "profile": true, "query": none}
	var ignored []json.RawMessage
	_, err := c.Hits(ctx, elastic.Search{Indices: patterns, IgnoreUnavailable: true, Body: body}, &ignored)
	switch {
	case err == nil || errors.Is(err, elastic.ErrNoShards):
		return nil, nil
	case !strings.Contains(err.Error(), "cannot be profiled"):
		return nil, fmt.Errorf("ask whether documents are hidden: %w", err)
	case len(patterns) == 1:
		return patterns, nil
	}
	var hidden []string
	for _, pattern := range patterns {
		if strings.HasPrefix(pattern, "-") {
			continue
		}
		of, err := hiddenDocuments(ctx, c, []string{pattern})
		if err != nil {
			return nil, err
		}
		hidden = append(hidden, of...)
	}
	return hidden, nil
}
