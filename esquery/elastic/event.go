package elastic

// An Event is a source document.
type Event struct {
	Index, ID string // "" if it is not known, or gone
	Source    []byte // a JSON object; nil if the index keeps no _source, or if it is Missing
	// Fields holds the requested fields, as far as the event has them. They come from the
	// mapping, and so include fields that _source lacks, such as alias and
	// constant_keyword fields. Dates are in RFC 3339.
	Fields map[string][]any
	// Ignored lists the fields with a value that is not indexed, such as one longer than
	// ignore_above: no search finds it.
	Ignored []string
	// Missing says why the event could not be fetched, "" if it was. Lacks says which
	// part could not be, and why.
	Missing, Lacks string
}

// Place returns _index/_id, "" if it is not known.
func (e *Event) Place() string {
	if e.ID == "" {
		return ""
	}
	return e.Index + "/" + e.ID
}
