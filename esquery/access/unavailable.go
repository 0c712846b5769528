package access

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// An Unavailable is an index, or a name or pattern of a search, whose events cannot be
// seen.
type Unavailable struct {
	Index string
	Why   string // such as "missing", "closed" or "not readable by this user"
}

func (u Unavailable) String() string { return u.Index + " is " + u.Why }

const (
	isMissing    = "missing"
	isClosed     = "closed"
	isUnreadable = "not readable by this user"
	isUnmatched  = "matched by nothing in its cluster, or not readable by this user"
)

// IsUnavailable reports whether an error is about a named index that cannot be searched.
func IsUnavailable(err error) bool {
	return elastic.HasCause(err, "index_not_found_exception", "index_closed_exception", "security_exception")
}

// A failureError reports indices of another cluster that did not answer.
type failureError struct {
	indices []string
	elastic.Cause
}

func (e *failureError) Error() string {
	return fmt.Sprintf("%v: %s: %s", elastic.ErrIncomplete, strings.Join(e.indices, ","), e.Cause)
}

func (e *failureError) Unwrap() error { return elastic.ErrIncomplete }

// A forbiddenError is a failureError of a cluster where this user may read nothing.
type forbiddenError struct{ failureError }

func (e *forbiddenError) StatusCode() int { return http.StatusForbidden }

// A NameError reports invalid index names: a cluster that Elasticsearch does not know,
// or the exclusion of a missing index.
type NameError struct{ err error }

func (e *NameError) Error() string { return e.err.Error() }
func (e *NameError) Unwrap() error { return e.err }

// asNameError returns a *NameError if the error is about names.
func asNameError(err error) error {
	if elastic.HasCause(err, "no_such_remote_cluster_exception", "invalid_index_name_exception") ||
		elastic.Says(err, "To exclude a cluster", "Attempt to exclude cluster") {
		return &NameError{err}
	}
	return err
}

// FindUnavailable finds out which names and indices cannot be searched. It skips
// those for which that fails.
func FindUnavailable(ctx context.Context, c *elastic.Client, indices []string) []Unavailable {
	var found []Unavailable
	for _, index := range indices {
		if strings.HasPrefix(index, "-") {
			continue
		}
		resolved, err := resolve(ctx, c, index)
		if why := whyUnavailable(err); why != "" {
			found = append(found, Unavailable{index, why})
		}
		for _, i := range resolved.Indices {
			if slices.Contains(i.Attributes, "closed") {
				found = append(found, Unavailable{i.Name, isClosed})
			}
		}
		// Another cluster resolves a missing or forbidden name to nothing.
		if err == nil && resolved.isEmpty() && elastic.IsRemote(index) && !strings.Contains(index, "*") {
			_, err := fieldCaps(ctx, c, []string{index}, []string{"*"}, false)
			if why := whyUnavailable(err); why != "" {
				found = append(found, Unavailable{index, why})
			}
		}
	}
	return found
}

// whyUnavailable returns the reason for an index that cannot be searched; "" for other
// errors.
func whyUnavailable(err error) string {
	switch {
	case elastic.IsMissing(err):
		return isMissing
	case elastic.HasCause(err, "index_closed_exception"):
		return isClosed
	case elastic.HasCause(err, "security_exception"):
		return isUnreadable
	}
	return ""
}

type resolved struct {
	Indices []struct {
		Name       string   `json:"name"`
		Attributes []string `json:"attributes"`
	} `json:"indices"`
	Aliases     []any `json:"aliases"`
	DataStreams []any `json:"data_streams"`
}

func (r resolved) isEmpty() bool { return len(r.Indices)+len(r.Aliases)+len(r.DataStreams) == 0 }

// resolve returns what a name or pattern matches, open and closed.
func resolve(ctx context.Context, c *elastic.Client, index string) (answer resolved, err error) {
	err = c.Do(ctx, esapi.IndicesResolveIndexRequest{Name: elastic.InPath([]string{index}), ExpandWildcards: "open,closed"}, &answer)
	return answer, err
}
