package inspect

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// An Excluded is the number of otherwise matching events that an exclusion removes.
type Excluded struct {
	Name   string // the KQL, or the name of the exception
	Events int64
}

// excludedAtOnce is how many exclusions one search counts.
const excludedAtOnce = 500

// CountExcluded counts, for each exclusion and exception of the search, the events in a
// range that it removes. of is the number of events before any is removed. An event
// that several exclusions remove counts for each. Without exclusions it sends nothing.
func CountExcluded(ctx context.Context, o *query.Opened, r query.Range) (counts []Excluded, of int64, err error) {
	var queries []dsl
	var at []int // the position in counts of each query
	networks := map[string]*networkCounts{}
	for i, q := range o.Search.Exclude {
		counts = append(counts, Excluded{Name: q.String()})
		if n := networksOf(o, q, networks); n != nil {
			n.add(q, i)
			continue
		}
		removed, err := query.CompileExclusion(q, o.Mapping.Fields)
		if err != nil {
			return nil, 0, err
		}
		queries, at = append(queries, removed), append(at, i)
	}
	for _, e := range o.Search.Exceptions {
		queries, at = append(queries, e.Compile(o.Mapping.Fields)), append(at, len(counts))
		counts = append(counts, Excluded{Name: e.Name})
	}
	all := o.Search
	all.Exclude, all.Exceptions = nil, nil
	matching, err := all.Compile(o.Mapping.Fields)
	if err != nil {
		return nil, 0, err
	}
	numbers, of, err := countEach(ctx, o, matching, queries, r)
	for i, n := range numbers {
		counts[at[i]].Events = n
	}
	for _, field := range slices.Sorted(maps.Keys(networks)) {
		if err == nil {
			of, err = countNetworks(ctx, o, matching, field, networks[field], r, counts)
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("count what is excluded: %w", err)
	}
	return counts, of, nil
}

// countEach counts how many of the matching events in a range each query matches.
func countEach(ctx context.Context, o *query.Opened, matching dsl, queries []dsl, r query.Range) (numbers []int64, of int64, err error) {
	for chunk := range slices.Chunk(queries, excludedAtOnce) {
		part, err := elastic.InHalves(chunk, func(chunk []dsl) ([]int64, error) {
			var answer map[string]elastic.DocCount
			if err := o.Ask(ctx, elastic.Aggregate(eachOf(chunk), matching, o.Within(r)), &answer); err != nil {
				return nil, err
			}
			part := make([]int64, len(chunk))
			for i := range chunk {
				part[i] = answer[strconv.Itoa(i)].Count
			}
			of = answer["all"].Count
			return part, nil
		})
		if err != nil {
			return nil, 0, err
		}
		numbers = append(numbers, part...)
	}
	return numbers, of, nil
}

// eachOf counts the events of a search, and those of them that match each query.
func eachOf(queries []dsl) dsl {
	aggs := dsl{"all": everything()}
	for i, query := range queries {
		aggs[strconv.Itoa(i)] = dsl{"filter": query}
	}
	return aggs
}

// fewNetworks is the number of exclusions above which networks are counted by their
// addresses. A filter for each of many is slow: 9,000 took Elasticsearch a minute,
// whatever the range.
const fewNetworks = 100

// maxAddresses is how many addresses one search lists: well below Elasticsearch's limit
// of 65,536 buckets in an answer.
const maxAddresses = 10_000

// networkCounts holds the exclusions of networks in a field.
type networkCounts struct {
	values     []string
	exclusions map[netip.Prefix][]int // positions of the exclusions with this network
}

// networksOf returns the networkCounts for an exclusion with only addresses and
// networks; nil for other exclusions, or if there are few exclusions.
func networksOf(o *query.Opened, q kql.Query, networks map[string]*networkCounts) *networkCounts {
	if len(o.Search.Exclude) <= fewNetworks {
		return nil
	}
	field, values, ok := q.Values()
	if f := o.Mapping.Fields[field]; !ok || f.Object || f.NestedPath != "" || !slices.Equal(f.Types, []string{"ip"}) {
		return nil
	}
	for _, v := range values {
		if !asPrefix(v).IsValid() {
			return nil
		}
	}
	if networks[field] == nil {
		networks[field] = &networkCounts{exclusions: map[netip.Prefix][]int{}}
	}
	return networks[field]
}

// asPrefix returns a network, or an address as one; the zero Prefix for other values.
func asPrefix(v string) netip.Prefix {
	if p, err := netip.ParsePrefix(v); err == nil {
		return p.Masked()
	}
	if a, err := netip.ParseAddr(v); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
	}
	return netip.Prefix{}
}

func (n *networkCounts) add(q kql.Query, position int) {
	_, values, _ := q.Values()
	n.values = append(n.values, values...)
	for _, v := range values {
		p := asPrefix(v)
		n.exclusions[p] = append(n.exclusions[p], position)
	}
}

// countNetworks requests the addresses in any of the networks, and counts here which
// network each is in. An event with several addresses counts for each.
func countNetworks(ctx context.Context, o *query.Opened, matching dsl, field string, n *networkCounts, r query.Range, counts []Excluded) (of int64, err error) {
	var answer struct {
		All     elastic.DocCount `json:"all"`
		Removed struct {
			Addresses struct {
				Others  int64 `json:"sum_other_doc_count"`
				Buckets []struct {
					Key string `json:"key"`
					elastic.DocCount
				} `json:"buckets"`
			} `json:"addresses"`
		} `json:"removed"`
	}
	body := elastic.Aggregate(dsl{"all": everything(), "removed": dsl{
		"filter": query.OneOf(field, o.Mapping.Fields[field], n.values),
		"aggs":   dsl{"addresses": dsl{"terms": dsl{"field": field, "size": maxAddresses}}},
	}}, matching, o.Within(r))
	if err := o.Ask(ctx, body, &answer); err != nil {
		return 0, err
	}
	if answer.Removed.Addresses.Others > 0 {
		return 0, fmt.Errorf("%s has more than %d excluded addresses", field, maxAddresses)
	}
	for _, b := range answer.Removed.Addresses.Buckets {
		address, err := netip.ParseAddr(b.Key)
		if err != nil {
			return 0, fmt.Errorf("%w: %s is no address: %w", elastic.ErrIncomplete, field, err)
		}
		exclusions := map[int]bool{}
		for bits := range address.BitLen() + 1 {
			network, _ := address.Prefix(bits) // no more bits than it has
			for _, i := range n.exclusions[network] {
				exclusions[i] = true
			}
		}
		for i := range exclusions {
			counts[i].Events += b.Count
		}
	}
	return answer.All.Count, nil
}
