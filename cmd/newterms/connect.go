package main

import (
	"errors"

	"newterms/cmd/newterms/settings"
	"newterms/esquery/elastic"
)

// connect makes the client for all requests to Elasticsearch. It sends nothing.
func (p program) connect() (*elastic.Client, error) { return p.connectAs(p.settings.Credentials()) }

// connectAs is connect with the given credentials, or returns their error.
func (p program) connectAs(credentials settings.Credentials, credentialsErr error) (*elastic.Client, error) {
	client, err := p.settings.Connect(credentials, "newterms/"+version(), elastic.Options{Retry: p.retry, Log: p.log})
	if err := errors.Join(err, credentialsErr); err != nil {
		return nil, err
	}
	return client, nil
}
