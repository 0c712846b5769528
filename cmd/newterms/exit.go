package main

import (
	"errors"
	"net/http"
	"strings"

	"newterms/alerts"
	"newterms/deploy/kibana"
	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/rule"
)

// The exit codes are a contract: the CronJob retries only exitFailed.
const (
	exitDone         = 0
	exitFailed       = 1  // a retry may help
	exitUsage        = 64 // like the others from BSD's sysexits.h
	exitRule         = 65
	exitUnauthorized = 77
	exitConfig       = 78
)

type (
	usageError  struct{ error }
	configError struct{ error }
)

func (e usageError) Unwrap() error  { return e.error }
func (e configError) Unwrap() error { return e.error }

// exitCode is the one place that gives an error its code. Of several causes, one
// that a retry may help decides.
func exitCode(err error) int {
	code := exitDone
	for _, cause := range causes(err) {
		if c := exitCodeOf(cause); code == exitDone || c == exitFailed {
			code = c
		}
	}
	return code
}

func exitCodeOf(err error) int {
	var (
		checked checkFailure
		version *esquery.VersionError
		usage   usageError
		config  configError
		rule    *rule.Error
		field   *kql.FieldError
		syntax  *kql.SyntaxError
		misfit  *esquery.MappingError
		refused interface{ StatusCode() int }
	)
	switch {
	case errors.As(err, &checked):
		return checked.code
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &config), errors.As(err, &version):
		return exitConfig
	case errors.As(err, &rule), errors.As(err, &field), errors.As(err, &syntax), errors.As(err, &misfit):
		return exitRule
	case errors.As(err, &refused) && isUnauthorized(refused.StatusCode()):
		return exitUnauthorized
	}
	return exitFailed
}

func isUnauthorized(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// hint says what to do about an error that does not say it itself.
func hint(err error) string {
	var refused interface{ StatusCode() int }
	var byKibana *kibana.ResponseError
	incomplete := errors.Is(err, esquery.ErrIncomplete) || errors.Is(err, alerts.ErrIncomplete)
	var rejected *alerts.RejectedError
	switch {
	case errors.As(err, &rejected) && rejected.Status == http.StatusBadRequest:
		return ": the other alerts are written; make the mapping of the alerts target take this one, or exclude its event; " +
			"until then each run does this window again"
	case errors.As(err, &byKibana):
		switch byKibana.Status {
		case http.StatusUnauthorized:
			return ": check KIBANA_API_KEY"
		case http.StatusForbidden:
			return ": grant Kibana's privilege Saved Objects Management: All in this space to the API key or user"
		case http.StatusNotFound:
			return ": check KIBANA_URL, with Kibana's base path if it has one, and KIBANA_SPACE"
		}
	case errors.As(err, new(*esquery.MappingError)):
		return ": correct what it names in the rule, --exclude or NEWTERMS_EXCLUDE; a network is written 203.0.113.0/24"
	case errors.As(err, &refused):
		switch status := refused.StatusCode(); {
		case status == http.StatusUnauthorized:
			return ": check ELASTICSEARCH_API_KEY, which may be revoked or expired, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
		case status == http.StatusForbidden:
			return ": grant this privilege to the API key or user"
		case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
			return ": the cluster is busy or broken: the next run does this window again"
		}
	case incomplete:
		return ": nothing is concluded from it: check the health of the cluster; the next run does this window again"
	case errors.Is(err, job.ErrTerminated):
		return ": the next run does this window again"
	}
	return ""
}

// causes takes errors apart that errors.Join put together.
func causes(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() {
		return []error{err} // fmt.Errorf with several %w has one story to tell
	}
	var all []error
	for _, cause := range joined.Unwrap() {
		all = append(all, causes(cause)...)
	}
	return all
}

// oneLine is an error's text for a log, where a line is an event.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
