package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/show"
	"newterms/deploy/kibana"
	"newterms/esquery/elastic"
	"newterms/job/notify"
)

const setupHelp = `installs index templates, dashboards and notifications

  newterms setup [FLAG]...

A second run changes nothing. With KIBANA_URL it can import dashboards,
and make three Kibana rules that notify through KIBANA_CONNECTOR_ID.

  newterms setup --dashboards
`

func (p program) setup(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	withDashboards := flags.Bool("dashboards", false, "import the dashboards to KIBANA_URL\ndefault: off; example: newterms setup --dashboards")
	withNotify := flags.Bool("notify", false, "make Kibana rules that notify of alerts and of failed runs\ndefault: off; example: newterms setup --notify")
	leastNovelty := flags.Uint("least-novelty", 0, "notify of no alert with less newterms.novelty\ndefault: 0, of all; example: --notify --least-novelty 1")
	if _, err := commandline.Parse(flags, args, 0); err != nil {
		return err
	}
	if *leastNovelty > 0 && !*withNotify {
		return failure.Usagef("setup: --least-novelty is about notifications: add --notify")
	}
	defer p.during("setup")()
	var objects []byte
	var installer notify.Installer
	var connector kibana.Connector
	var err error
	if *withDashboards { // like --notify it may fail, so before any change
		if objects, err = p.dashboards(); err != nil {
			return err
		}
	}
	if *withNotify {
		if installer, err = p.installer(); err == nil {
			connector, err = installer.Check(ctx, p.settings.ConnectorID, p.settings.ConnectorTo)
		}
		if err != nil {
			return fmt.Errorf("setup: notify: %w", err)
		}
	}
	client, err := p.connect()
	if err != nil {
		return err
	}
	if _, err := elastic.ServerVersion(ctx, client); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	installed, err := p.store(client).Setup(ctx, version())
	for _, i := range installed {
		p.print(show.Installed(i))
		if i.Lacking != nil {
			p.log.Info(failure.Line(i.Lacking))
		}
		for _, pipeline := range i.Pipelines {
			p.log.Warn(failure.Line(pipeline), failure.Attrs(pipeline)...)
		}
	}
	if err != nil {
		return asCommandError("setup", err)
	}
	if *withDashboards {
		if err := p.importDashboards(ctx, objects); err != nil {
			return err
		}
	}
	if *withNotify {
		made := func(o kibana.Outcome) { p.print(show.KibanaRule(o, installer.Space.Name, connector.ID) + "\n") }
		if err := installer.Install(ctx, connector, *leastNovelty, made); err != nil {
			return fmt.Errorf("setup: %w", err)
		}
	}
	return nil
}

// dashboards returns what importDashboards sends. It reads only the settings and the
// rules.
func (p program) dashboards() ([]byte, error) {
	_, spaceErr := p.settings.Space()
	okta, oktaErr := p.settings.OktaAdmin()
	rules, rulesErr := p.loadRules(nil, nil, p.settings.MissingTerms)
	if err := errors.Join(spaceErr, oktaErr, rulesErr); err != nil {
		return nil, err
	}
	s := kibana.Settings{AlertsTarget: p.settings.AlertsTarget, RunsTarget: p.settings.RunsTarget, OktaAdmin: okta}
	for _, r := range rules {
		if note, ok := r.Parameters["note"].(string); ok {
			s.Notes = append(s.Notes, kibana.Note{Rule: r.Name, Text: note})
		}
	}
	return kibana.Objects(s)
}

func (p program) importDashboards(ctx context.Context, objects []byte) error {
	space, err := p.settings.Space()
	if err != nil {
		return err
	}
	imported, err := space.Import(ctx, objects)
	if err != nil {
		return fmt.Errorf("setup: import dashboards to space %s of %s: %w", space.Name, space.URL.Host, &kibana.RequestError{Err: err, Needs: "Saved Objects Management: All"})
	}
	return p.print(fmt.Sprintf("imported %d Kibana objects to space %s: dashboards New-term alerts, Triage and Job health\n", imported, space.Name))
}

// installer returns what makes the Kibana rules. Its error is about settings.
func (p program) installer() (notify.Installer, error) {
	space, err := p.settings.Space()
	if err == nil && p.settings.ConnectorID == "" {
		err = settings.Errorf("KIBANA_CONNECTOR_ID is not set: set it to the id of the connector that notifies you")
	}
	if err != nil {
		return notify.Installer{}, err
	}
	client, err := p.connectAs(p.settings.KibanaCredentials())
	return notify.Installer{Space: space, Client: client, AlertsTarget: p.settings.AlertsTarget, RunsTarget: p.settings.RunsTarget}, err
}
