package settings

import (
	"errors"
	"net/http"
	"time"

	"newterms/deploy/kibana"
)

// Space returns the Kibana space, for requests with the credentials. Its error joins an
// *Error for each problem.
func (s Settings) Space() (kibana.Space, error) {
	base, urlErr := s.kibana()
	credentials, credentialsErr := s.KibanaCredentials()
	transport, transportErr := transport("KIBANA_CA", s.KibanaCA, s.KibanaServer)
	if err := errors.Join(urlErr, credentialsErr, transportErr); err != nil {
		return kibana.Space{}, err
	}
	client := &http.Client{
		Transport: transport, Timeout: time.Duration(s.RequestTimeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return kibana.Space{URL: base, Name: s.KibanaSpace, Do: func(request *http.Request) (*http.Response, error) {
		credentials.authorize(request)
		return client.Do(request)
	}}, nil
}

// AlertURL returns a function that returns the address of an alert on the dashboard; nil
// without a KIBANA_URL. Its error is an *Error.
func (s Settings) AlertURL() (func(id string, firstSeen time.Time) string, error) {
	if s.KibanaURL == "" {
		return nil, nil
	}
	base, err := s.kibana()
	if err != nil {
		return nil, err
	}
	return kibana.Space{URL: base, Name: s.KibanaSpace}.AlertURL, nil
}
