package query

import (
	"net/netip"
	"slices"
)

// addresses merges networks and ranges of IP addresses that touch or overlap. Each
// merged range is a clause, and a cluster accepts only so many, depending on its heap.
// Any number of single addresses are one clause. Other values stay, for the cluster to
// refuse.
func addresses(values []string, ranges [][2]string) (single []string, merged [][2]string) {
	type span struct{ from, to netip.Addr }
	var spans []span
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil || p.Addr().Is4In6() {
			single = append(single, v)
			continue
		}
		spans = append(spans, span{p.Masked().Addr(), lastOf(p)})
	}
	for _, r := range ranges {
		from, fromErr := netip.ParseAddr(r[0])
		to, toErr := netip.ParseAddr(r[1])
		if fromErr != nil || toErr != nil || from.BitLen() != to.BitLen() || to.Less(from) {
			merged = append(merged, r)
			continue
		}
		spans = append(spans, span{from, to})
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	for i := 0; i < len(spans); {
		s := spans[i]
		for i++; i < len(spans) && spans[i].from.BitLen() == s.to.BitLen() && touches(s.to, spans[i].from); i++ {
			if s.to.Less(spans[i].to) {
				s.to = spans[i].to
			}
		}
		merged = append(merged, [2]string{s.from.String(), s.to.String()})
	}
	return single, merged
}

// touches reports whether from is no later than the address after to.
func touches(to, from netip.Addr) bool {
	next := to.Next() // the zero Addr after the last one
	return !next.IsValid() || !next.Less(from)
}

// lastOf returns the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < p.Addr().BitLen(); bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	last, _ := netip.AddrFromSlice(bytes) // of 4 or 16 bytes, as they came
	return last
}
