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

// ServerVersion returns the server's version: in full if the user has the cluster
// privilege monitor, and otherwise the major version, like "8.x". It returns an
// *elastic.VersionError or the error of a request.
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

// isSupported reports whether a version is 8.13 or later, or 9.x. An unknown minor
// version counts as supported.
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

// knowsDataStreams sends a request that writes nothing, and that 8.13 was the first
// version to accept. It needs no privilege. It returns an *elastic.VersionError if the
// server is older.
func knowsDataStreams(ctx context.Context, c *elastic.Client) error {
	yes := true
	err := c.Do(ctx, esapi.BulkRequest{Body: strings.NewReader("\n"), RequireDataStream: &yes}, &struct{}{})
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.Says("require_data_stream") {
		return &elastic.VersionError{Version: "8.12 or earlier"}
	}
	return nil // the server complains that there is nothing to write
}

// otherMajor matches the newest version whose format the server accepts.
var otherMajor = regexp.MustCompile(`version must be either version (\d+)`)

// majorVersion needs no privilege: a server refuses to answer in the format of a newer
// version, and names its own.
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

// A User is the sender of the requests, as the server reports it.
type User struct {
	Name   string
	APIKey string // its name; "" without an API key
	keyID  string
	// SecurityOff reports that security is off: nobody has a name, and everybody may do
	// everything.
	SecurityOff bool
}

// String returns the user's name and that of the API key, if there is one: others than
// its owner may have the key.
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

// KeyEnds returns when the API key that sends the requests expires, zero if it does not
// or if there is none. A key needs no privilege for this.
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
		return time.Time{}, fmt.Errorf("%w: it has %d API keys", elastic.ErrIncomplete, len(answer.Keys))
	}
	if answer.Keys[0].Expiration == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(answer.Keys[0].Expiration).UTC(), nil
}
