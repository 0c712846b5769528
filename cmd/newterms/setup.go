package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"newterms/alerts/templates"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/terminal"
	"newterms/deploy/kibana"
	"newterms/esquery/elastic"
)

const setupHelp = `installs index templates, dashboards and notifications

  newterms setup [FLAG]...

Run a second time, it changes nothing. With KIBANA_URL it can import dashboards,
and make two Kibana rules that notify through KIBANA_CONNECTOR_ID.

  newterms setup --dashboards
`

func (p program) setup(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	dashboards := flags.Bool("dashboards", false, "import the dashboards to KIBANA_URL\ndefault: off; example: newterms setup --dashboards")
	notify := flags.Bool("notify", false, "make Kibana rules that notify of alerts and of failed runs\ndefault: off; example: newterms setup --notify")
	if _, err := commandline.Parse(flags, args, 0); err != nil {
		return err
	}
	defer p.during("setup")()
	var objects []byte
	var connector kibana.Connector
	var err error
	if *dashboards { // as with notify, before anything is changed
		if objects, err = p.dashboards(); err != nil {
			return err
		}
	}
	if *notify {
		if connector, err = p.checkNotify(ctx); err != nil {
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
	installed, err := p.store(client).Setup(ctx)
	for _, i := range installed {
		p.sayInstalled(i)
	}
	if err != nil {
		var failures []error
		for _, cause := range failure.Causes(err) {
			failures = append(failures, fmt.Errorf("setup: %w", cause))
		}
		return errors.Join(failures...)
	}
	if *dashboards {
		if err := p.importDashboards(ctx, objects); err != nil {
			return err
		}
	}
	if *notify {
		return p.installNotifiers(ctx, connector)
	}
	return nil
}

func (p program) sayInstalled(i templates.Installed) {
	did := map[templates.State]string{
		templates.Missing: "installed", templates.Outdated: "updated", templates.Current: "unchanged",
	}[i.Was]
	fmt.Fprintf(terminal.Fitting(p.stdout), "%s index template %s for %s\n", did, i.Template, i.Target)
	switch {
	case i.Lacking != nil:
		p.log.Info(failure.Line(i.Lacking))
	case i.Created:
		fmt.Fprintf(terminal.Fitting(p.stdout), "created data stream %s\n", i.Target)
	}
	for _, pipeline := range i.Pipelines {
		p.log.Warn(fmt.Sprintf("each document of %s goes through the ingest pipeline %s (%s): %s", i.Target, pipeline.Name, pipeline.Setting, templates.PipelineAdvice), "target", i.Target)
	}
}
