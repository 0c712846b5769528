// Package settings reads the environment variables, and connects to what they name. The
// README explains each.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
	"newterms/job/exclusion"
)

// Settings are the environment variables, which the README explains.
type Settings struct {
	URLs         []string `env:"ELASTICSEARCH_URL"`
	CloudID      string   `env:"ELASTICSEARCH_CLOUD_ID"`
	APIKey       string   `env:"ELASTICSEARCH_API_KEY"`
	APIKeyFile   string   `env:"ELASTICSEARCH_API_KEY_FILE"`
	Username     string   `env:"ELASTICSEARCH_USERNAME"`
	Password     string   `env:"ELASTICSEARCH_PASSWORD"`
	PasswordFile string   `env:"ELASTICSEARCH_PASSWORD_FILE"`
	CA           string   `env:"ELASTICSEARCH_CA"`
	ServerName   string   `env:"ELASTICSEARCH_TLS_SERVER_NAME"`

	KibanaURL    string   `env:"KIBANA_URL"`
	KibanaAPIKey string   `env:"KIBANA_API_KEY"`
	KibanaCA     string   `env:"KIBANA_CA"`
	KibanaServer string   `env:"KIBANA_TLS_SERVER_NAME"`
	KibanaSpace  string   `env:"KIBANA_SPACE" envDefault:"default"`
	ConnectorID  string   `env:"KIBANA_CONNECTOR_ID"`
	ConnectorTo  []string `env:"KIBANA_CONNECTOR_TO"`
	OktaURL      string   `env:"NEWTERMS_OKTA_URL"`

	Rules          []string     `env:"NEWTERMS_RULES"`
	Index          []string     `env:"NEWTERMS_INDEX"`
	Namespace      string       `env:"NEWTERMS_NAMESPACE" envDefault:"default"`
	AlertsTarget   string       `env:"NEWTERMS_ALERTS_TARGET"` // "" is replaced by the namespace's
	RunsTarget     string       `env:"NEWTERMS_RUNS_TARGET"`
	Overlap        Duration     `env:"NEWTERMS_OVERLAP" envDefault:"2m"`
	MaxCatchup     Duration     `env:"NEWTERMS_MAX_CATCHUP" envDefault:"7d"`
	Exclude        exclusions   `env:"NEWTERMS_EXCLUDE"`
	ExcludeFiles   []string     `env:"NEWTERMS_EXCLUDE_FILE"`
	MissingTerms   MissingTerms `env:"NEWTERMS_MISSING_TERMS" envDefault:"skip"`
	Context        uint         `env:"NEWTERMS_CONTEXT" envDefault:"1000"`
	MaxAlerts      uint         `env:"NEWTERMS_MAX_ALERTS" envDefault:"0"`
	Deadline       Duration     `env:"NEWTERMS_DEADLINE" envDefault:"0s"`
	Concurrency    uint16       `env:"NEWTERMS_CONCURRENCY" envDefault:"4"`
	RequestTimeout Duration     `env:"NEWTERMS_REQUEST_TIMEOUT" envDefault:"60s"`

	LogLevel  logLevel  `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat logFormat `env:"LOG_FORMAT" envDefault:"auto"`
	NoColor   string    `env:"NO_COLOR"`
	Term      string    `env:"TERM"`
}

// An Error is about a setting, and names it.
type Error struct{ err error }

// Errorf is fmt.Errorf for an *Error.
func Errorf(format string, args ...any) error { return &Error{fmt.Errorf(format, args...)} }

func (e *Error) Error() string { return e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

// MissingTerms is whether the absence of a new-terms field counts as a term.
type MissingTerms bool

func (m *MissingTerms) UnmarshalText(text []byte) error {
	switch string(text) {
	case "skip", "include":
		*m = string(text) == "include"
		return nil
	}
	return fmt.Errorf("%q is neither skip nor include", text)
}

func (m MissingTerms) String() string {
	if m {
		return "include"
	}
	return "skip"
}

// exclusions are queries for events to ignore.
type exclusions []kql.Query

func (e *exclusions) UnmarshalText(text []byte) error {
	q, err := exclusion.Parse(string(text))
	*e = exclusions{q}
	return err
}

// Exclusions returns the queries of NEWTERMS_EXCLUDE and NEWTERMS_EXCLUDE_FILE. Its error
// is an *Error.
func (s Settings) Exclusions() ([]kql.Query, error) {
	all := slices.Clone([]kql.Query(s.Exclude))
	for _, path := range s.ExcludeFiles {
		more, err := exclusion.ReadFile(path)
		if err != nil {
			return nil, Errorf("NEWTERMS_EXCLUDE_FILE: %w", err)
		}
		all = append(all, more...)
	}
	return all, nil
}

// logLevel is the lowest level that is logged.
type logLevel slog.Level

func (l *logLevel) UnmarshalText(text []byte) error {
	if err := (*slog.Level)(l).UnmarshalText(text); err != nil {
		return fmt.Errorf("%q is none of debug, info, warn, error", text)
	}
	return nil
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

// Read reads the settings, and checks them as far as no file or server is needed. Its
// error joins an *Error for each problem; the settings are usable for logging even
// then.
func Read(environ []string) (Settings, error) {
	var s Settings
	variables := env.ToMap(environ)
	for name, value := range variables {
		// Secrets and files often come with a newline at the end.
		variables[name] = strings.TrimSpace(value)
	}
	err := env.ParseWithOptions(&s, env.Options{Environment: variables})
	var problems []error
	if all, ok := errors.AsType[env.AggregateError](err); ok {
		for _, problem := range all.Errors {
			problems = append(problems, Errorf("%w", parseProblem(problem)))
		}
	} else if err != nil {
		problems = append(problems, Errorf("%w", err))
	}
	given := env.ToMap(environ)
	if raw := given["NEWTERMS_EXCLUDE"]; raw != "" && variables["NEWTERMS_EXCLUDE"] == "" {
		problems = append(problems, Errorf("NEWTERMS_EXCLUDE: it is blank, which would exclude every event: leave it out to exclude none"))
	}
	for name, l := range map[string]*[]string{
		"ELASTICSEARCH_URL": &s.URLs, "KIBANA_CONNECTOR_TO": &s.ConnectorTo, "NEWTERMS_RULES": &s.Rules, "NEWTERMS_INDEX": &s.Index,
		"NEWTERMS_EXCLUDE_FILE": &s.ExcludeFiles,
	} {
		if *l = trimmed(*l); len(*l) == 0 && given[name] != "" {
			problems = append(problems, Errorf("%s: %q names nothing: leave it out for the default", name, given[name]))
		}
	}
	s.AlertsTarget = cmp.Or(s.AlertsTarget, ".alerts-newterms.detections-"+s.Namespace)
	s.RunsTarget = cmp.Or(s.RunsTarget, ".alerts-newterms.runs-"+s.Namespace)
	return s, errors.Join(append(problems, s.problems(len(problems) > 0)...)...)
}

// problems checks the settings. incomplete means that some could not be parsed and may
// have kept their zero values.
func (s Settings) problems(incomplete bool) []error {
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, Errorf(format, args...))
	}
	for _, target := range []struct{ setting, name string }{{"NEWTERMS_ALERTS_TARGET", s.AlertsTarget}, {"NEWTERMS_RUNS_TARGET", s.RunsTarget}} {
		if strings.ContainsAny(target.name, `*?,:"<>|\/ #`) || strings.ToLower(target.name) != target.name {
			problem("%s (or NEWTERMS_NAMESPACE): %q is not the name of one data stream", target.setting, target.name)
		}
	}
	if s.AlertsTarget == s.RunsTarget {
		problem("NEWTERMS_ALERTS_TARGET and NEWTERMS_RUNS_TARGET are both %s: runs and alerts need a data stream each", s.AlertsTarget)
	}
	if err := elastic.FitsPath(s.Index); err != nil {
		problem("NEWTERMS_INDEX: %w", err)
	}
	if incomplete {
		return problems
	}
	if s.RequestTimeout == 0 {
		problem("NEWTERMS_REQUEST_TIMEOUT: 0 would end each request at once: leave it out for 60s")
	}
	if s.Concurrency == 0 {
		problem("NEWTERMS_CONCURRENCY: 0 would run no rule: leave it out for 4")
	}
	if s.MaxCatchup <= s.Overlap {
		problem("NEWTERMS_MAX_CATCHUP %s is not longer than NEWTERMS_OVERLAP %s", words.Span(time.Duration(s.MaxCatchup)), words.Span(time.Duration(s.Overlap)))
	}
	return problems
}

// parseProblem replaces the name of the struct's field, which env gives, by that of the
// variable.
func parseProblem(err error) error {
	var parse env.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	field, ok := reflect.TypeFor[Settings]().FieldByName(parse.Name)
	if !ok {
		return err
	}
	if number, ok := errors.AsType[*strconv.NumError](parse.Err); ok {
		parse.Err = fmt.Errorf("%q is no whole number from 0 up, or too large", number.Num)
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
