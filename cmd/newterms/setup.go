package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"time"

	"newterms/alerts"
	"newterms/deploy/kibana"
	"newterms/esquery"
)

func (p program) setup(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	dashboards := flags.Bool("dashboards", false, "")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if *dashboards { // before anything is changed
		if _, err := p.settings.kibana(); err != nil {
			return err
		}
	}
	client, err := p.connect()
	if err != nil {
		return err
	}
	if _, err := esquery.ServerVersion(ctx, client); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	installed, err := alerts.NewStore(client, p.settings.AlertsTarget, p.settings.RunsTarget).Setup(ctx)
	for _, i := range installed {
		p.sayInstalled(i)
	}
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	if *dashboards {
		return p.importDashboards(ctx)
	}
	return nil
}

func (p program) sayInstalled(i alerts.Installed) {
	did := map[alerts.TemplateState]string{
		alerts.TemplateMissing: "installed", alerts.TemplateOutdated: "updated", alerts.TemplateCurrent: "unchanged",
	}[i.Was]
	fmt.Fprintf(forPeople{p.stdout}, "%s index template %s for %s\n", did, i.Template, i.Target)
	switch {
	case i.Lacking != nil:
		p.log.Warn(withAdvice(i.Lacking))
	case i.Created:
		fmt.Fprintf(forPeople{p.stdout}, "created data stream %s\n", i.Target)
	}
}

// A kibanaError comes from Kibana, or says why there is no answer from there.
type kibanaError struct{ error }

func (e kibanaError) Unwrap() error { return e.error }

func (p program) importDashboards(ctx context.Context) error {
	base, err := p.settings.kibana()
	if err != nil {
		return err
	}
	objects, err := kibana.Objects(p.settings.AlertsTarget, p.settings.RunsTarget)
	if err != nil {
		return err
	}
	transport, err := httpTransport("KIBANA_CA", p.settings.KibanaCA)
	if err != nil {
		return err
	}
	credentials, err := p.settings.kibanaCredentials()
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport, Timeout: time.Duration(p.settings.RequestTimeout)}
	do := func(request *http.Request) (*http.Response, error) {
		credentials.authorize(request)
		return client.Do(request)
	}
	imported, err := kibana.Import(ctx, do, base, p.settings.KibanaSpace, objects)
	if err != nil {
		return fmt.Errorf("setup: import dashboards to space %s of %s: %w", p.settings.KibanaSpace, base.Host, kibanaError{err})
	}
	_, err = fmt.Fprintf(forPeople{p.stdout}, "imported %d Kibana objects to space %s: dashboards New-term alerts and Job health\n", imported, p.settings.KibanaSpace)
	return err
}
