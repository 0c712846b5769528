package kql

import "fmt"

// maxDepth bounds groups inside each other, so that no input exhausts the
// stack. The deepest of Elastic's 245 new-terms rules nests 7, and Elasticsearch
// refuses a query about 30 deep (indices.query.bool.max_nested_depth).
const maxDepth = 200

// Parse parses a KQL query, in time linear in its length. Groups may be 200 deep, with
// lists and nested groups. Its error is a *SyntaxError.
func Parse(query string) (Query, error) {
	q, err := newParser(query).parse()
	q.text = query
	return q, err
}

// A parser holds the position, and what was tried at the furthest position where a rule
// failed. That is where the mistake is.
type parser struct {
	query    string
	in       []rune // the query
	pos      int
	furthest int
	expected map[string]bool
	depth    int
	refusal  string // why the text at furthest is refused: see refuse
	steps    int    // characters read, for the test that parsing is linear
}

func newParser(query string) *parser {
	return &parser{query: query, in: []rune(query), expected: map[string]bool{}}
}

func (p *parser) parse() (Query, error) {
	p.checkEncoding()
	p.spaces()
	root, ok := p.or(p.sub)
	if !ok {
		root = nil // empty, or text is left and refused below
	}
	p.spaces()
	if p.pos < len(p.in) {
		p.fail("end of input")
	} else if p.refusal == "" {
		return Query{root: root}, nil
	}
	return Query{}, p.syntaxError()
}

// A rule parses at the current position, and moves it only if it succeeds.
type rule func() (node, bool)

func (p *parser) or(operand rule) (node, bool) {
	return p.chain("or", func() (node, bool) { return p.and(operand) })
}

func (p *parser) and(operand rule) (node, bool) {
	return p.chain("and", func() (node, bool) { return p.not(operand) })
}

func (p *parser) chain(keyword string, operand rule) (node, bool) {
	begin := p.pos
	first, ok := operand()
	if !ok {
		return nil, false
	}
	nodes, spans := []node{first}, []span{{begin, p.pos}}
	for {
		start := p.pos
		if !p.operator(keyword) {
			break
		}
		operandStart := p.pos
		next, ok := operand()
		if !ok {
			p.pos = start
			break
		}
		nodes, spans = append(nodes, next), append(spans, span{operandStart, p.pos})
	}
	if len(nodes) == 1 {
		return first, true
	}
	return chain{or: keyword == "or", nodes: nodes, spans: spans}, true
}

func (p *parser) not(operand rule) (node, bool) {
	start := p.pos
	if p.negation() {
		if n, ok := operand(); ok {
			return not{n}, true
		}
		p.pos = start
	}
	return operand()
}

// sub parses an operand of the query itself, or inside a nested group.
func (p *parser) sub() (node, bool) {
	if n, ok := p.group("(", p.sub, ")"); ok {
		return n, true
	}
	return p.expr()
}

// group parses an or-chain of operands between two tokens.
func (p *parser) group(open string, operand rule, end string) (node, bool) {
	start := p.pos
	if !p.token(open) {
		return nil, false
	}
	if p.depth == maxDepth {
		p.refuse(start, fmt.Sprintf("more than %d groups inside each other", maxDepth))
		p.pos = start
		return nil, false
	}
	p.depth++
	defer func() { p.depth-- }()
	p.spaces()
	n, ok := p.or(operand)
	if ok {
		p.spaces()
		ok = p.token(end)
	}
	if !ok {
		p.pos = start
	}
	return n, ok
}

// expr parses text, alone or as the field of what follows. It reads the text once,
// since it may be long: the grammar's nested, expr and value all begin with it.
func (p *parser) expr() (node, bool) {
	first, ok := p.literal("field name")
	if !ok {
		return nil, p.fail("value")
	}
	end := p.pos
	p.spaces()
	if n, ok := p.compare(&first); ok {
		return n, true
	}
	if p.token(":") {
		p.spaces()
		if n, ok := p.group("{", p.sub, "}"); ok {
			return nested{&first, n}, true
		}
		if n, ok := p.list(&first); ok {
			return n, true
		}
	}
	p.pos = end
	return is{nil, first}, true
}

// compare parses a range after its field. The first operator that fits is the operator,
// so that `n>=` is no `n>` with the value "=".
func (p *parser) compare(field *value) (node, bool) {
	start := p.pos
	for _, op := range []struct{ token, name string }{{"<=", "lte"}, {">=", "gte"}, {"<", "lt"}, {">", "gt"}} {
		if !p.token(op.token) {
			continue
		}
		p.spaces()
		if v, ok := p.literal("literal"); ok {
			return compare{field, op.name, v}, true
		}
		p.pos = start
		break
	}
	return nil, false
}

// list parses what may follow `field:`, and gives the field to each value.
func (p *parser) list(field *value) (node, bool) {
	operand := func() (node, bool) { return p.list(field) }
	if n, ok := p.group("(", operand, ")"); ok {
		if c, ok := n.(chain); ok {
			c.spans = nil // values are no queries
			n = c
		}
		return n, true
	}
	v, ok := p.literal("value")
	return is{field, v}, ok
}
