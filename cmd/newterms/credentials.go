package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// credentials are an API key, or a user and password, or nothing.
type credentials struct{ apiKey, username, password string }

// credentials reads the secrets, from their files if those are set. Its error
// joins a configError for each problem, without any secret.
func (s settings) credentials() (credentials, error) {
	apiKey, keyErr := secret("ELASTICSEARCH_API_KEY", s.APIKey, s.APIKeyFile)
	if keyErr == nil {
		apiKey, keyErr = encodedKey("ELASTICSEARCH_API_KEY", apiKey)
	}
	password, passwordErr := secret("ELASTICSEARCH_PASSWORD", s.Password, s.PasswordFile)
	problems := []error{keyErr, passwordErr}
	hasKey, hasPassword := s.APIKey+s.APIKeyFile != "", s.Password+s.PasswordFile != ""
	switch {
	case hasKey && (s.Username != "" || hasPassword):
		problems = append(problems, configError{errors.New("both an API key (ELASTICSEARCH_API_KEY) and a user (ELASTICSEARCH_USERNAME, ELASTICSEARCH_PASSWORD) are set: keep one")})
	case (s.Username != "") != hasPassword:
		problems = append(problems, configError{errors.New("of ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD only one is set: set both")})
	}
	return credentials{apiKey, s.Username, password}, errors.Join(problems...)
}

// secret is a variable's value or what is in the file that name_FILE names,
// without spaces around it; "" if neither is set.
func secret(name, value, path string) (string, error) {
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", configError{fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)}
	}
	text, err := os.ReadFile(path)
	trimmed := strings.TrimSpace(string(text))
	if err == nil && trimmed == "" {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		return "", configError{fmt.Errorf("%s_FILE: %w", name, err)}
	}
	return trimmed, nil
}

// encodedKey takes an API key in each form in which people copy it, as far as
// that is unambiguous, and returns it encoded: the base64 of id:api_key, which
// Elasticsearch returns as "encoded". "" stays "".
func encodedKey(name, text string) (string, error) {
	key := strings.Trim(text, "\"'` \t\r\n")
	if prefix, rest, ok := strings.Cut(key, " "); ok && strings.EqualFold(prefix, "ApiKey") {
		key = strings.TrimSpace(rest)
	}
	if key == "" {
		return "", nil
	}
	if isKeyPair(key) {
		return base64.StdEncoding.EncodeToString([]byte(key)), nil
	}
	for encoded := key; ; {
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		switch {
		case err != nil:
			return "", configError{fmt.Errorf("%s is no API key: set it to what Elasticsearch returned as `encoded`, or to id:api_key", name)}
		case isKeyPair(string(decoded)):
			return encoded, nil
		}
		encoded = string(decoded) // encoded twice, by a Secret's data for example
	}
}

// isKeyPair reports whether a text is id:api_key.
func isKeyPair(text string) bool {
	id, key, ok := strings.Cut(text, ":")
	printable := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	}
	return ok && printable(id) && printable(key)
}

// kibanaCredentials are those of Elasticsearch, which Kibana takes as well, if
// there are none for Kibana.
func (s settings) kibanaCredentials() (credentials, error) {
	if s.KibanaAPIKey != "" {
		key, err := encodedKey("KIBANA_API_KEY", s.KibanaAPIKey)
		return credentials{apiKey: key}, err
	}
	return s.credentials()
}

func (c credentials) authorize(request *http.Request) {
	switch {
	case c.apiKey != "":
		request.Header.Set("Authorization", "ApiKey "+c.apiKey)
	case c.username != "":
		request.SetBasicAuth(c.username, c.password)
	}
}

var (
	errNoURL    = errors.New("is not a URL that begins with http:// or https://")
	errUserinfo = errors.New("holds a user or password")
)

// address reads the URL of a server. Its errors do not quote it: it may hold a
// secret.
func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errNoURL
	case u.User != nil:
		return nil, errUserinfo
	}
	// Paths are put behind it.
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// cloudAddress reads a Cloud ID: a name, and the base64 of the host, the id of
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

// addresses are the URLs of the cluster. The error joins a configError for each
// problem.
func (s settings) addresses() ([]*url.URL, error) {
	switch {
	case s.CloudID != "" && len(s.URLs) > 0:
		return nil, configError{errors.New("ELASTICSEARCH_URL and ELASTICSEARCH_CLOUD_ID are both set: keep one")}
	case s.CloudID != "":
		u, err := cloudAddress(s.CloudID)
		if err != nil {
			return nil, configError{fmt.Errorf("ELASTICSEARCH_CLOUD_ID %w", err)}
		}
		return []*url.URL{u}, nil
	case len(s.URLs) == 0:
		return nil, configError{errors.New("ELASTICSEARCH_URL is not set: set it to the address of the cluster, such as https://elasticsearch.example:9200, or set ELASTICSEARCH_CLOUD_ID")}
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
			problems = append(problems, configError{fmt.Errorf("ELASTICSEARCH_URL: address %d %w", i+1, err)})
			continue
		}
		urls = append(urls, u)
	}
	return urls, errors.Join(problems...)
}

// oktaAdmin is the URL of Okta's admin console, "" if it is not set. Its error is
// a configError.
func (s settings) oktaAdmin() (string, error) {
	if s.OktaURL == "" {
		return "", nil
	}
	u, err := address(s.OktaURL)
	if err != nil {
		return "", configError{fmt.Errorf("NEWTERMS_OKTA_URL %w", err)}
	}
	return u.String(), nil
}

// kibana is the URL of Kibana. Its error is a configError.
func (s settings) kibana() (*url.URL, error) {
	if s.KibanaURL == "" {
		return nil, configError{errors.New("KIBANA_URL is not set: set it to the address of Kibana, such as https://kibana.example:5601")}
	}
	u, err := address(s.KibanaURL)
	if errors.Is(err, errUserinfo) {
		err = fmt.Errorf("%w: remove it and set KIBANA_API_KEY instead", err)
	}
	if err != nil {
		return nil, configError{fmt.Errorf("KIBANA_URL %w", err)}
	}
	return u, nil
}
