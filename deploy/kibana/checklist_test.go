package kibana_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"newterms/esquery/kql"
)

// A checklist collects what Kibana would refuse, load wrongly or show empty. It
// is stricter than Kibana's importer, which checks only the references to data
// views and searches.
type checklist struct {
	mappings map[string]map[string]string // data view → field → type, of the installed targets
	titles   map[string]string            // data view → target
	times    map[string]string            // data view → time field
	objects  map[string]savedObject       // by type/id
	problems []string
	where    string // of the problem
}

type reference struct{ Name, Type, ID string }

type savedObject struct {
	Type, ID             string
	Attributes           json.RawMessage
	References           []reference
	CoreMigrationVersion string
	TypeMigrationVersion string
}

func (c *checklist) problem(format string, args ...any) {
	c.problems = append(c.problems, c.where+": "+fmt.Sprintf(format, args...))
}

// decode reads JSON into v, refusing keys that v does not know.
func (c *checklist) decode(what string, text []byte, v any) bool {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		c.problem("%s: %v", what, err)
		return false
	}
	return true
}

// check returns the problems of saved objects.
func (c *checklist) check(ndjson []byte) []string {
	c.problems, c.objects = nil, map[string]savedObject{}
	var all []savedObject
	for i, line := range bytes.Split(bytes.TrimSuffix(ndjson, []byte("\n")), []byte("\n")) {
		c.where = fmt.Sprintf("line %d", i+1)
		if o, ok := c.line(line); ok {
			all = append(all, o)
		}
	}
	for _, o := range all {
		c.where = o.Type + "/" + o.ID
		for _, r := range o.References {
			if _, ok := c.objects[r.Type+"/"+r.ID]; !ok {
				c.problem("reference %s to %s/%s, which is not in the file", r.Name, r.Type, r.ID)
			}
		}
		switch o.Type {
		case "index-pattern":
			c.dataView(o)
		case "search":
			c.session(o)
		case "dashboard":
			c.dashboard(o)
		case "tag":
			c.tag(o)
		}
	}
	return c.problems
}

// stamps are the typeMigrationVersions that each supported Kibana reads.
func stamps() map[string]string {
	return map[string]string{"index-pattern": "8.0.0", "search": "8.0.0", "dashboard": "8.9.0", "tag": "8.0.0"}
}

func (c *checklist) line(line []byte) (savedObject, bool) {
	var o struct {
		savedObject
		Managed bool
	}
	if !c.decode("object", line, &o) {
		return o.savedObject, false
	}
	var canonical any
	if err := json.Unmarshal(line, &canonical); err != nil || !bytes.Equal(encode(canonical), line) {
		c.problem("it is not in canonical form: run go generate ./deploy/kibana")
	}
	key := o.Type + "/" + o.ID
	if _, twice := c.objects[key]; twice {
		c.problem("%s stands twice", key)
	}
	c.objects[key] = o.savedObject
	if want, ok := stamps()[o.Type]; !ok || o.TypeMigrationVersion != want || o.CoreMigrationVersion != "8.8.0" {
		c.problem("%s is stamped %q and %q", key, o.CoreMigrationVersion, o.TypeMigrationVersion)
	}
	if o.References == nil {
		c.problem("%s has no references, which must be a list", key)
	}
	return o.savedObject, true
}

func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// referenceNames checks that an object has exactly the references that it needs.
func (c *checklist) referenceNames(o savedObject, needed map[string]string) {
	for _, r := range o.References {
		if target, ok := needed[r.Name]; !ok {
			c.problem("reference %s is used by nothing, or stands twice", r.Name)
		} else if target != r.ID {
			c.problem("reference %s is to %s, inside it is to %s", r.Name, r.ID, target)
		}
		delete(needed, r.Name)
	}
	for name := range needed {
		c.problem("reference %s is missing", name)
	}
}

func (c *checklist) tag(o savedObject) {
	var a struct{ Name, Description, Color string }
	if c.decode("attributes", o.Attributes, &a) && (a.Name == "" || !isColor(a.Color)) {
		c.problem("a tag needs a name and a colour, not %q and %q", a.Name, a.Color)
	}
	c.referenceNames(o, map[string]string{})
}

// tagged wants an object to carry the tag.
func (c *checklist) tagged(needed map[string]string) map[string]string {
	needed["tag-ref-newterms-tag"] = "newterms-tag"
	return needed
}

func (c *checklist) dataView(o savedObject) {
	var a struct {
		Title, Name, TimeFieldName                                         string
		AllowHidden, AllowNoIndex                                          bool
		Fields, FieldAttrs, FieldFormatMap, RuntimeFieldMap, SourceFilters string
	}
	if !c.decode("attributes", o.Attributes, &a) {
		return
	}
	if a.Title != c.titles[o.ID] {
		c.problem("its title is %s, the target is %s", a.Title, c.titles[o.ID])
	}
	if strings.HasPrefix(a.Title, ".") && !a.AllowHidden {
		c.problem("allowHidden is missing, so the hidden target is not found")
	}
	if !a.AllowNoIndex {
		c.problem("allowNoIndex is missing, so it is an error before the target exists")
	}
	c.field(o.ID, a.TimeFieldName, "date")
	c.times[o.ID] = a.TimeFieldName
	var list []any
	c.decode("fields", []byte(a.Fields), &list)
	c.decode("sourceFilters", []byte(a.SourceFilters), &list)
	var other map[string]any
	c.decode("fieldAttrs", []byte(a.FieldAttrs), &other)
	c.decode("runtimeFieldMap", []byte(a.RuntimeFieldMap), &other)
	c.formats(o.ID, a.FieldFormatMap)
	c.referenceNames(o, map[string]string{})
}

// field checks that a data view has a field of one of the types; of any type if
// none is given.
func (c *checklist) field(view, name string, types ...string) {
	kind, ok := c.mappings[view][name]
	switch {
	case !ok:
		c.problem("%s has no field %s", view, name)
	case len(types) > 0 && !slices.Contains(types, kind):
		c.problem("%s of %s is of type %s, which does not fit", name, view, kind)
	}
}

// groupable are the types of mapped fields that values can be counted of.
func groupable() []string { return []string{"keyword", "boolean", "ip", "date", "long", "float"} }

type query struct{ Language, Query string }

func (c *checklist) query(view string, q query) {
	if q.Language != "kuery" {
		c.problem("query language %q", q.Language)
	}
	parsed, err := kql.Parse(q.Query)
	if err != nil {
		c.problem("query: %v", err)
		return
	}
	for _, name := range parsed.Names() {
		c.field(view, name)
	}
}

// searchSource reads kibanaSavedObjectMeta.
func (c *checklist) searchSource(view string, meta json.RawMessage) (indexRefName string) {
	var m struct{ SearchSourceJSON string }
	var source struct {
		Query        query
		Filter       []any
		IndexRefName string
	}
	if c.decode("kibanaSavedObjectMeta", meta, &m) && c.decode("searchSourceJSON", []byte(m.SearchSourceJSON), &source) {
		c.query(view, source.Query)
	}
	return source.IndexRefName
}
