package rule

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"newterms/job/rule/document"
	"newterms/job/rule/textfile"
)

// A Library holds the contents of rule files.
type Library struct {
	Rules []Rule // in the order of the files
	// Skipped counts the rules that do not run, by their type, or by "disabled".
	Skipped  map[string]int
	Warnings []*Warning // of all rules, usable or not
	Expired  []ExpiredException
}

// Load returns the rules that Read returns.
func Load(paths ...string) ([]Rule, error) {
	l, err := Read(paths...)
	return l.Rules, err
}

// Read reads rule files and folders of them, in order: TOML of detection-rules, exports
// of Kibana (NDJSON), and JSON. It searches folders recursively for *.toml, *.ndjson
// and *.json, and ignores hidden files and the cases of rules (*.test.*). Warnings name
// other files that look like rules. Without paths it returns the built-in rule. In
// folders and exports it skips disabled rules and rules of other types. Its error joins
// an *Error for each rule that cannot be
// used; the others are returned even then.
func Read(paths ...string) (Library, error) {
	if len(paths) == 0 {
		r, err := Builtin()
		return Library{Rules: []Rule{r}, Warnings: r.Warnings}, err
	}
	l := loader{seen: map[string]string{}, lists: lists{}, skipped: map[string]int{}}
	for _, path := range paths {
		before := l.found
		if err := filepath.WalkDir(path, l.visit(path)); err != nil {
			l.problem(path, err)
		}
		if l.found == before {
			l.problem(path, errors.New("it contains no enabled new_terms rule (*.toml, *.ndjson, *.json)"))
		}
	}
	l.warnOfPages()
	l.lists.assignItems()
	var usable []Rule
	for _, r := range l.rules {
		// Without its lists a rule would alert on events that it should exclude.
		var err error
		if r.Exceptions, err = l.lists.of(r.Parameters["exceptions_list"], r.path); err != nil {
			l.problem(r.Source, err)
			continue
		}
		usable = append(usable, r)
	}
	return Library{Rules: usable, Skipped: l.skipped, Warnings: l.warnings}, errors.Join(l.problems...)
}

type loader struct {
	rules    []Rule // without their exceptions, which later files may have
	problems []error
	warnings []*Warning
	skipped  map[string]int
	seen     map[string]string // rule_id → path
	lists    lists
	pages    []pages
	found    int // rules, exception lists and problems
}

func (l *loader) problem(path string, err error) {
	if _, ok := errors.AsType[*Error](err); !ok {
		err = &Error{Path: path, Err: err}
	}
	l.problems = append(l.problems, err)
	l.found++
}

func (l *loader) visit(root string) fs.WalkDirFunc {
	return func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.problem(file, err)
		case file == root && !d.IsDir():
			l.add(file, false)
		case strings.HasPrefix(d.Name(), ".") && file != root:
			// Kubernetes keeps the files of a mounted ConfigMap in hidden
			// folders, and links to them.
			if d.IsDir() {
				return filepath.SkipDir
			}
		case strings.HasSuffix(file, ".test.toml"), strings.HasSuffix(file, ".test.ndjson"): // of package casefile
		case !d.IsDir() && slices.Contains([]string{".toml", ".ndjson", ".json"}, document.Extension(file)):
			l.add(file, true)
		default:
			l.warnOfUnread(file, d)
		}
		return nil
	}
}

// add reads a file. In a folder or an export, a rule that does not run is no problem.
func (l *loader) add(path string, inFolder bool) {
	data, err := os.ReadFile(path)
	var text string
	if err == nil {
		text, err = textfile.Text(data)
	}
	if err != nil {
		l.problem(path, err)
		return
	}
	among := inFolder || document.Extension(path) == ".ndjson"
	documents, err := document.Decode(path, text)
	if err != nil {
		for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
			l.problem(path, one)
		}
	}
	for _, d := range documents {
		if d.Found > 0 {
			l.page(d)
		}
		l.document(d, among || d.Found > 0)
	}
}

// pages are the answers of the _find API of the same kind and total: pages of one list
// of documents.
type pages struct {
	first document.Document
	n     int
}

func (l *loader) page(d document.Document) {
	for i, p := range l.pages {
		if p.first.Kind() == d.Kind() && p.first.Total == d.Total {
			l.pages[i].n++
			return
		}
	}
	l.pages = append(l.pages, pages{d, 1})
}

// warnOfPages warns about lists of which some pages are missing.
func (l *loader) warnOfPages() {
	for _, p := range l.pages {
		if p.n < p.first.Total {
			l.warnings = append(l.warnings, &Warning{p.first.Path, p.first.Line, "data", fmt.Sprintf(
				"it contains %d of %d objects: request per_page=%d from Kibana, or add the other pages", p.n, p.first.Total, p.first.Total)})
		}
	}
}

func (l *loader) document(d document.Document, among bool) {
	switch kind := d.Kind(); {
	case kind == document.Summary:
		l.warnOfSavedObject(d)
	case kind == document.Item:
		f := l.lists.in(d)
		f.items = append(f.items, d)
		l.found++
	case kind == document.List:
		f := l.lists.in(d)
		f.lists = append(f.lists, d)
		l.found++
	case kind == document.Unknown && among && document.Extension(d.Path) == ".json":
		l.skipped["no rule"]++ // some other file of the folder
	case kind == document.Unknown:
		l.problem(d.Place(), errors.New("it is neither a rule nor an exception list"))
	default:
		l.rule(d, among)
	}
}

func (l *loader) rule(d document.Document, among bool) {
	if enabled, ok := d.Table["enabled"].(bool); ok && !enabled && among {
		l.skipped["disabled"]++
		return
	}
	r, err := read(d)
	if among && errors.Is(err, errNotNewTerms) {
		l.skip(d)
		return
	}
	if other, ok := l.seen[r.ID]; err == nil && ok {
		err = &Error{Path: d.Place(), Err: fmt.Errorf("its rule_id %s is also that of %s", r.ID, other)}
	}
	l.warnings = append(l.warnings, r.Warnings...)
	if err != nil {
		l.problem(d.Place(), err)
		return
	}
	l.found++
	l.seen[r.ID] = r.Source
	l.rules = append(l.rules, r)
}
