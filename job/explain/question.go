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
	"newterms/job"
)

// otherCase asks for values that differ by letter case from those asked for.
func (e *Explainer) otherCase(ctx context.Context, source *esquery.Source, values esquery.Values, w job.Window) (map[string]Counts, error) {
	var found map[string]Counts
	for field, value := range values {
		text, _ := value[0].(string)
		others, err := source.SameLetters(ctx, e.around(w), field, strings.TrimSpace(text))
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

// around is a window and the history before it.
func (e *Explainer) around(w job.Window) esquery.Range {
	return esquery.Range{From: w.From.Add(-e.Rule.History), To: w.To}
}

// isFor drops pairs of events that have a value which was asked for, and in the
// same array another one.
func (q question) isFor(fields []string, c esquery.Candidate, types map[string][]string) bool {
	for i, field := range fields {
		asked, ok := q.values[field]
		isIP := slices.Contains(types[field], "ip")
		isOther := slices.ContainsFunc(q.letters[field], func(other esquery.SimilarValue) bool { return c.Terms[i] == other.Value })
		switch {
		case !ok:
		case isIP && isInNetwork(c.Terms[i], asked[0]):
		case isOther, !isSameTerm(c.Terms[i], asked[0]):
			return false
		}
	}
	return true
}

// isInNetwork reports whether a term is an address of the network, or the address,
// that was asked for. As in Elasticsearch, an IPv4 address that is mapped to IPv6
// is the IPv4 address.
func isInNetwork(term, asked any) bool {
	text, _ := asked.(string)
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

// isSameTerm compares a term with one as people write it, which Elasticsearch
// may read in another form: a number, a date, a value that the mapping turns to
// lower case.
func isSameTerm(term, asked any) bool {
	if term == nil || asked == nil {
		return term == asked
	}
	a, b := fmt.Sprint(term), fmt.Sprint(asked)
	if strings.EqualFold(a, b) {
		return true
	}
	if _, isNumber := term.(json.Number); isNumber {
		x, _ := strconv.ParseFloat(a, 64) // it is a number
		y, err := strconv.ParseFloat(b, 64)
		return err != nil || x == y // a date is written in many ways
	}
	return false
}
