package settings

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Credentials hold an API key, or a user and password, or nothing.
type Credentials struct{ APIKey, Username, Password string }

// Credentials returns the secrets, read from their files if those are set. Its error
// joins an *Error for each problem, without any secret.
func (s Settings) Credentials() (Credentials, error) {
	apiKey, keyErr := secret("ELASTICSEARCH_API_KEY", s.APIKey, s.APIKeyFile)
	if keyErr == nil {
		apiKey, keyErr = encodedKey("ELASTICSEARCH_API_KEY", apiKey)
	}
	password, passwordErr := secret("ELASTICSEARCH_PASSWORD", s.Password, s.PasswordFile)
	problems := []error{keyErr, passwordErr}
	hasKey, hasPassword := s.APIKey+s.APIKeyFile != "", s.Password+s.PasswordFile != ""
	switch {
	case hasKey && (s.Username != "" || hasPassword):
		problems = append(problems, Errorf("both an API key (ELASTICSEARCH_API_KEY) and a user (ELASTICSEARCH_USERNAME, ELASTICSEARCH_PASSWORD) are set: keep one"))
	case (s.Username != "") != hasPassword:
		problems = append(problems, Errorf("of ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD only one is set: set both"))
	}
	return Credentials{apiKey, s.Username, password}, errors.Join(problems...)
}

// KeyMaker returns the credentials of a user who makes API keys. It refuses an API key,
// whose own keys could do nothing.
func (s Settings) KeyMaker() (Credentials, error) {
	const asWhom = "set ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD to those of a user who may make API keys and has the rights that they get"
	who, err := s.Credentials()
	switch {
	case err != nil:
	case who.APIKey != "":
		err = Errorf("an API key is set, and a key that a key makes may do nothing: " + asWhom)
	case who.Username == "":
		err = Errorf("no user is set: " + asWhom)
	}
	return who, err
}

// secret returns the value of a variable, or the trimmed content of the file that
// name_FILE names; "" if neither is set.
func secret(name, value, path string) (string, error) {
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", Errorf("%s and %s_FILE are both set: keep one", name, name)
	}
	text, err := os.ReadFile(path)
	trimmed := strings.TrimSpace(string(text))
	if err == nil && trimmed == "" {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		return "", Errorf("%s_FILE: %w", name, err)
	}
	return trimmed, nil
}

// encodedKey accepts an API key in each unambiguous form that people copy. It returns
// the base64 of id:api_key, which Elasticsearch calls "encoded". "" stays "".
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
			return "", Errorf("%s is no API key: set it to the `encoded` value that Elasticsearch returned, or to id:api_key", name)
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

// KibanaCredentials returns the credentials for Kibana, or else those for
// Elasticsearch, which Kibana accepts too.
func (s Settings) KibanaCredentials() (Credentials, error) {
	if s.KibanaAPIKey != "" {
		key, err := encodedKey("KIBANA_API_KEY", s.KibanaAPIKey)
		return Credentials{APIKey: key}, err
	}
	return s.Credentials()
}

// authorize adds the credentials, if any, to a request.
func (c Credentials) authorize(request *http.Request) {
	switch {
	case c.APIKey != "":
		request.Header.Set("Authorization", "ApiKey "+c.APIKey)
	case c.Username != "":
		request.SetBasicAuth(c.Username, c.Password)
	}
}
