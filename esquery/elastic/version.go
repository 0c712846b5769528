package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// ServerVersion returns the server's version: in full if the user has the cluster
// privilege monitor, and otherwise the major version, like "8.x". It returns an
// *VersionError or the error of a request.
func ServerVersion(ctx context.Context, c *Client) (string, error) {
	var answer struct {
		Version struct{ Number string }
	}
	err := c.Do(ctx, esapi.InfoRequest{}, &answer)
	switch {
	case HasStatus(err, http.StatusForbidden) || HasNoHandler(err):
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
		return "", &VersionError{Version: answer.Version.Number}
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
// version to accept. It needs no privilege. It returns an *VersionError if the
// server is older.
func knowsDataStreams(ctx context.Context, c *Client) error {
	yes := true
	err := c.Do(ctx, esapi.BulkRequest{Body: strings.NewReader("\n"), RequireDataStream: &yes}, &struct{}{})
	if Says(err, "require_data_stream") {
		return &VersionError{Version: "8.12 or earlier"}
	}
	return nil // the server complains that there is nothing to write
}

// otherMajor matches the newest version whose format the server accepts.
var otherMajor = regexp.MustCompile(`version must be either version (\d+)`)

// majorVersion needs no privilege: a server refuses to answer in the format of a newer
// version, and names its own.
//
// https://www.co/docs/reference/elasticsearch/rest-apis/compatibility
func majorVersion(ctx context.Context, c *Client) (string, error) {
	const newest = 9
	accept := http.Header{"Accept": {fmt.Sprintf("application/vnd.elasticsearch+json;compatible-with=%d", newest)}}
	err := c.Do(ctx, esapi.SecurityAuthenticateRequest{Header: accept}, &struct{}{})
	if refused, ok := errors.AsType[*ResponseError](err); ok {
		for cause := range refused.All() {
			if m := otherMajor.FindStringSubmatch(cause.Reason); m != nil {
				return m[1] + ".x", nil
			}
		}
	}
	if HasNoHandler(err) {
		err = nil
	}
	return strconv.Itoa(newest) + ".x", err
}
