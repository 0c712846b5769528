package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"newterms/alerts/alert"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/terminal"
	"newterms/deploy/kibana"
)

// space returns the Kibana space of the settings. Its error is about settings.
func (p program) space() (kibana.Space, error) {
	base, urlErr := p.settings.Kibana()
	credentials, credentialsErr := p.settings.KibanaCredentials()
	transport, transportErr := settings.Transport("KIBANA_CA", p.settings.KibanaCA)
	if err := errors.Join(urlErr, credentialsErr, transportErr); err != nil {
		return kibana.Space{}, err
	}
	client := &http.Client{
		Transport: transport, Timeout: time.Duration(p.settings.RequestTimeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return kibana.Space{URL: base, Name: p.settings.KibanaSpace, Do: func(request *http.Request) (*http.Response, error) {
		credentials.Authorize(request)
		return client.Do(request)
	}}, nil
}

// alertLink returns a function that links an alert to the dashboard; nil without a
// KIBANA_URL. A wrong one only warns: it must not keep alerts from being written.
func (p program) alertLink() func(alert.Key) string {
	if p.settings.KibanaURL == "" {
		return nil
	}
	base, err := p.settings.Kibana()
	if err != nil {
		p.log.Warn("alerts have no link: " + failure.Line(err))
		return nil
	}
	space := kibana.Space{URL: base, Name: p.settings.KibanaSpace}
	return func(k alert.Key) string { return space.AlertURL(k.ID, k.FirstSeen) }
}

// dashboards returns what importDashboards sends. It reads only the settings and the
// rules.
func (p program) dashboards() ([]byte, error) {
	_, spaceErr := p.space()
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
	space, err := p.space()
	if err != nil {
		return err
	}
	imported, err := space.Import(ctx, objects)
	if err != nil {
		return fmt.Errorf("setup: import dashboards to space %s of %s: %w", space.Name, space.URL.Host, &kibana.RequestError{Err: err, Needs: "Saved Objects Management: All"})
	}
	_, err = fmt.Fprintf(terminal.Fitting(p.stdout), "imported %d Kibana objects to space %s: dashboards New-term alerts, Triage and Job health\n", imported, space.Name)
	return err
}
