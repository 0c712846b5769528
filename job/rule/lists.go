package rule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"newterms/job/rule/document"
)

// A listName names an exception list in rules and items. Lists of several spaces may
// have the same name.
type listName struct{ id, namespace string }

func (n listName) String() string { return fmt.Sprintf("exception list %q (%s)", n.id, n.namespace) }

// listNameOf reads list_id and namespace_type, which is single if absent.
func listNameOf(table map[string]any) listName {
	id, _ := table["list_id"].(string)
	namespace, _ := table["namespace_type"].(string)
	return listName{id, cmp.Or(namespace, "single")}
}

// lists are the exception lists of all files, in the order of the files.
type lists map[listName][]*listFile

// A listFile is the part of a file about the lists of one name. If it has only items,
// the list is in another file.
type listFile struct {
	path  string
	lists []document.Document
	items []document.Document
}

func (l lists) in(d document.Document) *listFile {
	name := listNameOf(d.Table)
	for _, f := range l[name] {
		if f.path == d.Path {
			return f
		}
	}
	f := &listFile{path: d.Path}
	l[name] = append(l[name], f)
	return f
}

// assignItems moves items without a namespace_type to the agnostic list of their file,
// if there is no single list of that name.
func (l lists) assignItems() {
	for name, files := range l {
		for _, f := range files {
			other := slices.IndexFunc(l[listName{name.id, "agnostic"}], func(o *listFile) bool { return o.path == f.path && len(o.lists) > 0 })
			if name.namespace != "single" || len(f.lists) > 0 || other < 0 {
				continue
			}
			agnostic := l[listName{name.id, "agnostic"}][other]
			f.items = slices.DeleteFunc(f.items, func(d document.Document) bool {
				_, given := d.Table["namespace_type"]
				if !given {
					agnostic.items = append(agnostic.items, d)
				}
				return !given
			})
		}
		l[name] = slices.DeleteFunc(l[name], func(f *listFile) bool { return len(f.lists)+len(f.items) == 0 })
	}
}

// identity returns the list's id in Kibana, which differs between spaces, or else its
// file.
func identity(list document.Document) string {
	id, _ := list.Table["id"].(string)
	return cmp.Or(id, "in "+list.Path)
}

// identities returns the first document.Document of each different list.
func identities(files []*listFile) []document.Document {
	var different []document.Document
	for _, f := range files {
		for _, list := range f.lists {
			if !slices.ContainsFunc(different, func(d document.Document) bool { return identity(d) == identity(list) }) {
				different = append(different, list)
			}
		}
	}
	return different
}

// of reads the items of the lists in exceptions_list, a value of a rule in the file
// path.
func (l lists) of(value any, path string) ([]Exception, error) {
	references, _ := document.Tables(value)
	var exceptions []Exception
	var problems []error
	for _, reference := range references {
		more, err := l.resolve(reference, path)
		exceptions, problems = append(exceptions, more...), append(problems, err)
	}
	return exceptions, errors.Join(problems...)
}

// resolve reads the items of the list that a reference names: the one with its id, or
// else the only one in the rule's own file, or else the only one in all files.
func (l lists) resolve(reference map[string]any, path string) ([]Exception, error) {
	name := listNameOf(reference)
	files := l[name]
	if len(files) == 0 {
		return nil, l.absentList(name)
	}
	id, _ := reference["id"].(string)
	own := slices.IndexFunc(files, func(f *listFile) bool { return f.path == path && len(f.lists) > 0 })
	all := identities(files)
	candidates := all
	switch byID := slices.IndexFunc(all, func(d document.Document) bool { return identity(d) == id }); {
	case byID >= 0:
		candidates = all[byID : byID+1]
	case own >= 0:
		candidates = identities(files[own : own+1])
	}
	if len(all) == 0 {
		return readItems(name, files, "")
	}
	exceptions, err := readItems(name, files, identity(candidates[0]))
	if err != nil {
		return nil, err
	}
	for _, other := range candidates[1:] { // equal lists are not ambiguous
		if more, err := readItems(name, files, identity(other)); err != nil || !sameExceptions(exceptions, more) {
			return nil, fmt.Errorf("%s: %s and %s contain two different lists of that name, perhaps of two spaces: "+
				"write the id of the right one into its entry in exceptions_list, or remove the other", name, candidates[0].Place(), other.Place())
		}
	}
	return exceptions, nil
}

// absentList returns the error about a list that no file has. It names a similar one.
func (l lists) absentList(name listName) error {
	for _, namespace := range []string{"single", "agnostic"} {
		if files := l[listName{name.id, namespace}]; len(files) > 0 {
			return fmt.Errorf("exceptions_list names %q with the namespace_type %s, but %s has it with %s: correct exceptions_list",
				name.id, name.namespace, files[0].path, namespace)
		}
	}
	return fmt.Errorf("exceptions_list names %q, which is in none of the files: export the list with the rule, or remove it from exceptions_list", name.id)
}
