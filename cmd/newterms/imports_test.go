package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestImports compares the code with the layout that CONTRIBUTING shows: each package
// imports of ours what its row says, nothing more or less, and only packages of rows
// above; and the arrows of the picture are in the table.
func TestImports(t *testing.T) {
	rows, arrows := layout(t)
	imports := ourImports(t)
	entered := map[string][]string{}
	for _, row := range rows {
		entered[row.name] = row.imports
	}
	for name := range imports {
		if _, ok := entered[name]; !ok {
			t.Errorf("CONTRIBUTING lacks a row for %s", name)
		}
	}
	var above []string
	for _, row := range rows {
		actual, ok := imports[row.name]
		if !ok {
			t.Errorf("CONTRIBUTING has a row for %s, which does not exist", row.name)
		}
		for _, name := range actual {
			if !slices.ContainsFunc(row.imports, func(pattern string) bool { return matches(pattern, name) }) {
				t.Errorf("%s imports %s, and its row in CONTRIBUTING does not say so", row.name, name)
			}
			if !slices.Contains(above, name) {
				t.Errorf("%s imports %s, which is not above it in CONTRIBUTING", row.name, name)
			}
		}
		for _, pattern := range row.imports {
			if !slices.ContainsFunc(actual, func(name string) bool { return matches(pattern, name) }) {
				t.Errorf("CONTRIBUTING says that %s imports %s, and it does not", row.name, pattern)
			}
		}
		above = append(above, row.name)
	}
	for _, arrow := range arrows {
		if !slices.Contains(imports[arrow[0]], arrow[1]) {
			t.Errorf("CONTRIBUTING draws %s ──► %s, which is no import", arrow[0], arrow[1])
		}
	}
	if slices.Contains(imports["alerts"], "esquery") || slices.Contains(imports["esquery"], "alerts") {
		t.Error("esquery and alerts import each other")
	}
}

// matches reports whether a name of CONTRIBUTING, such as job/*, means a package.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// A row of the layout says what of ours a package imports.
type row struct {
	name    string
	imports []string
}

// layout reads the table of packages and the arrows of the picture from CONTRIBUTING.
func layout(t *testing.T) (rows []row, arrows [][2]string) {
	t.Helper()
	text, err := os.ReadFile("../../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## The layout\n")
	section, _, _ = strings.Cut(section, "\n## ")
	code := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.HasPrefix(cells[1], " `") {
			r := row{name: strings.Trim(cells[1], " `")}
			for _, m := range code.FindAllStringSubmatch(cells[3], -1) {
				r.imports = append(r.imports, m[1])
			}
			rows = append(rows, r)
		}
		names := strings.Split(line, "──►")
		for i := 1; i < len(names); i++ {
			from, to := strings.Fields(names[i-1]), strings.Fields(names[i])
			arrows = append(arrows, [2]string{from[0], to[0]})
		}
	}
	if len(rows) == 0 || len(arrows) == 0 {
		t.Fatal("CONTRIBUTING lacks the table or the picture")
	}
	return rows, arrows
}

// ourImports are the packages of this module, with those of them that each imports.
func ourImports(t *testing.T) map[string][]string {
	t.Helper()
	const module = "newterms/"
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return imports
		} else if err != nil {
			t.Fatal(err)
		}
		ours := []string{}
		for _, name := range p.Imports {
			if short, ok := strings.CutPrefix(name, module); ok {
				ours = append(ours, short)
			}
		}
		imports[strings.TrimPrefix(p.ImportPath, module)] = ours
	}
}

// TestDependencies wants a line in CONTRIBUTING for each direct dependency, and none
// for others.
func TestDependencies(t *testing.T) {
	text, err := os.ReadFile("../../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Dependencies\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var reasons []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`[^|]*\\| .+ \\|$").FindAllStringSubmatch(section, -1) {
		reasons = append(reasons, m[1])
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) {
		direct = append(direct, m[1])
	}
	slices.Sort(reasons)
	slices.Sort(direct)
	if !slices.Equal(reasons, direct) {
		t.Errorf("CONTRIBUTING has reasons for\n%v\nand go.mod requires\n%v", reasons, direct)
	}
}
