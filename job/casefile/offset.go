package casefile

import (
	"fmt"
	"strings"
	"time"

	"newterms/job/datemath"
)

// ParseOffset parses a time relative to the zero of a case: -6d23h, 0s, +5m.
func ParseOffset(text string) (time.Duration, error) {
	length, isBefore := strings.CutPrefix(text, "-")
	if !isBefore {
		length = strings.TrimPrefix(text, "+")
	}
	d, err := datemath.Duration(length)
	if days, rest, ok := strings.Cut(length, "d"); err != nil && ok { // with a fraction of seconds
		var whole, part time.Duration
		whole, err = datemath.Duration(days + "d")
		if err == nil {
			part, err = datemath.Duration(rest)
		}
		d = whole + part
	}
	if err != nil || length == "" {
		return 0, fmt.Errorf("%q is no time relative to the end of the case: write it like -6d23h, -5m or 0s", text)
	}
	if isBefore {
		d = -d
	}
	return d, nil
}

// Offset formats a time relative to the zero of a case, so that ParseOffset reads it.
func Offset(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	days := d / (24 * time.Hour)
	rest := d - days*24*time.Hour
	var b strings.Builder
	b.WriteString(sign)
	if days > 0 {
		fmt.Fprintf(&b, "%dd", days)
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "h"}, {time.Minute, "m"}} {
		if n := rest / unit.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.name)
			rest -= n * unit.length
		}
	}
	if rest > 0 || b.Len() == len(sign) {
		b.WriteString(rest.String())
	}
	return b.String()
}
