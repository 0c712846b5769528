package query

import (
	"net/netip"
	"strconv"
)

// CanExclude reports whether an exclusion `field: value` finds exactly the events with
// the value: the field is mapped as a keyword, an address or an integer, and the value
// is one.
func (o *Opened) CanExclude(field, value string) bool {
	f, mapped := o.Mapping.Fields[field]
	if !mapped || f.Object {
		return false
	}
	for _, kind := range f.Types {
		_, notAddress := netip.ParseAddr(value)
		_, notNumber := strconv.ParseInt(value, 10, 32)
		switch family(kind) {
		case "keyword", "flattened":
		case "ip":
			if notAddress != nil {
				return false
			}
		case "long":
			if notNumber != nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}
