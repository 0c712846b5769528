// Package failure returns the advice about an error, and its exit code.
package failure

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/alerts/templates"
	"newterms/cmd/newterms/settings"
	"newterms/deploy/kibana"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/check"
	"newterms/job/grant"
	"newterms/job/notify"
	"newterms/job/rule"
	"newterms/job/where"
)

// The exit codes are a contract: the CronJob retries only ExitFailed.
const (
	ExitDone         = 0
	ExitFailed       = 1  // a retry may help
	ExitUnexplained  = 3  // compare has found a difference that nothing explains
	ExitUsage        = 64 // like the others from BSD's sysexits.h
	ExitRule         = 65
	ExitUnauthorized = 77
	ExitConfig       = 78
	ExitInterrupted  = 130 // by Ctrl-C, as in a shell
)

// ErrInterrupted is the cause of a context that Ctrl-C ended.
var ErrInterrupted = errors.New("interrupt signal received")

// A StoppedError reports that Ctrl-C stopped a command.
type StoppedError struct{ True string } // of what the command did until then

func (e *StoppedError) Error() string { return "stopped: " + e.True }

// A UsageError is an error in the command line.
type UsageError struct{ err error }

// Usagef is fmt.Errorf for a *UsageError.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

func (e *UsageError) Error() string { return e.err.Error() }
func (e *UsageError) Unwrap() error { return e.err }

// A Reported error has been logged already. It only sets the exit code.
type Reported struct {
	Exit int
	Err  error // may be nil
}

func (e *Reported) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Exit)
	}
	return e.Err.Error()
}

// Code returns the exit code of an error. If one of several causes may go away with a
// retry, it decides.
func Code(err error) int {
	code := ExitDone
	for _, cause := range Causes(err) {
		if c := codeOf(cause); code == ExitDone || c == ExitFailed {
			code = c
		}
	}
	return code
}

func codeOf(err error) int {
	var reported *Reported
	var pipeline *alerts.PipelineError
	var found *check.Problem
	switch {
	case errors.As(err, &reported):
		return reported.Exit
	case Is[*StoppedError](err), errors.Is(err, ErrInterrupted):
		return ExitInterrupted
	case errors.As(err, &pipeline) && pipeline.IsSure():
		return ExitConfig
	case Is[*UsageError](err), Is[*where.Error](err), Is[*cases.MappingError](err), Is[grant.ExistsError](err), Is[*alerts.UnknownAlertsError](err), Is[*alerts.AmbiguousIDError](err):
		return ExitUsage
	case Is[*settings.Error](err), Is[*job.MaxAlertsError](err), Is[*notify.ExpiringKeyError](err), Is[*grant.PatternError](err), Is[*grant.SecretNameError](err), Is[*kibana.ConnectorError](err), Is[*elastic.VersionError](err), Is[*runs.NewerDataError](err), Is[*tls.CertificateVerificationError](err):
		return ExitConfig
	case Is[*elastic.SchemeError](err), Is[*elastic.RedirectError](err), Is[*access.NameError](err), Is[*templates.TargetError](err), isNoTarget(err), templates.IsOtherMapping(err):
		return ExitConfig
	case Is[*rule.Error](err), Is[*casefile.Error](err), Is[*kql.FieldError](err), Is[*kql.SyntaxError](err), Is[*query.MappingError](err), Is[*query.TypeError](err):
		return ExitRule
	case elastic.HasCause(err, "too_many_clauses", "too_many_nested_clauses"): // even of one pair
		return ExitRule
	case errors.As(err, &found):
		switch found.Kind {
		case check.TermUnmapped, check.TermLacking, check.TimestampUnmapped:
			return ExitRule
		case check.TemplateMissing:
			return ExitConfig
		}
	case isBlocked(err): // a 403 that no privilege removes
	case elastic.HasStatus(err, http.StatusUnauthorized), elastic.HasStatus(err, http.StatusForbidden):
		return ExitUnauthorized
	}
	return ExitFailed
}

// isBlocked reports whether an index refuses such requests from everybody.
func isBlocked(err error) bool { return elastic.HasCause(err, "cluster_block_exception") }

// isNoTarget reports whether documents were refused because our data stream does not
// exist.
func isNoTarget(err error) bool {
	return Is[*alerts.RejectedError](err) && elastic.HasStatus(err, http.StatusNotFound)
}

// Is reports whether an error is or wraps a T.
func Is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
