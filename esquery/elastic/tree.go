package elastic

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Tree holds a value for each of some dotted names, and for their parents. Nil is an
// empty Tree.
type Tree[T any] struct {
	Value    T
	children map[string]*Tree[T]
}

// Make returns the node of a name, and adds it and its parents if needed.
func (t *Tree[T]) Make(name string) *Tree[T] {
	part, rest, more := strings.Cut(name, ".")
	child := t.children[part]
	if child == nil {
		if child = new(Tree[T]); t.children == nil {
			t.children = map[string]*Tree[T]{}
		}
		t.children[part] = child
	}
	if more {
		return child.Make(rest)
	}
	return child
}

// At returns the node of a name, or nil if there is none.
func (t *Tree[T]) At(name []byte) *Tree[T] {
	if t == nil {
		return nil
	}
	part, rest, more := bytes.Cut(name, []byte("."))
	child := t.children[string(part)]
	if more {
		return child.At(rest)
	}
	return child
}

// each calls f with every value in this node and below.
func (t *Tree[T]) each(f func(T)) {
	f(t.Value)
	for _, child := range t.children {
		child.each(f)
	}
}

// In calls f with the value of each name that is present in the document, even if its
// value is empty. Names below a value, like the multi-field message.text, are present
// with it.
func (t *Tree[T]) In(document Document, f func(T)) error {
	if len(document) == 0 {
		return nil
	}
	return t.in(document.Reader(), f)
}

func (t *Tree[T]) in(d *jsontext.Decoder, f func(T)) error {
	return EachMember(d, func(name []byte) error {
		place := t.At(name)
		switch {
		case place == nil:
		case d.PeekKind() == '{':
			f(place.Value)
			return place.in(d, f)
		default:
			place.each(f)
		}
		return d.SkipValue()
	})
}
