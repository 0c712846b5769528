package elastic

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Search is a search request.
type Search struct {
	Indices []string // names and patterns
	// IgnoreUnavailable ignores missing names and patterns without a match. Otherwise a
	// missing name is a *ResponseError of the type index_not_found_exception.
	IgnoreUnavailable bool
	Body              any // encoded as JSON
	// Omit lists members that the answer shall not have, at any depth.
	Omit []string
	// Since is shared by searches of the same indices, so that none is answered by
	// fewer shards than one before. It may be nil.
	Since *Shards
}

// Search decodes the aggregations of a complete answer. Its errors are those of Do. One
// that wraps ErrIncomplete also reports failed shards, a timeout, a skipped cluster, or
// that nothing was searched (ErrNoShards).
func (c *Client) Search(ctx context.Context, s Search, aggregations any) error {
	answer := searchAnswer{Aggregations: part{into: aggregations}}
	err := c.search(ctx, s, &answer)
	if err == nil && !answer.Aggregations.found {
		err = fmt.Errorf("search %s: %w: it holds no aggregations", strings.Join(s.Indices, ","), ErrIncomplete)
	}
	return err
}

// Hits decodes the hits of a complete answer into a list, with the errors of Search. It
// returns the size of the hits in bytes.
func (c *Client) Hits(ctx context.Context, s Search, hits any) (bytes int, err error) {
	var answer searchAnswer
	answer.Hits.Hits = part{into: hits}
	err = c.search(ctx, s, &answer)
	if err == nil && !answer.Hits.Hits.found {
		err = fmt.Errorf("search %s: %w: it holds no hits", strings.Join(s.Indices, ","), ErrIncomplete)
	}
	return answer.Hits.Hits.bytes, err
}

func (c *Client) search(ctx context.Context, s Search, answer *searchAnswer) error {
	partial := false
	var omitted []string
	for _, name := range s.Omit {
		omitted = append(omitted, "-**."+name)
	}
	err := c.Do(ctx, esapi.SearchRequest{
		Index: InPath(s.Indices), Body: JSON(s.Body), FilterPath: omitted, AllowPartialSearchResults: &partial,
		AllowNoIndices: &s.IgnoreUnavailable, IgnoreUnavailable: &s.IgnoreUnavailable,
	}, answer)
	if err == nil {
		err = answer.incomplete()
	}
	if err == nil && s.Since != nil {
		err = s.Since.see(answer.Shards.Total)
	}
	if err != nil {
		return fmt.Errorf("search %s: %w", strings.Join(s.Indices, ","), err)
	}
	return nil
}

// A part of an answer is decoded into the caller's value, in the same pass as the rest.
type part struct {
	into  any // nil: skipped
	found bool
	bytes int
}

func (p *part) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	p.found = d.PeekKind() != 'n'
	if p.into == nil || !p.found {
		return d.SkipValue()
	}
	start := d.InputOffset()
	err := jsonv2.UnmarshalDecode(d, p.into)
	p.bytes = int(d.InputOffset() - start)
	return err
}

// InPath escapes names and patterns of indices for the path of a request: date math
// such as <logs-{now/d}> has a slash.
func InPath(indices []string) []string {
	escaped := make([]string, len(indices))
	for i, index := range indices {
		if escaped[i] = index; strings.ContainsAny(index, "/%?# ") {
			escaped[i] = url.PathEscape(index)
		}
	}
	return escaped
}

type searchAnswer struct {
	Timed
	TimedOut bool `json:"timed_out"`
	Shards   *struct {
		Total    int            `json:"total"`
		Failed   int            `json:"failed"`
		Failures []shardFailure `json:"failures"`
	} `json:"_shards"`
	Clusters clusters `json:"_clusters"`
	Hits     struct {
		Hits part `json:"hits"`
	} `json:"hits"`
	Aggregations part `json:"aggregations"`
}

type shardFailure struct {
	Index  string `json:"index"`
	Reason Cause  `json:"reason"`
}

// clusters is present if a search included other clusters.
type clusters struct {
	Total   int `json:"total"`
	Skipped int `json:"skipped"`
	Partial int `json:"partial"`
	Failed  int `json:"failed"`
	Details map[string]struct {
		Status   string         `json:"status"`
		Failures []shardFailure `json:"failures"`
	} `json:"details"`
}

func (a *searchAnswer) incomplete() error {
	switch {
	case a.TimedOut:
		return fmt.Errorf("%w: the search timed out", ErrIncomplete)
	case a.Shards == nil:
		return fmt.Errorf("%w: it does not say how many shards it comes from", ErrIncomplete)
	case a.Clusters.Skipped+a.Clusters.Partial+a.Clusters.Failed > 0:
		return a.Clusters.incomplete()
	case a.Shards.Failed > 0:
		return fmt.Errorf("%w: %d of %d shards failed%s", errPart, a.Shards.Failed, a.Shards.Total, firstOf(a.Shards.Failures))
	case a.Shards.Total == 0:
		return ErrNoShards
	}
	return nil
}

// incomplete names each cluster that is missing, wholly or partly, and why.
func (c clusters) incomplete() error {
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(c.Details)) {
		if d := c.Details[name]; d.Status != "successful" {
			missing = append(missing, fmt.Sprintf("%s is %s%s", name, d.Status, firstOf(d.Failures)))
		}
	}
	if len(missing) == 0 {
		missing = []string{"it does not say which"}
	}
	return fmt.Errorf("%w: %d of %d clusters were skipped or failed: %s", errPart,
		c.Skipped+c.Partial+c.Failed, c.Total, strings.Join(missing, "; "))
}

// firstOf returns the first of some failures, preceded by ": ".
func firstOf(failures []shardFailure) string {
	if len(failures) == 0 {
		return ""
	}
	f := failures[0]
	if f.Index == "" {
		return ": " + f.Reason.String()
	}
	return ": " + f.Index + ": " + f.Reason.String()
}
