package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"newterms/esquery"
	"newterms/esquery/inspect"
	"newterms/esquery/query"
	"newterms/job"
)

// findOtherCase returns values that differ by letter case from the given ones.
func (e *Explainer) findOtherCase(ctx context.Context, source *esquery.Source, values query.Values, w job.Window) (map[string]Counts, error) {
	var found map[string]Counts
	for field, value := range values {
		text, _ := value[0].(string)
		others, err := inspect.SameLetters(ctx, source.Opened, e.around(w), field, strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if len(others) > 0 && found == nil {
			found = map[string]Counts{}
		}
		if len(others) > 0 {
			found[field] = others
		}
	}
	return found, nil
}

// around returns a window and the history before it.
func (e *Explainer) around(w job.Window) query.Range {
	return query.Range{From: w.From.Add(-e.Rule.History), To: w.To}
}

// matches reports whether a pair has the given values. An event with a given value in
// an array also forms pairs with the array's other values.
func (q question) matches(fields []string, c esquery.Candidate, types map[string][]string) bool {
	for i, field := range fields {
		given, ok := q.values[field]
		isIP := slices.Contains(types[field], "ip")
		isOther := slices.ContainsFunc(q.otherCase[field], func(other inspect.SimilarValue) bool { return c.Terms[i] == other.Value })
		switch {
		case !ok:
		case isIP && isInNetwork(c.Terms[i], given[0]):
		case isOther, !isSameTerm(c.Terms[i], given[0]):
			return false
		}
	}
	return true
}

// isInNetwork reports whether a term is the given address, or in the given network. As
// in Elasticsearch, an IPv4 address mapped to IPv6 is the IPv4 address.
func isInNetwork(term, given any) bool {
	text, _ := given.(string)
	address, err := netip.ParseAddr(fmt.Sprint(term))
	if err != nil {
		return false
	}
	if one, err := netip.ParseAddr(text); err == nil {
		return one.Unmap() == address.Unmap()
	}
	network, err := netip.ParsePrefix(text)
	return err == nil && network.Contains(address.Unmap())
}

// isSameTerm compares a term with one that a user typed. Elasticsearch may read the
// latter in another form: a number, a date, or a value that the mapping lower-cases.
func isSameTerm(term, given any) bool {
	if term == nil || given == nil {
		return term == given
	}
	a, b := fmt.Sprint(term), fmt.Sprint(given)
	if strings.EqualFold(a, b) {
		return true
	}
	if _, isNumber := term.(json.Number); isNumber {
		x, _ := strconv.ParseFloat(a, 64) // the error is nil: it is a number
		y, err := strconv.ParseFloat(b, 64)
		return err != nil || x == y // a date is written in many ways
	}
	return false
}
