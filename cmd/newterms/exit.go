package main

import (
	"crypto/tls"
	"errors"
	"net/http"

	"newterms/alerts"
	"newterms/cmd/newterms/settings"
	"newterms/deploy/kibana"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/job/check"
	"newterms/job/grant"
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

// A usageError is about the command line.
type usageError struct{ error }

// A reported error was logged where it happened, among the lines of its rule. It
// only carries the code.
type reported struct{ error }

func (e reported) Unwrap() error { return e.error }

func (e usageError) Unwrap() error { return e.error }

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
	var checked checkFailure
	var pipeline *alerts.PipelineError
	var found *check.Problem
	switch {
	case errors.As(err, &checked):
		return checked.code
	case errors.As(err, &pipeline) && pipeline.IsSure():
		return exitConfig
	case is[usageError](err), is[grant.ExistsError](err), is[*alerts.UnknownAlertsError](err):
		return exitUsage
	case is[*settings.Error](err), is[*grant.PatternError](err), is[*kibana.ConnectorError](err), is[*elastic.VersionError](err), is[*alerts.NewerDataError](err), is[*tls.CertificateVerificationError](err):
		return exitConfig
	case is[*elastic.SchemeError](err), is[*elastic.RedirectError](err), is[*esquery.NameError](err), is[*alerts.TargetError](err), isNoTarget(err), alerts.IsOtherMapping(err):
		return exitConfig
	case is[*rule.Error](err), is[*kql.FieldError](err), is[*kql.SyntaxError](err), is[*esquery.MappingError](err), is[*esquery.TypeError](err):
		return exitRule
	case hasCause(err, "too_many_clauses"), hasCause(err, "too_many_nested_clauses"): // even of one pair
		return exitRule
	case errors.As(err, &found):
		switch found.Kind {
		case check.TermUnmapped, check.TermLacking, check.TimestampUnmapped:
			return exitRule
		case check.TemplateMissing:
			return exitConfig
		}
	case isBlocked(err): // a 403, which no right makes better
	case isStatus(err, http.StatusUnauthorized), isStatus(err, http.StatusForbidden):
		return exitUnauthorized
	}
	return exitFailed
}

// isBlocked reports whether an index takes no requests of this kind, from
// anybody.
func isBlocked(err error) bool { return hasCause(err, "cluster_block_exception") }

// isNoTarget reports that documents were refused because there is no data stream of
// ours for them.
func isNoTarget(err error) bool {
	return is[*alerts.RejectedError](err) && isStatus(err, http.StatusNotFound)
}

// hasCause reports whether Elasticsearch names a type of error as a cause.
func hasCause(err error, kind string) bool {
	var cause interface{ Has(types ...string) bool }
	return errors.As(err, &cause) && cause.Has(kind)
}

// is reports whether an error is or wraps a T.
func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func isStatus(err error, status int) bool {
	var refused interface{ StatusCode() int }
	return errors.As(err, &refused) && refused.StatusCode() == status
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
