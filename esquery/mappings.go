package esquery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"newterms/esquery/elastic"
)

// Mappings asks for the types of fields once for all searches of the same
// indices. It is safe for concurrent use.
type Mappings struct{ groups map[string]*mappingGroup }

type mappingGroup struct {
	names []string      // the fields of all searches of the group
	turn  chan struct{} // full while somebody asks
	known *mapping      // nil until somebody got an answer
}

// NewMappings returns what opens these searches.
func NewMappings(searches ...Search) *Mappings {
	m := &Mappings{groups: map[string]*mappingGroup{}}
	for _, s := range searches {
		g := m.groups[s.mappingKey()]
		if g == nil {
			g = &mappingGroup{turn: make(chan struct{}, 1)}
			m.groups[s.mappingKey()] = g
		}
		g.names = sortedOnce(append(g.names, s.mappedNames()...))
	}
	return m
}

func (s Search) mappingKey() string { return strings.Join(s.Indices, ",") }

func (s Search) mappedNames() []string {
	return sortedOnce(slices.Concat(s.fieldNames(), s.Wanted, s.parentsOfAddresses()))
}

// Open is the function Open, with the types that are known already. The search
// must be one of those that the Mappings was made of.
func (m *Mappings) Open(ctx context.Context, c *elastic.Client, s Search) (*Source, error) {
	known, err := m.groups[s.mappingKey()].read(ctx, c, s)
	if err != nil {
		return nil, fmt.Errorf("field types: %w", err)
	}
	return open(c, s, known)
}

// read asks for the types, or waits for who is asking. An error is of this
// search alone: the next one asks again.
func (g *mappingGroup) read(ctx context.Context, c *elastic.Client, s Search) (mapping, error) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return mapping{}, context.Cause(ctx)
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
	if own := s.mappedNames(); errors.As(err, &refused) && refused.Status == http.StatusBadRequest && !slices.Equal(own, g.names) {
		// Another search of the group may be what is refused.
		return g.ask(ctx, c, s, own)
	}
	return m, err
}

func (g *mappingGroup) ask(ctx context.Context, c *elastic.Client, s Search, names []string) (mapping, error) {
	m, err := readMapping(ctx, c, s.Indices, names)
	if err != nil {
		return m, err
	}
	hidden, err := unreadable(ctx, c, s.Indices, m.indices)
	m.passedOver = append(m.passedOver, hidden...)
	return m, err
}
