package kibana_test

import (
	"encoding/json"
	"slices"
	"strings"
)

type session struct {
	Title, Description string
	Columns            []string
	Sort               [][]string
	Grid               struct {
		Columns map[string]struct{ Width int }
	}
	HideChart, IsTextBasedQuery, TimeRestore bool
	KibanaSavedObjectMeta                    json.RawMessage
}

func (c *checklist) session(o savedObject) {
	var a session
	if !c.decode("attributes", o.Attributes, &a) || len(o.References) != 2 {
		c.problem("it needs two references")
		return
	}
	view := o.References[0].ID
	c.referenceNames(o, c.tagged(map[string]string{c.searchSource(view, a.KibanaSavedObjectMeta): view}))
	if !strings.HasSuffix(a.Title, " [newterms]") {
		c.problem("its title %q tells it from no other of the space", a.Title)
	}
	for name := range a.Grid.Columns {
		if !slices.Contains(a.Columns, name) {
			c.problem("%s has a width and is no column", name)
		}
	}
	for _, name := range a.Columns {
		c.field(view, name)
	}
	for _, by := range a.Sort {
		if len(by) != 2 || by[1] != "asc" && by[1] != "desc" {
			c.problem("sort %v", by)
			continue
		}
		c.field(view, by[0], groupable()...)
	}
}
