package main

import (
	"errors"
	"fmt"
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

// kibanaCredentials are those of Elasticsearch, which Kibana takes as well, if
// there are none for Kibana.
func (s settings) kibanaCredentials() (credentials, error) {
	if s.KibanaAPIKey != "" {
		return credentials{apiKey: s.KibanaAPIKey}, nil
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
	return u, nil
}

// addresses are the URLs of the cluster. The error joins a configError for each
// problem.
func (s settings) addresses() ([]*url.URL, error) {
	if len(s.URLs) == 0 {
		return nil, configError{errors.New("ELASTICSEARCH_URL is not set: set it to the address of the cluster, such as https://elasticsearch.example:9200")}
	}
	var urls []*url.URL
	var problems []error
	for i, text := range s.URLs {
		u, err := address(text)
		if errors.Is(err, errUserinfo) {
			err = fmt.Errorf("%w: remove it and set ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD instead", err)
		}
		if err != nil {
			problems = append(problems, configError{fmt.Errorf("ELASTICSEARCH_URL: address %d %w", i+1, err)})
			continue
		}
		urls = append(urls, u)
	}
	return urls, errors.Join(problems...)
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
