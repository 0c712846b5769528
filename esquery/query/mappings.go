package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// Mappings reads the types of fields once for all searches of the same indices. It is
// safe for concurrent use.
type Mappings struct{ groups map[string]*mappingGroup }

type mappingGroup struct {
	names []string        // the fields of all searches of the group
	busy  chan struct{}   // full during a request
	known *access.Mapping // nil until there is an answer
}

// NewMappings returns Mappings for these searches.
func NewMappings(searches ...Search) *Mappings {
	m := &Mappings{groups: map[string]*mappingGroup{}}
	for _, s := range searches {
		g := m.groups[s.mappingKey()]
		if g == nil {
			g = &mappingGroup{busy: make(chan struct{}, 1)}
			m.groups[s.mappingKey()] = g
		}
		g.names = sortedOnce(append(g.names, s.MappedNames()...))
	}
	return m
}

func (s Search) mappingKey() string { return strings.Join(s.Indices, ",") }

// MappedNames lists the names whose types Open requests, sorted, each once.
func (s Search) MappedNames() []string {
	needed := append(s.FieldNames(), s.Typed...)
	return sortedOnce(slices.Concat(needed, s.Wanted, parentsOf(needed)))
}

// parentsOf lists the parents of fields. One of them may be flattened: field_caps knows
// such a field, but none of its keys.
func parentsOf(names []string) []string {
	var parents []string
	for _, name := range names {
		for at := strings.LastIndexByte(name, '.'); at > 0; at = strings.LastIndexByte(name, '.') {
			name = name[:at]
			parents = append(parents, name)
		}
	}
	return parents
}

// Open is the function Open, but uses types that are known already. The search must be
// one of those given to NewMappings.
func (m *Mappings) Open(ctx context.Context, c *elastic.Client, s Search) (*Opened, error) {
	known, err := m.groups[s.mappingKey()].read(ctx, c, s)
	if err != nil {
		return nil, fmt.Errorf("field types: %w", err)
	}
	return open(c, s, known)
}

// read returns the types. It waits if another search requests them. An error is for
// this search only: the next one sends a request again.
func (g *mappingGroup) read(ctx context.Context, c *elastic.Client, s Search) (access.Mapping, error) {
	select {
	case g.busy <- struct{}{}:
		defer func() { <-g.busy }()
	case <-ctx.Done():
		return access.Mapping{}, context.Cause(ctx)
	}
	if g.known != nil {
		return *g.known, nil
	}
	m, err := g.ask(ctx, c, s, g.names)
	if err == nil {
		g.known = &m
		return m, nil
	}
	var refused *elastic.ResponseError
	if own := s.MappedNames(); errors.As(err, &refused) && refused.Status == http.StatusBadRequest && !slices.Equal(own, g.names) {
		// The server may have refused another search's fields.
		return g.ask(ctx, c, s, own)
	}
	return m, err
}

func (g *mappingGroup) ask(ctx context.Context, c *elastic.Client, s Search, names []string) (access.Mapping, error) {
	m, err := access.ReadMapping(ctx, c, s.Indices, names)
	if err != nil {
		return m, err
	}
	hidden, err := access.Unreadable(ctx, c, s.Indices, m.Indices)
	m.Unavailable = append(m.Unavailable, hidden...)
	return m, err
}
