package query

import (
	"reflect"
	"testing"
)

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		ranges [][2]string
		single []string
		merged [][2]string
	}{
		{"neighbours", []string{"10.0.1.0/24", "10.0.0.0/24", "10.0.3.0/24"}, nil, nil, [][2]string{{"10.0.0.0", "10.0.1.255"}, {"10.0.3.0", "10.0.3.255"}}},
		{"one in the other", []string{"10.0.0.0/8", "10.1.0.0/16"}, [][2]string{{"10.255.255.250", "11.0.0.5"}}, nil, [][2]string{{"10.0.0.0", "11.0.0.5"}}},
		{"the whole of both families", []string{"0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32"}, nil, nil,
			[][2]string{{"0.0.0.0", "255.255.255.255"}, {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}}},
		{"with bits of the host", []string{"192.0.2.77/24", "2001:db8::1/127"}, nil, nil, [][2]string{{"192.0.2.0", "192.0.2.255"}, {"2001:db8::", "2001:db8::1"}}},
		{"single and none", []string{"192.0.2.1", "10.0.0.0/33", "x"}, [][2]string{{"b", "a"}, {"10.0.0.9", "10.0.0.1"}},
			[]string{"192.0.2.1", "10.0.0.0/33", "x"}, [][2]string{{"b", "a"}, {"10.0.0.9", "10.0.0.1"}}},
	} {
		if single, merged := addresses(c.values, c.ranges); !reflect.DeepEqual(single, c.single) || !reflect.DeepEqual(merged, c.merged) {
			t.Errorf("%s: got %v, %v", c.name, single, merged)
		}
	}
}
