package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"newterms/esquery/kql"
	"newterms/job/datemath"
)

// settings are the environment variables, named and explained in the README.
type settings struct {
	URLs         []string `env:"ELASTICSEARCH_URL"`
	APIKey       string   `env:"ELASTICSEARCH_API_KEY"`
	APIKeyFile   string   `env:"ELASTICSEARCH_API_KEY_FILE"`
	Username     string   `env:"ELASTICSEARCH_USERNAME"`
	Password     string   `env:"ELASTICSEARCH_PASSWORD"`
	PasswordFile string   `env:"ELASTICSEARCH_PASSWORD_FILE"`
	CA           string   `env:"ELASTICSEARCH_CA"`

	KibanaURL    string `env:"KIBANA_URL"`
	KibanaAPIKey string `env:"KIBANA_API_KEY"`
	KibanaCA     string `env:"KIBANA_CA"`
	KibanaSpace  string `env:"KIBANA_SPACE" envDefault:"default"`

	Rules          []string     `env:"NEWTERMS_RULES"`
	Index          []string     `env:"NEWTERMS_INDEX"`
	AlertsTarget   string       `env:"NEWTERMS_ALERTS_TARGET" envDefault:".alerts-newterms.detections-default"`
	RunsTarget     string       `env:"NEWTERMS_RUNS_TARGET" envDefault:".alerts-newterms.runs-default"`
	Overlap        duration     `env:"NEWTERMS_OVERLAP" envDefault:"2m"`
	MaxCatchup     duration     `env:"NEWTERMS_MAX_CATCHUP" envDefault:"7d"`
	Exclude        string       `env:"NEWTERMS_EXCLUDE"`
	MissingTerms   missingTerms `env:"NEWTERMS_MISSING_TERMS" envDefault:"skip"`
	MaxAlerts      uint         `env:"NEWTERMS_MAX_ALERTS" envDefault:"0"`
	RequestTimeout duration     `env:"NEWTERMS_REQUEST_TIMEOUT" envDefault:"60s"`

	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat logFormat  `env:"LOG_FORMAT" envDefault:"auto"`
	NoColor   string     `env:"NO_COLOR"`
	Term      string     `env:"TERM"`
}

// duration is a time.Duration that takes d and w as well.
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := datemath.Duration(string(text))
	*d = duration(parsed)
	return err
}

// missingTerms says whether the absence of a new-terms field is a term.
type missingTerms bool

func (m *missingTerms) UnmarshalText(text []byte) error {
	switch string(text) {
	case "skip", "include":
		*m = string(text) == "include"
		return nil
	}
	return fmt.Errorf("%q is neither skip nor include", text)
}

func (m missingTerms) String() string {
	if m {
		return "include"
	}
	return "skip"
}

type logFormat string

func (f *logFormat) UnmarshalText(text []byte) error {
	switch string(text) {
	case "auto", "text", "json":
		*f = logFormat(text)
		return nil
	}
	return fmt.Errorf("%q is none of auto, text, json", text)
}

// readSettings reads and checks all that needs no file or server. Its error
// joins a configError for each problem; the settings are usable for logging
// even then.
func readSettings(environ []string) (settings, error) {
	var s settings
	err := env.ParseWithOptions(&s, env.Options{Environment: env.ToMap(environ)})
	var all env.AggregateError
	var problems []error
	if errors.As(err, &all) {
		for _, problem := range all.Errors {
			problems = append(problems, configError{parseProblem(problem)})
		}
	} else if err != nil {
		problems = append(problems, configError{err})
	}
	for _, l := range []*[]string{&s.URLs, &s.Rules, &s.Index} {
		*l = trimmed(*l)
	}
	for name, target := range map[string]string{"NEWTERMS_ALERTS_TARGET": s.AlertsTarget, "NEWTERMS_RUNS_TARGET": s.RunsTarget} {
		if strings.ContainsAny(target, `*?,:"<>|\/ #`) || strings.ToLower(target) != target {
			problems = append(problems, configError{fmt.Errorf("%s: %q is not the name of one data stream", name, target)})
		}
	}
	if s.MaxCatchup <= s.Overlap && len(problems) == 0 {
		problems = append(problems, configError{fmt.Errorf("NEWTERMS_MAX_CATCHUP %s is not longer than NEWTERMS_OVERLAP %s",
			time.Duration(s.MaxCatchup), time.Duration(s.Overlap))})
	}
	if _, err := kql.Parse(s.Exclude); err != nil {
		problems = append(problems, configError{fmt.Errorf("NEWTERMS_EXCLUDE: %w", err)})
	}
	return s, errors.Join(problems...)
}

// parseProblem names the variable, where env names the field of the struct.
func parseProblem(err error) error {
	var parse env.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	field, ok := reflect.TypeFor[settings]().FieldByName(parse.Name)
	if !ok {
		return err
	}
	return fmt.Errorf("%s: %w", field.Tag.Get("env"), parse.Err)
}

func trimmed(values []string) []string {
	var kept []string
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			kept = append(kept, v)
		}
	}
	return kept
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

// kibana checks what it takes to connect to Kibana.
func (s *settings) kibana() (*url.URL, error) {
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

// connection checks what it takes to connect and reads the secrets' files.
// Its error joins a configError for each problem, without any secret.
func (s *settings) connection() ([]*url.URL, error) {
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, configError{fmt.Errorf(format, args...)})
	}
	if len(s.URLs) == 0 {
		problem("ELASTICSEARCH_URL is not set: set it to the address of the cluster, such as https://elasticsearch.example:9200")
	}
	var urls []*url.URL
	for i, text := range s.URLs {
		u, err := address(text)
		switch {
		case errors.Is(err, errUserinfo):
			problem("ELASTICSEARCH_URL: address %d %w: remove it and set ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD instead", i+1, err)
		case err != nil:
			problem("ELASTICSEARCH_URL: address %d %w", i+1, err)
		default:
			urls = append(urls, u)
		}
	}
	for _, f := range []struct {
		name, path string
		secret     *string
	}{{"ELASTICSEARCH_API_KEY", s.APIKeyFile, &s.APIKey}, {"ELASTICSEARCH_PASSWORD", s.PasswordFile, &s.Password}} {
		if f.path == "" {
			continue
		}
		if *f.secret != "" {
			problem("%s and %s_FILE are both set: keep one", f.name, f.name)
			continue
		}
		text, err := os.ReadFile(f.path)
		if *f.secret = strings.TrimSpace(string(text)); err == nil && *f.secret == "" {
			err = fmt.Errorf("%s is empty", f.path)
		}
		if err != nil {
			problem("%s_FILE: %w", f.name, err)
		}
	}
	switch {
	case s.APIKey != "" && (s.Username != "" || s.Password != ""):
		problem("both an API key (ELASTICSEARCH_API_KEY) and a user (ELASTICSEARCH_USERNAME, ELASTICSEARCH_PASSWORD) are set: keep one")
	case (s.Username == "") != (s.Password == "" && s.PasswordFile == ""):
		problem("of ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD only one is set: set both")
	}
	return urls, errors.Join(problems...)
}
