package failure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"

	"newterms/deploy/kibana"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/job"
)

// clusterAdvice returns the advice about errors of requests to Elasticsearch.
func clusterAdvice(err error) string {
	var refused interface{ StatusCode() int }
	var scheme *elastic.SchemeError
	var mappingErr *query.MappingError
	switch {
	case Is[*elastic.VersionError](err):
		return "upgrade Elasticsearch, or point ELASTICSEARCH_URL to another cluster"
	case Is[*query.TypeError](err):
		return "use another field in the rule, reindex the indices that differ, or leave them out with NEWTERMS_INDEX"
	case errors.As(err, &mappingErr) && mappingErr.Forbidden:
		return "write values instead of patterns and ranges, or allow such queries in the cluster"
	case mappingErr != nil && strings.HasPrefix(mappingErr.Part, string(query.OfFilter)):
		return "correct the filter"
	case mappingErr != nil && mappingErr.Part != "":
		return "correct it; a network is written 203.0.113.0/24"
	case Is[*query.MappingError](err):
		return "correct this clause in the rule, --exclude, NEWTERMS_EXCLUDE, NEWTERMS_EXCLUDE_FILE or the exception list; a network is written 203.0.113.0/24"
	case Is[*access.NotFoundError](err):
		return "install the integration that collects the events, or set NEWTERMS_INDEX to their indices; " +
			"the user or API key must be allowed to read them"
	case errors.As(err, &scheme):
		return "change ELASTICSEARCH_URL to begin with " + scheme.Scheme + "://"
	case Is[*tls.CertificateVerificationError](err):
		return certificateAdvice(err, "ELASTICSEARCH")
	case Is[*elastic.RedirectError](err):
		return "set ELASTICSEARCH_URL to the address of Elasticsearch itself: newterms follows no redirect"
	case Is[*access.NameError](err):
		return "correct NEWTERMS_INDEX, or the index patterns of the rule"
	case elastic.TooMuchToAsk(err):
		return "the rule with its exclusions has more clauses than the cluster allows for its heap: exclude fewer or larger networks, " +
			"and single addresses and names rather than wildcards"
	case Is[*elastic.TimeoutError](err):
		return "check the health of the cluster, ELASTICSEARCH_URL and the network, or raise NEWTERMS_REQUEST_TIMEOUT"
	case Is[*elastic.NoAnswerError](err):
		return "check ELASTICSEARCH_URL and the network"
	case errors.Is(err, elastic.ErrOtherProduct):
		return "check ELASTICSEARCH_URL"
	case errors.As(err, &refused):
		switch status := refused.StatusCode(); {
		case status == http.StatusUnauthorized:
			return "check ELASTICSEARCH_API_KEY, which may be revoked or expired, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
		case isBlocked(err):
			return "remove the block from the settings of the index (index.blocks), often set because a disk was full; no privilege is missing"
		case status == http.StatusForbidden:
			return "grant this privilege to the API key or user (deploy/elasticsearch lists what they need)"
		case status == http.StatusNotFound && elastic.HasCause(err, "index_not_found_exception"):
			return "run newterms setup if you have not yet"
		case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
			return "the cluster is busy or broken; " + job.Covered
		}
	case errors.Is(err, elastic.ErrIncomplete):
		return "newterms does not use such an answer; check the health of the cluster; " + job.Covered
	}
	return ""
}

// certificateAdvice returns the advice about a server certificate that is not trusted.
// The names of the server's settings begin with prefix.
func certificateAdvice(err error, prefix string) string {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the certificate of the server, or its authority's, or set the clock of this machine"
	case Is[x509.HostnameError](err):
		return "let " + prefix + "_URL have a host name that the certificate is for, or set " + prefix + "_TLS_SERVER_NAME to that name, such as for a forwarded port"
	}
	return "set " + prefix + "_CA to the certificate of its authority"
}

func kibanaAdvice(err *kibana.RequestError) string {
	var scheme *elastic.SchemeError
	switch {
	case errors.As(err, &scheme):
		return "change KIBANA_URL to begin with " + scheme.Scheme + "://"
	case Is[*tls.CertificateVerificationError](err):
		return certificateAdvice(err, "KIBANA")
	case Is[*elastic.RedirectError](err):
		return "set KIBANA_URL to the address of Kibana itself, with its base path if it has one: newterms follows no redirect"
	case elastic.HasStatus(err, http.StatusUnauthorized):
		return "check KIBANA_API_KEY"
	case elastic.HasStatus(err, http.StatusForbidden):
		return "grant Kibana's privilege " + err.Needs + " in this space to the API key or user"
	case elastic.HasStatus(err, http.StatusNotFound):
		return "check KIBANA_URL, with Kibana's base path if it has one, and KIBANA_SPACE"
	}
	return "check KIBANA_URL"
}
