package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"newterms/deploy/kibana"
)

// importDashboards puts the dashboards into Kibana. Connecting to Elasticsearch
// has read the files of the secrets before.
func (p program) importDashboards(ctx context.Context) error {
	base, err := p.settings.kibana()
	if err != nil {
		return err
	}
	objects, err := kibana.Objects(p.settings.AlertsTarget, p.settings.RunsTarget)
	if err != nil {
		return err
	}
	transport, err := httpTransport("KIBANA_CA", p.settings.KibanaCA, x509.NewCertPool())
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport, Timeout: time.Duration(p.settings.RequestTimeout)}
	do := func(request *http.Request) (*http.Response, error) {
		p.settings.authorizeKibana(request)
		return client.Do(request)
	}
	imported, err := kibana.Import(ctx, do, base, p.settings.KibanaSpace, objects)
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		err = configError{fmt.Errorf("the server's certificate is not trusted: %w: check the host name in KIBANA_URL, and set KIBANA_CA to the certificate of its authority", err)}
	}
	if err != nil {
		return fmt.Errorf("setup: import dashboards to space %s of %s: %w", p.settings.KibanaSpace, base.Host, err)
	}
	_, err = fmt.Fprintf(p.stdout, "imported %d Kibana objects to space %s: dashboards New-term alerts and Job health\n", imported, p.settings.KibanaSpace)
	return err
}

// authorizeKibana takes the credentials of Elasticsearch, which Kibana knows as
// well, if there are none for Kibana.
func (s *settings) authorizeKibana(request *http.Request) {
	switch {
	case s.KibanaAPIKey != "":
		request.Header.Set("Authorization", "ApiKey "+s.KibanaAPIKey)
	case s.APIKey != "":
		request.Header.Set("Authorization", "ApiKey "+s.APIKey)
	case s.Username != "":
		request.SetBasicAuth(s.Username, s.Password)
	}
}
