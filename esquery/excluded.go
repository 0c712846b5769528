package esquery

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// An Excluded is the number of otherwise matching events that an exclusion removes.
type Excluded struct {
	Name   string // the KQL, or the name of the exception
	Events int64
}

// excludedAtOnce is how many exclusions one search counts.
const excludedAtOnce = 500

// Excluded counts, for each exclusion and exception of the search, the events in a
// range that it removes. of is the number of events before any is removed. An event
// that several exclusions remove counts for each. Without exclusions it sends nothing.
func (s *Source) Excluded(ctx context.Context, r Range) (counts []Excluded, of int64, err error) {
	var queries []dsl
	var at []int // the position in counts of each query
	networks := map[string]*networkCounts{}
	for i, q := range s.search.Exclude {
		counts = append(counts, Excluded{Name: q.String()})
		if n := s.networksOf(q, networks); n != nil {
			n.add(q, i)
			continue
		}
		query, err := q.Compile(s.fields)
		if err != nil {
			return nil, 0, excludeError(err)
		}
		queries, at = append(queries, query), append(at, i)
	}
	for _, e := range s.search.Exceptions {
		queries, at = append(queries, e.compile(s.fields)), append(at, len(counts))
		counts = append(counts, Excluded{Name: e.Name})
	}
	all := s.search
	all.Exclude, all.Exceptions = nil, nil
	matching, err := all.compile(s.fields)
	if err != nil {
		return nil, 0, err
	}
	numbers, of, err := s.countEach(ctx, matching, queries, r)
	for i, n := range numbers {
		counts[at[i]].Events = n
	}
	for _, field := range slices.Sorted(maps.Keys(networks)) {
		if err == nil {
			of, err = s.countNetworks(ctx, matching, field, networks[field], r, counts)
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("count what is excluded: %w", err)
	}
	return counts, of, nil
}

// countEach counts how many of the matching events in a range each query matches.
func (s *Source) countEach(ctx context.Context, matching dsl, queries []dsl, r Range) (numbers []int64, of int64, err error) {
	for chunk := range slices.Chunk(queries, excludedAtOnce) {
		part, err := elastic.InHalves(chunk, func(chunk []dsl) ([]int64, error) {
			var answer map[string]docCount
			if err := s.client.Search(ctx, s.request(s.excludedBody(matching, chunk, r)), &answer); err != nil {
				return nil, s.explain(ctx, err)
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

// fewNetworks is the number of exclusions above which networks are counted by their
// addresses. A filter for each of many is slow: 9,000 took Elasticsearch a minute,
// whatever the range.
const fewNetworks = 100

// networkCounts holds the exclusions of networks in a field.
type networkCounts struct {
	values     []string
	exclusions map[netip.Prefix][]int // positions of the exclusions with this network
}

// networksOf returns the networkCounts for an exclusion with only addresses and
// networks; nil for other exclusions, or if there are few exclusions.
func (s *Source) networksOf(q kql.Query, networks map[string]*networkCounts) *networkCounts {
	if len(s.search.Exclude) <= fewNetworks {
		return nil
	}
	field, values, ok := q.Values()
	if f := s.fields[field]; !ok || f.Object || f.NestedPath != "" || !slices.Equal(f.Types, []string{"ip"}) {
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
func (s *Source) countNetworks(ctx context.Context, matching dsl, field string, n *networkCounts, r Range, counts []Excluded) (of int64, err error) {
	matchesAny := anyOf(anyValue(field, s.fields[field], Entry{Values: n.values}))
	var answer struct {
		All   docCount `json:"all"`
		Taken struct {
			Addresses struct {
				Others  int64 `json:"sum_other_doc_count"`
				Buckets []struct {
					Key string `json:"key"`
					docCount
				} `json:"buckets"`
			} `json:"addresses"`
		} `json:"0"`
	}
	body := s.excludedBody(matching, []dsl{matchesAny}, r)
	body["aggs"].(dsl)["0"].(dsl)["aggs"] = dsl{"addresses": dsl{"terms": dsl{"field": field, "size": defaultPageSize}}}
	if err := s.client.Search(ctx, s.request(body), &answer); err != nil {
		return 0, s.explain(ctx, err)
	}
	if answer.Taken.Addresses.Others > 0 {
		return 0, fmt.Errorf("%s has more than %d excluded addresses", field, defaultPageSize)
	}
	for _, b := range answer.Taken.Addresses.Buckets {
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

func excludeError(err error) error { return fmt.Errorf("exclude: %w", err) }
