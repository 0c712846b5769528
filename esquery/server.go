package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// A VersionError says that the server is of a version that is not supported.
type VersionError struct{ Version string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("Elasticsearch %s is not supported: use 8.x or 9.x", e.Version)
}

// Version is the server's, in full if the user has the cluster privilege
// monitor and otherwise the major one, like "8.x". Besides the errors of a
// request it returns a *VersionError.
func (c *Client) Version(ctx context.Context) (string, error) {
	var answer struct {
		Version struct{ Number string }
	}
	err := c.do(ctx, esapi.InfoRequest{}, &answer)
	var refused *ResponseError
	switch {
	case errors.As(err, &refused) && (refused.Status == http.StatusForbidden || hasNoHandler(refused)):
		if answer.Version.Number, err = c.majorVersion(ctx); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	}
	if first, _, _ := strings.Cut(answer.Version.Number, "."); first != "8" && first != "9" {
		return "", &VersionError{answer.Version.Number}
	}
	return answer.Version.Number, nil
}

// otherMajor finds the newest version that the server says it can talk as.
var otherMajor = regexp.MustCompile(`version must be either version (\d+)`)

// majorVersion needs no privilege: a server refuses to answer in the format of
// a version newer than its own, and names its own.
//
// https://www.elastic.co/docs/reference/elasticsearch/rest-apis/compatibility
func (c *Client) majorVersion(ctx context.Context) (string, error) {
	const newest = 9
	accept := http.Header{"Accept": {fmt.Sprintf("application/vnd.elasticsearch+json;compatible-with=%d", newest)}}
	err := c.do(ctx, esapi.SecurityAuthenticateRequest{Header: accept}, &struct{}{})
	var refused *ResponseError
	if errors.As(err, &refused) {
		for _, reason := range refused.all {
			if m := otherMajor.FindStringSubmatch(reason.Reason); m != nil {
				return m[1] + ".x", nil
			}
		}
		if hasNoHandler(refused) {
			err = nil
		}
	}
	return strconv.Itoa(newest) + ".x", err
}

// hasNoHandler recognizes the answer to a request that the server knows nothing
// of: of the security API where security is off.
func hasNoHandler(e *ResponseError) bool {
	return strings.Contains(e.Reason, "no handler found for uri") || strings.Contains(e.Reason, "Incorrect HTTP method for uri")
}

// A User is whom requests are sent as.
type User struct {
	Name   string
	APIKey string // its name; "" without an API key
	// SecurityOff tells that everybody may do everything, and is nobody.
	SecurityOff bool
}

// User asks whom the server takes the requests to be from.
func (c *Client) User(ctx context.Context) (User, error) {
	var answer struct {
		Username string                `json:"username"`
		APIKey   struct{ Name string } `json:"api_key"`
	}
	err := c.do(ctx, esapi.SecurityAuthenticateRequest{}, &answer)
	var refused *ResponseError
	if errors.As(err, &refused) && hasNoHandler(refused) {
		return User{SecurityOff: true}, nil
	}
	return User{Name: answer.Username, APIKey: answer.APIKey.Name}, err
}

// A Privilege is an index privilege on a name or pattern.
type Privilege struct{ Index, Name string }

// A PrivilegeError says that the user lacks a privilege.
type PrivilegeError struct{ Missing Privilege }

func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("the privilege %s on %s is missing", e.Missing.Name, e.Missing.Index)
}

// StatusCode is the HTTP status that Elasticsearch refuses with, where it does
// not act as if there were nothing.
func (e *PrivilegeError) StatusCode() int { return http.StatusForbidden }

// ReadOn gives the privilege to read each of the indices: not of those on
// another cluster, which cannot be asked for here, nor of what a pattern leaves
// out.
func ReadOn(indices []string) []Privilege {
	var wanted []Privilege
	for _, index := range indices {
		if !strings.Contains(index, ":") && !strings.HasPrefix(index, "-") {
			wanted = append(wanted, Privilege{index, "read"})
		}
	}
	return wanted
}

// orForbidden returns a *PrivilegeError in the place of an error that nothing
// was found, if it is because the user may read none of the indices: of those,
// patterns silently match nothing.
func (c *Client) orForbidden(ctx context.Context, indices []string, err error) error {
	wanted := ReadOn(indices)
	missing, askErr := c.MissingPrivileges(ctx, wanted)
	if askErr != nil || len(missing) < len(indices) {
		return err
	}
	return &PrivilegeError{Privilege{strings.Join(indices, ", "), "read"}}
}

// MissingPrivileges returns those that the user lacks, in the order asked for.
// A privilege on a pattern is missing unless it covers all that the pattern
// could match.
func (c *Client) MissingPrivileges(ctx context.Context, wanted []Privilege) ([]Privilege, error) {
	payload, err := json.Marshal(privilegesBody(wanted))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Index map[string]map[string]bool `json:"index"`
	}
	err = c.do(ctx, esapi.SecurityHasPrivilegesRequest{Body: bytes.NewReader(payload)}, &answer)
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
