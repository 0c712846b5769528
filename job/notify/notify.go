// Package notify makes the Kibana rules that notify of alerts and of failed runs.
package notify

import (
	"context"
	"fmt"
	"time"

	"newterms/deploy/kibana"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// needs lists Kibana's privileges for these rules.
const needs = "Stack Rules: All, and Actions and Connectors: Read,"

// An Installer makes the rules in a space.
type Installer struct {
	Space                    kibana.Space
	Client                   *elastic.Client // with the credentials for Kibana
	AlertsTarget, RunsTarget string
}

// An ExpiringKeyError reports that the rules would run with an API key that expires.
type ExpiringKeyError struct {
	User access.User
	Ends time.Time
}

func (e *ExpiringKeyError) Error() string {
	return fmt.Sprintf("the %s expires at %s, and the rules would stop with it", e.User, e.Ends.Format(time.RFC3339))
}

func (e *ExpiringKeyError) Advice() string {
	return "set KIBANA_API_KEY to a key that does not (deploy/elasticsearch/notify.json)"
}

// Check looks up the connector with an id. to is for an e-mail connector: the addresses.
// It changes nothing. Its error says why the rules could not be made, or would stop
// later. A Kibana rule runs with the API key that installs it, or with one of the
// installing user. It has their privileges, and stops when the key expires.
func (i Installer) Check(ctx context.Context, id string, to []string) (kibana.Connector, error) {
	if err := i.checkUser(ctx); err != nil {
		return kibana.Connector{}, err
	}
	connector, err := i.Space.Connector(ctx, id, to)
	if err != nil {
		return connector, fmt.Errorf("look up the connector in space %s of %s: %w", i.Space.Name, i.Space.URL.Host, &kibana.RequestError{Err: err, Needs: needs})
	}
	return connector, nil
}

// checkUser asks Elasticsearch whether the credentials expire, and which privileges they
// have.
func (i Installer) checkUser(ctx context.Context) error {
	user, err := access.CurrentUser(ctx, i.Client)
	if err != nil {
		return fmt.Errorf("ask who installs the rules: %w", err)
	}
	if user.SecurityOff {
		return nil
	}
	ends, err := access.KeyEnds(ctx, i.Client, user)
	if err != nil {
		return err
	}
	if !ends.IsZero() {
		return &ExpiringKeyError{user, ends}
	}
	missing, err := access.MissingPrivileges(ctx, i.Client, []access.Privilege{{Index: i.AlertsTarget, Name: "read"}, {Index: i.RunsTarget, Name: "read"}})
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("the rules would run as %s: %w", user, &access.PrivilegeError{Missing: missing[0]})
	}
	return nil
}

// Install makes or updates the rules, which leave out alerts with less novelty. It calls
// installed for each.
func (i Installer) Install(ctx context.Context, connector kibana.Connector, leastNovelty uint, installed func(kibana.Outcome)) error {
	notifiers, err := i.Space.Notifiers(i.AlertsTarget, i.RunsTarget, leastNovelty, connector)
	if err != nil {
		return err
	}
	for _, n := range notifiers {
		outcome, err := i.Space.Install(ctx, n)
		if err != nil {
			return fmt.Errorf("notify from space %s of %s: %w", i.Space.Name, i.Space.URL.Host, &kibana.RequestError{Err: err, Needs: needs})
		}
		installed(outcome)
	}
	return nil
}
