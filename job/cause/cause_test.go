package cause

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unique"

	"newterms/esquery/kql"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// alert has an actor and an address of its own, and the given values of other kinds.
func alert(n int, values ...Value) Alert {
	a := Alert{ID: fmt.Sprintf("%06d", n), At: noon.Add(time.Duration(n) * time.Second)}
	for _, v := range append(values, Value{"actor", "okta.actor.id", fmt.Sprint("u", n), true}, Value{"client IP", "client.ip", fmt.Sprintf("192.0.%d.%d", n/256, n%256), true}) {
		a.Values = append(a.Values, unique.Make(v))
	}
	return a
}

func network(name string) Value { return Value{"network", "as", name, true} }
func account(name string) Value { return Value{"account", "cloud.account.id", name, false} }
func agent(name string) Value   { return Value{"user agent", "ua", name, false} }

// find finds a cause where some values are new.
func find(alerts []Alert, isNew ...Value) *Cause {
	var known []Known
	for _, e := range Frequent(alerts) {
		known = append(known, Known{e.Value, slices.Contains(isNew, e.Value)})
	}
	return Find(alerts, known)
}

// TestFloods hides three single attackers in floods of 100 and 10,000 pairs. They stand
// alone, and the order makes no difference.
func TestFloods(t *testing.T) {
	agents := []Value{agent("Chrome"), agent("Safari"), agent("Firefox")}
	for _, size := range []int{100, 10_000} {
		for name, c := range map[string]struct {
			of        func(n int) []Value
			attackers [3][]Value
			isNew     []Value
			text, kql string
		}{
			"one network": {
				func(n int) []Value { return []Value{network("VPN"), account("1"), agents[n%3]} },
				[3][]Value{{network("X"), account("1"), agents[0]}, {network("Y"), account("1"), agents[1]}, {network("Z"), account("1"), agent("curl")}},
				[]Value{network("VPN"), network("X")}, `the network "VPN", new to everyone`, `as: "VPN"`,
			},
			"a known network": {
				func(n int) []Value { return []Value{network("VPN"), account("1"), agents[n%3]} },
				[3][]Value{{network("X"), account("1")}, {network("Y"), account("1")}, {account("1")}},
				nil, `the network "VPN"`, `as: "VPN"`,
			},
			"attackers of the same network": {
				func(n int) []Value { return []Value{network("VPN"), account("1"), agent("Chrome")} },
				[3][]Value{{network("VPN"), account("1"), agent("curl")}, {network("VPN"), account("2"), agent("Chrome")}, {network("Y"), account("1"), agent("Chrome")}},
				[]Value{network("VPN")}, `the network "VPN", new to everyone, and the account "1", and the user agent "Chrome"`,
				`as: "VPN" and cloud.account.id: "1" and ua: "Chrome"`,
			},
			"a tenant": {
				func(n int) []Value {
					return []Value{network([]string{"A", "B", "C", "D"}[n%4]), account("new"), agents[n%3]}
				},
				[3][]Value{{network("A"), account("1"), agents[0]}, {network("X"), account("2")}, {network("B"), account("3")}},
				[]Value{account("new")}, `the account "new", new to everyone`, `cloud.account.id: "new"`,
			},
			"a renamed field": {
				func(n int) []Value {
					return []Value{network([]string{"A", "B", "C", "D"}[n%4]), account(""), agents[n%3]}
				},
				[3][]Value{{network("A"), account("1"), agents[0]}, {network("X"), account("2")}, {network("B"), account("3")}},
				[]Value{account("")}, `the absence of cloud.account.id, new to everyone`, `not cloud.account.id: *`,
			},
		} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				var alerts []Alert
				for n := range size {
					alerts = append(alerts, alert(n, c.of(n)...))
				}
				for i, values := range c.attackers {
					alerts = append(alerts, alert(size+i, values...))
				}
				got := find(alerts, c.isNew...)
				if got == nil || got.Covered != size || got.Total != size+3 {
					t.Fatalf("got %+v", got)
				}
				if want := fmt.Sprintf("%d of %d alerts share ", size, size+3) + c.text; got.String() != want || got.Exclusion() != c.kql {
					t.Errorf("got %s\n%s\nwant %s\n%s", got, got.Exclusion(), want, c.kql)
				}
				random := rand.New(rand.NewPCG(uint64(size), 1))
				for range 3 {
					random.Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
					if again := find(alerts, c.isNew...); !reflect.DeepEqual(again, got) {
						t.Errorf("shuffled: got %+v, want %+v", again, got)
					}
				}
			})
		}
	}
}

func TestTwoCauses(t *testing.T) {
	var alerts []Alert
	for n := range 40 {
		of := []Value{network("VPN"), account("1")}
		if n%4 == 0 {
			of = []Value{network(fmt.Sprint("N", n)), account("new")}
		}
		alerts = append(alerts, alert(n, of...))
	}
	got := find(alerts, network("VPN"), account("new"))
	if want := `40 of 40 alerts share one of: the network "VPN", new to everyone; the account "new", new to everyone`; got == nil || got.String() != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if where, want := got.Where("run", []string{"okta.actor.id", "cloud.account.id"}), `newterms.run.id: "run" and (as: "VPN" or kibana.alert.new_terms: "new")`; where != want || got.Share() != 1 {
		t.Errorf("got %s, want %s; share %v", where, want, got.Share())
	}
}

// TestWhere finds the alerts with any value, and can stand in a link and in a shell.
func TestWhere(t *testing.T) {
	for _, value := range []string{`O'Neil's VPN`, "Yahoo!", `back\slash\'`, `"quoted"`, `\u0027`, "a b  c", "日本 ü 😀", "!'(),:@*&%#+?/="} {
		var alerts []Alert
		for n := range 10 {
			alerts = append(alerts, alert(n, network(value)))
		}
		where := find(alerts).Where("run", nil)
		as, ok := strings.CutPrefix(where, `newterms.run.id: "run" and (`)
		q, err := kql.Parse(strings.TrimSuffix(as, ")"))
		if field, values, isOne := q.Values(); err != nil || !ok || !isOne || field != "as" || !slices.Equal(values, []string{value}) || strings.ContainsAny(where, "'!") {
			t.Errorf("%s: %s is read as %s: %q, %v", value, where, field, values, err)
		}
	}
}

// TestSmallGroups leaves an attacker alone among ten, and names no group of less than a
// tenth.
func TestSmallGroups(t *testing.T) {
	var ten, hundred []Alert
	for n := range 10 {
		ten = append(ten, alert(n, network("VPN"), agent([]string{"Chrome", "curl"}[n/9])))
	}
	for n := range 100 {
		name := "VPN"
		switch {
		case n >= 92:
			name = "small"
		case n >= 80:
			name = fmt.Sprint("N", n)
		}
		hundred = append(hundred, alert(n, network(name)))
	}
	for want, alerts := range map[string][]Alert{
		`9 of 10 alerts share the network "VPN", and the user agent "Chrome"`: ten, `80 of 100 alerts share the network "VPN"`: hundred,
	} {
		if got := find(alerts); got == nil || got.String() != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

// TestNoCause has too few alerts, ones that share only what all events have, too many
// causes, and a cause of a third.
func TestNoCause(t *testing.T) {
	var few, accounts, many, minority []Alert
	for n := range 30 {
		minority = append(minority, alert(n, network(fmt.Sprint("N", max(10, n)))))
		if n < Least-1 {
			few = append(few, alert(n, network("VPN")))
		}
		accounts = append(accounts, alert(n, account("1")))
		many = append(many, alert(n, network(fmt.Sprint("N", n%8))))
	}
	for name, alerts := range map[string][]Alert{"too few": few, "an account that is always there": accounts, "many networks": many, "a minority": minority} {
		if got := find(alerts); got != nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// TestFrequent names the earliest alert of each value that enough alerts share.
func TestFrequent(t *testing.T) {
	var alerts []Alert
	for n := range 30 {
		alerts = append(alerts, alert(n, network(fmt.Sprint("N", n%10)), account(fmt.Sprint(n/20))))
	}
	slices.Reverse(alerts)
	var got []string
	for _, e := range Frequent(alerts) {
		got = append(got, e.Value.Value+" "+e.Alert.ID)
	}
	if want := []string{"0 000000", "1 000020"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestApart hides attackers in a flood who differ from all others in one fact that is new.
// Facts that are new of many alerts are the flood's own. A field that alerts lack is in no
// exclusion.
func TestApart(t *testing.T) {
	for _, size := range []int{10, 11, 50, 200} {
		var alerts []Alert
		for n := range size + 3 {
			of := agent([]string{"Chrome", "new"}[n%2])
			if n >= size {
				of = agent([]string{"curl", "curl", `py"thon`}[n-size])
			}
			a := alert(n, network("VPN"), agent(of.Value))
			address := Value{"client IP", "client.ip", fmt.Sprint("192.0.2.", n), true}
			a.Facts = []Fact{
				{Value: unique.Make(of), New: n == 1 || n == size || n == size+2}, {Value: unique.Make(address), New: true},
				{Value: unique.Make(network("VPN")), New: n == 0},
			}
			if n == 3 {
				a.Facts = append(a.Facts, Fact{Value: unique.Make(Value{Kind: "device", Field: "device", Value: "tablet"}), New: true, Unsearched: true})
			}
			alerts = append(alerts, a)
		}
		random := rand.New(rand.NewPCG(uint64(size), 2))
		for range 3 {
			random.Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
			got := find(alerts, network("VPN"))
			if got == nil || got.Covered != size || got.Total != size+3 {
				t.Fatalf("%d: got %v", size, got)
			}
			if want := `as: "VPN" and not ua: "curl" and not ua: "py\"thon"`; got.Exclusion() != want {
				t.Errorf("%d: got %s, want %s", size, got.Exclusion(), want)
			}
		}
	}
}

// TestIsNew knows only what an alert's facts say.
func TestIsNew(t *testing.T) {
	a := Alert{Facts: []Fact{{Value: unique.Make(network("VPN")), New: true}, {Value: unique.Make(agent("Chrome"))}}}
	for _, c := range []struct {
		value     Value
		isNew, ok bool
	}{{network("VPN"), true, true}, {agent("Chrome"), false, true}, {network("Chrome"), false, false}, {agent("VPN"), false, false}} {
		if isNew, ok := a.IsNew(c.value.Field, c.value.Value); isNew != c.isNew || ok != c.ok {
			t.Errorf("%v is new: %t, %t", c.value, isNew, ok)
		}
	}
}

func TestLongValue(t *testing.T) {
	var alerts []Alert
	for n := range 10 {
		alerts = append(alerts, alert(n, network(strings.Repeat("x\n", 500))))
	}
	if got := find(alerts); got == nil || len(got.String()) > 150 || strings.Contains(got.String(), "\n") || len(got.Exclusion()) < 1000 {
		t.Errorf("got %v", got)
	}
}
