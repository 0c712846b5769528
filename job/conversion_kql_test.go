package job_test

import (
	"math/rand/v2"
	"strings"
)

// The fields of the conversions' index, and what a nested one stands in.
func conversionFields() map[string]struct{ kind, path string } {
	return map[string]struct{ kind, path string }{
		"@timestamp": {"date", ""}, "user": {"keyword", ""}, "k": {"keyword", ""}, "t": {"text", ""}, "n": {"long", ""}, "b": {"boolean", ""}, "d": {"date", ""}, "ip": {"ip", ""},
		"obj.k": {"keyword", ""}, "obj.n": {"long", ""},
		"nst.k": {"keyword", "nst"}, "nst.t": {"text", "nst"}, "nst.n": {"long", "nst"}, "nst.b": {"boolean", "nst"}, "nst.d": {"date", "nst"},
		"nst.null": {"keyword", "nst"}, "nst.deep.k": {"keyword", "nst.deep"},
	}
}

// A literal is a field name or value of KQL: how it is written and what Kibana's
// parser makes of it.
type literal struct {
	written string
	quoted  bool
	value   any      // a text, a bool or nil
	pieces  []string // of a wildcard, else nil
}

func plainLiteral(text string) literal { return literal{written: text, value: text} }

func wildLiteral(text string) literal {
	return literal{written: text, value: text, pieces: strings.Split(text, "*")}
}

func (l literal) isStar() bool { return l.pieces != nil && l.value == "*" }

// A tree is a parsed query. kind is and, or, not, nested, is or an operator of a
// range. Free text is an is whose field is null.
type tree struct {
	kind         string
	of           []tree
	field, value literal
}

func pickOne[T any](random *rand.Rand, values ...T) T { return values[random.IntN(len(values))] }

// randomTree is a query inside a path, "" for outside of any.
func randomTree(random *rand.Rand, path string, depth int) tree {
	switch roll := random.IntN(10); {
	case depth > 0 && roll < 4:
		t := tree{kind: pickOne(random, "and", "or")}
		for range 2 + random.IntN(2) {
			t.of = append(t.of, randomTree(random, path, depth-1))
		}
		return t
	case depth > 0 && roll < 5:
		return tree{kind: "not", of: []tree{randomTree(random, path, depth-1)}}
	case depth > 0 && roll < 8:
		inner := plainLiteral(pickOne(random, "nst", "nst", "nst", "nst", "nst.deep", "obj", "k", "nowhere"))
		if path != "" {
			inner = plainLiteral(pickOne(random, "deep", "deep", "k", "nowhere"))
		}
		inside := strings.TrimPrefix(path+"."+inner.written, ".")
		return tree{kind: "nested", field: inner, of: []tree{randomTree(random, inside, depth-1)}}
	}
	field := randomField(random, path)
	if random.IntN(6) == 0 && field.value != nil {
		return tree{kind: pickOne(random, "lt", "lte", "gt", "gte"), field: field,
			value: plainLiteral(pickOne(random, "5", "7", "rome", "2026-03-02", "10.0.0.5"))}
	}
	return tree{kind: "is", field: field, value: randomValue(random)}
}

func randomField(random *rand.Rand, path string) literal {
	if random.IntN(8) == 0 {
		return literal{written: pickOne(random, "", "null")}
	}
	if path != "" {
		text := pickOne(random, "k", "k", "t", "n", "b", "d", "deep.k", "x", "k*", "*", "*.k", "n*")
		if path == "nst.deep" {
			text = pickOne(random, "k", "k", "k*", "x")
		}
		return fieldLiteral(text)
	}
	return fieldLiteral(pickOne(random, "k", "k", "k", "t", "t", "n", "b", "d", "ip", "obj.k", "obj.n", "x", "nst.k",
		"k*", "obj.*", "*k", "nst.k*", "nst.d*", "ns*.t", "x*", "*"))
}

func fieldLiteral(text string) literal {
	if strings.Contains(text, "*") {
		return wildLiteral(text)
	}
	return plainLiteral(text)
}

func randomValue(random *rand.Rand) literal {
	return pickOne(random,
		plainLiteral("rome"), plainLiteral("rome"), plainLiteral("S3 one"), plainLiteral("oslo rome"), plainLiteral("7"), plainLiteral("2026-03-02"),
		literal{written: `"rome"`, quoted: true, value: "rome"}, literal{written: `"S3 one"`, quoted: true, value: "S3 one"},
		literal{written: `"7"`, quoted: true, value: "7"}, literal{written: `"*"`, quoted: true, value: "*"}, literal{written: `x\*y`, value: "x*y"},
		literal{written: "true", value: true}, literal{written: "false", value: false}, literal{written: "null"},
		wildLiteral("*"), wildLiteral("*"), wildLiteral("ro*"), wildLiteral("*o*"), wildLiteral("S3 on*"), wildLiteral("S3 o*e"), wildLiteral("a-*"), wildLiteral("**"),
		plainLiteral("10.0.0.7"), plainLiteral("10.0.0.0/24"),
	)
}

// kql writes the tree out.
func (t tree) kql() string {
	switch t.kind {
	case "and", "or":
		var of []string
		for _, child := range t.of {
			of = append(of, child.kql())
		}
		return "(" + strings.Join(of, " "+t.kind+" ") + ")"
	case "not":
		return "not (" + t.of[0].kql() + ")"
	case "nested":
		return t.field.written + ":{ " + t.of[0].kql() + " }"
	case "is":
		if t.field.written == "" {
			return t.value.written
		}
		return t.field.written + ": " + t.value.written
	}
	return t.field.written + map[string]string{"lt": " < ", "lte": " <= ", "gt": " > ", "gte": " >= "}[t.kind] + t.value.written
}
