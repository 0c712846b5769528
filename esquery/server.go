package esquery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// ServerVersion is the server's version, in full if the user has the cluster
// privilege monitor and otherwise the major one, like "8.x". Besides the errors
// of a request it returns an *elastic.VersionError.
func ServerVersion(ctx context.Context, c *elastic.Client) (string, error) {
	var answer struct {
		Version struct{ Number string }
	}
	err := c.Do(ctx, esapi.InfoRequest{}, &answer)
	var refused *elastic.ResponseError
	switch {
	case errors.As(err, &refused) && (refused.Status == http.StatusForbidden || refused.HasNoHandler()):
		if answer.Version.Number, err = majorVersion(ctx, c); err != nil {
			return "", err
		}
		if err := knowsDataStreams(ctx, c); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	}
	if !isSupported(answer.Version.Number) {
		return "", &elastic.VersionError{Version: answer.Version.Number}
	}
	return answer.Version.Number, nil
}

// isSupported reports whether a version is 8.13 or later, or 9.x. Of a minor one
// that is not known the best is assumed.
func isSupported(version string) bool {
	parts := strings.Split(version, ".")
	switch parts[0] {
	case "9":
		return true
	case "8":
		minor, err := strconv.Atoi(parts[min(1, len(parts)-1)])
		return err != nil || len(parts) == 1 || minor >= 13
	}
	return false
}

// knowsDataStreams asks for nothing to be written, in a way that 8.13 was the first
// to understand, and needs no privilege for that. It returns an
// *elastic.VersionError if the server does not.
func knowsDataStreams(ctx context.Context, c *elastic.Client) error {
	yes := true
	err := c.Do(ctx, esapi.BulkRequest{Body: strings.NewReader("\n"), RequireDataStream: &yes}, &struct{}{})
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.Says("require_data_stream") {
		return &elastic.VersionError{Version: "8.12 or earlier"}
	}
	return nil // it says that there is nothing to write
}

// otherMajor finds the newest version that the server says it can talk as.
var otherMajor = regexp.MustCompile(`version must be either version (\d+)`)

// majorVersion needs no privilege: a server refuses to answer in the format of
// a version newer than its own, and names its own.
//
// https://www.elastic.co/docs/reference/elasticsearch/rest-apis/compatibility
func majorVersion(ctx context.Context, c *elastic.Client) (string, error) {
	const newest = 9
	accept := http.Header{"Accept": {fmt.Sprintf("application/vnd.elasticsearch+json;compatible-with=%d", newest)}}
	err := c.Do(ctx, esapi.SecurityAuthenticateRequest{Header: accept}, &struct{}{})
	var refused *elastic.ResponseError
	if errors.As(err, &refused) {
		for cause := range refused.All() {
			if m := otherMajor.FindStringSubmatch(cause.Reason); m != nil {
				return m[1] + ".x", nil
			}
		}
		if refused.HasNoHandler() {
			err = nil
		}
	}
	return strconv.Itoa(newest) + ".x", err
}

// A User is who sends the requests, as the server sees it.
type User struct {
	Name   string
	APIKey string // its name; "" without an API key
	keyID  string
	// SecurityOff is set where nobody has a name, because everybody may do
	// everything.
	SecurityOff bool
}

// String is the user's name, with the name of the API key if there is one: a
// key may be in more hands than its owner's.
func (u User) String() string {
	if u.APIKey != "" {
		return "API key " + u.APIKey + " of " + u.Name
	}
	return u.Name
}

// CurrentUser asks the server who sends the requests.
func CurrentUser(ctx context.Context, c *elastic.Client) (User, error) {
	var answer struct {
		Username string                    `json:"username"`
		APIKey   struct{ ID, Name string } `json:"api_key"`
	}
	err := c.Do(ctx, esapi.SecurityAuthenticateRequest{}, &answer)
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.HasNoHandler() {
		return User{SecurityOff: true}, nil
	}
	return User{Name: answer.Username, APIKey: answer.APIKey.Name, keyID: answer.APIKey.ID}, err
}

// KeyEnds tells when the API key that sends the requests expires, zero if it does
// not or if there is none. A key may ask this of itself without any privilege.
func KeyEnds(ctx context.Context, c *elastic.Client, u User) (time.Time, error) {
	if u.keyID == "" {
		return time.Time{}, nil
	}
	var answer struct {
		Keys []struct {
			Expiration int64 `json:"expiration"` // milliseconds
		} `json:"api_keys"`
	}
	if err := c.Do(ctx, esapi.SecurityGetAPIKeyRequest{ID: u.keyID}, &answer); err != nil {
		return time.Time{}, fmt.Errorf("ask when the API key expires: %w", err)
	}
	if len(answer.Keys) != 1 {
		return time.Time{}, fmt.Errorf("%w: it tells of %d API keys", elastic.ErrIncomplete, len(answer.Keys))
	}
	if answer.Keys[0].Expiration == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(answer.Keys[0].Expiration).UTC(), nil
}
