package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	aLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	aHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	aBlock   = regexp.MustCompile("(?ms)^```.*?^```$")
)

// TestLinks follows the links of each Markdown file to the files and headings of this
// repository.
func TestLinks(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "ls-files", "*.md").Output()
	files := strings.Fields(string(out))
	if err != nil { // a copy without .git
		files = []string{"README.md", "deploy/README.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md"}
	}
	for _, file := range files {
		path := filepath.Join("../..", file)
		text := prose(t, path)
		for _, m := range aLink.FindAllStringSubmatch(text, -1) {
			link, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if link.IsAbs() {
				continue
			}
			target := path
			if link.Path != "" {
				target = filepath.Join(filepath.Dir(path), link.Path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			} else if link.Fragment != "" && !hasHeading(prose(t, target), link.Fragment) {
				t.Errorf("%s links to %s, and there is no such heading", file, m[1])
			}
		}
	}
}

// prose is a Markdown file without its blocks of code.
func prose(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return aBlock.ReplaceAllString(string(text), "")
}

// hasHeading reports whether GitHub gives a heading this anchor.
func hasHeading(text, anchor string) bool {
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range aHeading.FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestBodies wants CONTRIBUTING to name each file that has the body of a search, told
// by its query or aggregations.
func TestBodies(t *testing.T) {
	text, err := os.ReadFile("../../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Where to start\n")
	section, _, _ = strings.Cut(section, "\nTo add something")
	has := regexp.MustCompile(`(?m)^[^/\n]*("(aggs|query|size)"\]?(:| =|,.* = )|elastic\.Aggregate\()`)
	for _, folder := range []string{"esquery", "esquery/access", "esquery/inspect", "esquery/kibana", "esquery/query", "alerts", "alerts/runs"} {
		files, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, file := range files {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			link := "(../" + folder + "/" + filepath.Base(file) + ")"
			if !strings.HasSuffix(file, "_test.go") && has.Match(code) && !strings.Contains(section, link) {
				t.Errorf("CONTRIBUTING does not name %s/%s, which has the body of a search", folder, filepath.Base(file))
			}
		}
	}
}
