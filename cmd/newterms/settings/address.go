package settings

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

var (
	errNoURL    = errors.New("is not a URL that begins with http:// or https://")
	errUserinfo = errors.New("holds a user or password")
)

// address parses the URL of a server. Its errors do not quote it, because it may hold a
// secret.
func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errNoURL
	case u.User != nil:
		return nil, errUserinfo
	}
	// Paths are appended to it.
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// cloudAddress parses a Cloud ID: a name, and the base64 of the host, the id of
// Elasticsearch there and the id of Kibana, with "$" between them.
//
// https://www.elastic.co/docs/deploy-manage/deploy/elastic-cloud/find-cloud-id
func cloudAddress(id string) (*url.URL, error) {
	errNoCloudID := errors.New("is no Cloud ID: copy it from the deployment's page, as name:dXMt…")
	_, encoded, ok := strings.Cut(id, ":")
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	parts := strings.Split(string(decoded), "$")
	if !ok || err != nil || len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return nil, errNoCloudID
	}
	host, port, found := strings.Cut(parts[0], ":")
	if !found {
		port = "443"
	}
	u, err := url.Parse("https://" + net.JoinHostPort(parts[1]+"."+host, port))
	if err != nil {
		return nil, errNoCloudID
	}
	return u, nil
}

// HasCluster reports whether a cluster is named.
func (s Settings) HasCluster() bool { return len(s.URLs) > 0 || s.CloudID != "" }

// addresses returns the URLs of the cluster. The error joins an *Error for each
// problem.
func (s Settings) addresses() ([]*url.URL, error) {
	switch {
	case s.CloudID != "" && len(s.URLs) > 0:
		return nil, Errorf("ELASTICSEARCH_URL and ELASTICSEARCH_CLOUD_ID are both set: keep one")
	case s.CloudID != "":
		u, err := cloudAddress(s.CloudID)
		if err != nil {
			return nil, Errorf("ELASTICSEARCH_CLOUD_ID %w", err)
		}
		return []*url.URL{u}, nil
	case len(s.URLs) == 0:
		return nil, Errorf("ELASTICSEARCH_URL is not set: set it to the address of the cluster, such as https://elasticsearch.example:9200, or set ELASTICSEARCH_CLOUD_ID")
	}
	var urls []*url.URL
	var problems []error
	for i, text := range s.URLs {
		u, err := address(text)
		if errors.Is(err, errUserinfo) {
			err = fmt.Errorf("%w: remove it and set ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD instead", err)
		}
		if cloud, cloudErr := cloudAddress(text); err != nil && cloudErr == nil {
			u, err = cloud, nil
		}
		if err != nil {
			problems = append(problems, Errorf("ELASTICSEARCH_URL: address %d %w", i+1, err))
			continue
		}
		urls = append(urls, u)
	}
	return urls, errors.Join(problems...)
}

// OktaAdmin returns the URL of Okta's admin console, "" if it is not set. Its error is
// an *Error.
func (s Settings) OktaAdmin() (string, error) {
	if s.OktaURL == "" {
		return "", nil
	}
	u, err := address(s.OktaURL)
	if err != nil {
		return "", Errorf("NEWTERMS_OKTA_URL %w", err)
	}
	return u.String(), nil
}

// kibana returns the URL of Kibana. Its error is an *Error.
func (s Settings) kibana() (*url.URL, error) {
	if s.KibanaURL == "" {
		return nil, Errorf("KIBANA_URL is not set: set it to the address of Kibana, such as https://kibana.example:5601")
	}
	u, err := address(s.KibanaURL)
	if errors.Is(err, errUserinfo) {
		err = fmt.Errorf("%w: remove it and set KIBANA_API_KEY instead", err)
	}
	if err != nil {
		return nil, Errorf("KIBANA_URL %w", err)
	}
	return u, nil
}
