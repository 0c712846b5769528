package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// A Composite is one page of a composite aggregation. Buckets is nil if the answer has
// none.
type Composite[Bucket any] struct {
	AfterKey json.RawMessage `json:"after_key"`
	Buckets  []Bucket        `json:"buckets"`
}

// CompositeOf requests a page of a composite aggregation, from after, the end of the page
// before; nil is the first page.
func CompositeOf(sources []map[string]any, size int, after json.RawMessage) map[string]any {
	composite := map[string]any{"size": size, "sources": sources}
	if after != nil {
		composite["after"] = after
	}
	return map[string]any{"composite": composite}
}

func (c *Composite[Bucket]) end() (after json.RawMessage, buckets int, ok bool) {
	return c.AfterKey, len(c.Buckets), c.Buckets != nil
}

// A DocCount is the number of documents in a bucket.
type DocCount struct {
	Count int64 `json:"doc_count"`
}

// A Page is a *Composite, whatever its buckets hold.
type Page interface {
	end() (after json.RawMessage, buckets int, ok bool)
}

// A Pager reads a composite aggregation to its end. A page that is not full is the
// last: each shard returns up to a page of the smallest keys after `after`, so a merge
// with fewer keys than a page has all of them. This saves a request for an empty page
// each time.
//
// If a page is too much to answer, the Pager halves its size, down to one bucket. It
// keeps the smaller size.
type Pager struct {
	Client *Client
	Search Search // without Body
	// Body returns the body of a search for a page of at most size buckets after a key,
	// which is nil for the first page.
	Body func(size int, after json.RawMessage) any
	Size int // of the next page, at least 1

	number        int // of the last page
	after, before json.RawMessage
	ended         bool
}

// Next reads a page and decodes its aggregations into answer; page points to the
// composite in answer. It returns false after the last page. Its errors are those of
// Client.Search.
func (p *Pager) Next(ctx context.Context, answer any, page Page) (ok bool, err error) {
	if p.ended {
		return false, nil
	}
	p.number++
	if err := p.next(ctx, answer, page); err != nil {
		return false, fmt.Errorf("page %d: %w", p.number, err)
	}
	return true, nil
}

func (p *Pager) next(ctx context.Context, answer any, page Page) error {
	search := p.Search
	search.Body = p.Body(p.Size, p.after)
	err := p.Client.Search(ctx, search, answer)
	for TooMuchToAnswer(err) && p.Size > 1 {
		p.Size = (p.Size + 1) / 2
		search.Body = p.Body(p.Size, p.after)
		err = p.Client.Search(ctx, search, answer)
	}
	if err != nil {
		return err
	}
	after, buckets, ok := page.end()
	switch {
	case !ok:
		return fmt.Errorf("%w: it holds no page", ErrIncomplete)
	case len(after) > 0 && bytes.Equal(after, p.after):
		return fmt.Errorf("%w: the page after %s ends where it began", ErrIncomplete, after)
	case buckets > 0 && len(after) == 0:
		return fmt.Errorf("%w: it does not say where it ends", ErrIncomplete)
	}
	p.before, p.after, p.ended = p.after, after, buckets < p.Size
	return nil
}

// Repeat makes Next read the last page once more, with a new Body.
func (p *Pager) Repeat() {
	p.number--
	p.after, p.ended = p.before, false
}
