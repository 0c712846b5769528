package main

import (
	"context"
	"fmt"
	"time"

	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/terminal"
	"newterms/deploy/kibana"
	"newterms/esquery/access"
)

// notifyNeeds lists Kibana's privileges for the rules that notify.
const notifyNeeds = "Stack Rules: All, and Actions and Connectors: Read,"

// checkNotify finds out whether installNotifiers would work and keep working; it
// changes nothing. A Kibana rule runs with the API key that installs it, or with one of
// the installing user. It has their privileges, and stops when the key expires.
func (p program) checkNotify(ctx context.Context) (kibana.Connector, error) {
	space, err := p.space()
	if err == nil && p.settings.ConnectorID == "" {
		err = settings.Errorf("KIBANA_CONNECTOR_ID is not set: set it to the id of the connector that is to tell you")
	}
	if err != nil {
		return kibana.Connector{}, err
	}
	if err := p.checkNotifyKey(ctx); err != nil {
		return kibana.Connector{}, err
	}
	connector, err := space.Connector(ctx, p.settings.ConnectorID, p.settings.ConnectorTo)
	if err != nil {
		return connector, fmt.Errorf("look up the connector in space %s of %s: %w", space.Name, space.URL.Host, &kibana.RequestError{Err: err, Needs: notifyNeeds})
	}
	return connector, nil
}

// checkNotifyKey asks Elasticsearch whether the credentials for Kibana expire, and
// which privileges they have.
func (p program) checkNotifyKey(ctx context.Context) error {
	client, err := p.connectAs(p.settings.KibanaCredentials())
	if err != nil {
		return err
	}
	user, err := access.CurrentUser(ctx, client)
	if err != nil {
		return fmt.Errorf("ask who installs the rules: %w", err)
	}
	if user.SecurityOff {
		return nil
	}
	ends, err := access.KeyEnds(ctx, client, user)
	if err != nil {
		return err
	}
	if !ends.IsZero() {
		return settings.Errorf("the %s expires at %s, and the rules would stop with it: set KIBANA_API_KEY to a key that does not (deploy/elasticsearch/notify.json)",
			user, ends.Format(time.RFC3339))
	}
	missing, err := access.MissingPrivileges(ctx, client, []access.Privilege{{Index: p.settings.AlertsTarget, Name: "read"}, {Index: p.settings.RunsTarget, Name: "read"}})
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("the rules would run as %s: %w", user, &access.PrivilegeError{Missing: missing[0]})
	}
	return nil
}

func (p program) installNotifiers(ctx context.Context, connector kibana.Connector) error {
	space, err := p.space()
	if err != nil {
		return err
	}
	notifiers, err := space.Notifiers(p.settings.AlertsTarget, p.settings.RunsTarget, connector)
	if err != nil {
		return err
	}
	for _, n := range notifiers {
		o, err := space.Install(ctx, n)
		if err != nil {
			return fmt.Errorf("setup: notify from space %s of %s: %w", space.Name, space.URL.Host, &kibana.RequestError{Err: err, Needs: notifyNeeds})
		}
		how := ""
		if o.How != "" {
			how = " (" + o.How + ")"
		}
		fmt.Fprintf(terminal.Fitting(p.stdout), "%s Kibana rule %q%s in space %s, which notifies through %s\n", o.Did, o.Name, how, space.Name, connector.ID)
	}
	return nil
}
