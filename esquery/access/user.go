package access

import (
	"context"
	"fmt"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

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
	if elastic.HasNoHandler(err) {
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
