package access

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A Privilege is an index privilege on a name or pattern.
type Privilege struct{ Index, Name string }

// A PrivilegeError reports that the user lacks a privilege.
type PrivilegeError struct{ Missing Privilege }

func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("the privilege %s on %s is missing", e.Missing.Name, e.Missing.Index)
}

// StatusCode is 403, even if Elasticsearch did not refuse but answered as if the index
// did not exist.
func (e *PrivilegeError) StatusCode() int { return http.StatusForbidden }

// ReadPrivileges lists the privileges needed to read the indices: read on each name and
// pattern, and for date math on the pattern of its results. It skips indices of other
// clusters (cluster:index), where their cluster decides, and exclusions (-index).
func ReadPrivileges(indices []string) []Privilege {
	var wanted []Privilege
	for _, index := range indices {
		switch name, failures := elastic.Grantable(index); {
		case elastic.IsRemote(index) || name == "":
		case failures:
			wanted = append(wanted, Privilege{name, "read_failure_store"})
		default:
			wanted = append(wanted, Privilege{name, "read"})
		}
	}
	return wanted
}

// MissingPrivileges returns the wanted privileges that the user lacks, in their order.
// A privilege on a pattern is missing unless it covers everything that the pattern
// could match.
func MissingPrivileges(ctx context.Context, c *elastic.Client, wanted []Privilege) ([]Privilege, error) {
	var answer struct {
		Index map[string]map[string]bool `json:"index"`
	}
	err := c.Do(ctx, esapi.SecurityHasPrivilegesRequest{Body: elastic.JSON(privilegesBody(wanted))}, &answer)
	if err != nil {
		return nil, fmt.Errorf("ask for privileges: %w", err)
	}
	var missing []Privilege
	for _, p := range wanted {
		if !answer.Index[p.Index][p.Name] {
			missing = append(missing, p)
		}
	}
	return missing, nil
}

// ForbiddenOr returns a *PrivilegeError if the user may read none of the indices, and
// else err, which says that nothing was found. Elasticsearch answers a user who may not
// read an index as if it did not exist.
func ForbiddenOr(ctx context.Context, c *elastic.Client, indices []string, err error) error {
	missing, askErr := MissingPrivileges(ctx, c, ReadPrivileges(indices))
	if askErr != nil || len(missing) < len(indices) {
		return err
	}
	return &PrivilegeError{Privilege{strings.Join(indices, ", "), "read"}}
}

// privilegesBody asks for index privileges, one entry for each index.
func privilegesBody(wanted []Privilege) map[string]any {
	var entries []map[string]any
	for _, p := range wanted {
		entries = append(entries, map[string]any{"names": []string{p.Index}, "privileges": []string{p.Name}})
	}
	return map[string]any{"index": entries}
}
