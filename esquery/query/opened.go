package query

import (
	"context"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// An Opened search is compiled for the mapping of its indices, and sends requests to
// them. It is not safe for concurrent use, except for a copy of AllowFewerShards.
type Opened struct {
	Compiled
	Client  *elastic.Client
	Mapping access.Mapping // of the indices when they were opened

	shards       *elastic.Shards // those that answered; nil if that does not matter
	confirmed    int             // their number at the last successful Unchanged
	textNetworks []TextNetwork
}

// Open reads the types of the search's fields in one request, and compiles the query.
// It returns an *access.NotFoundError if there is nothing to search. If the search does
// not fit the mapping, it returns a *kql.FieldError, *TypeError or *MappingError;
// otherwise the error of a request.
func Open(ctx context.Context, c *elastic.Client, s Search) (*Opened, error) {
	return NewMappings(s).Open(ctx, c, s)
}

func open(c *elastic.Client, s Search, m access.Mapping) (*Opened, error) {
	compiled, err := Compile(s, m)
	if err != nil {
		return nil, err
	}
	for _, name := range s.FieldNames() {
		if err := (mapping{m}).check(s, name); err != nil {
			return nil, err
		}
	}
	return compiled.in(c, m)
}

// OpenUnchecked is Open with a mapping that is known, and without the *TypeError of
// fields that the search cannot use.
func OpenUnchecked(c *elastic.Client, s Search, m access.Mapping) (*Opened, error) {
	compiled, err := Compile(s, m)
	if err != nil {
		return nil, err
	}
	return compiled.in(c, m)
}

func (c Compiled) in(client *elastic.Client, m access.Mapping) (*Opened, error) {
	if err := (mapping{m}).checkLists(c.Search); err != nil {
		return nil, err
	}
	return &Opened{Compiled: c, Client: client, Mapping: m, shards: &elastic.Shards{}, textNetworks: mapping{m}.textNetworks(c.Search)}, nil
}

// Request returns a search of the indices. It fails if one of them has gone since the
// last search.
func (o *Opened) Request(body any) elastic.Search {
	r := o.Search.Request(body)
	r.Since = o.shards
	return r
}

// Ask sends a search and decodes its answer. Its error is one of Diagnose.
func (o *Opened) Ask(ctx context.Context, body, answer any) error {
	return o.Diagnose(ctx, o.Client.Search(ctx, o.Request(body), answer))
}

// AllowFewerShards returns a copy whose requests accept that an index has gone. It has
// no part in Unchanged.
func (o *Opened) AllowFewerShards() *Opened {
	other := *o
	other.shards = nil
	return &other
}

// Unavailable lists the search's indices whose events cannot be seen.
func (o *Opened) Unavailable() []access.Unavailable { return o.Mapping.Unavailable }

// TextNetworks returns those of the search's exclusions, one for each field.
func (o *Opened) TextNetworks() []TextNetwork { return o.textNetworks }

// Types returns the types of the search's mapped fields.
func (o *Opened) Types() map[string][]string {
	types := map[string][]string{}
	for _, name := range o.Search.FieldNames() {
		if f, ok := o.Mapping.Fields[name]; ok {
			types[name] = f.Types
		}
	}
	return types
}
