// Package valuelist reads the value lists of exceptions: text files beside an export.
package valuelist

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"newterms/esquery/query"
	"newterms/job/rule/textfile"
)

var (
	// directive matches the only comment with a meaning in a value list.
	directive = regexp.MustCompile(`(?i)^#\s*newterms\s*:\s*(.*)$`)
	// formerDirective matches the directive of earlier versions, which may as well be a
	// value.
	formerDirective = regexp.MustCompile(`(?i)^#\s*ignore-case$`)
)

// Read reads the values of an entry of type list, one on each line. They are
// in the text file beside the export that has the list's name. The line `#newterms:
// ignore-case` is no value. Other lines that begin with # are comments in lists of IP
// addresses, and values elsewhere.
func Read(path string, list map[string]any, e *query.Entry) error {
	id, _ := list["id"].(string)
	kind, _ := list["type"].(string)
	file, text, err := find(path, id)
	if err != nil {
		return err
	}
	e.Kind, e.List = "match_any", fmt.Sprintf("%s (%s)", id, kind)
	e.Addresses = kind == "ip" || kind == "ip_range"
	line := 0
	var lines []int // of each value
	for value := range strings.Lines(text) {
		line++
		value = strings.TrimSpace(value)
		var err error
		switch match := directive.FindStringSubmatch(value); {
		case match != nil && match[1] == "ignore-case":
			e.IgnoreCase = true
		case match != nil:
			err = fmt.Errorf("%q is no directive: the only one is #newterms: ignore-case", value)
		case value == "" || e.Addresses && strings.HasPrefix(value, "#"):
		case formerDirective.MatchString(value):
			err = fmt.Errorf("%q would be a value: to ignore letter case, write #newterms: ignore-case", value)
		default:
			if err = addValue(e, kind, value); len(e.Values) > len(lines) {
				lines = append(lines, line)
			}
		}
		if err != nil {
			return fmt.Errorf("value list %s line %d: %w", file, line, err)
		}
	}
	if len(e.Values)+len(e.Ranges) == 0 {
		return fmt.Errorf("the value list %s is empty", file)
	}
	for i, value := range e.Values {
		if e.IgnoreCase && !query.CanIgnoreCase(value) {
			return fmt.Errorf("value list %s line %d: it is too long to ignore its letter case", file, lines[i])
		}
	}
	return nil
}

// find reads the file of a value list beside an export.
func find(path, id string) (file, text string, err error) {
	if id == "" || filepath.Base(id) != id || strings.HasPrefix(id, ".") {
		return "", "", fmt.Errorf("the name of the value list %q cannot be a file name", id)
	}
	for _, name := range []string{id, id + ".txt"} {
		file = filepath.Join(filepath.Dir(path), name)
		data, err := os.ReadFile(file)
		if err == nil {
			if text, err = textfile.Text(data); err == nil {
				return file, text, nil
			}
			return "", "", fmt.Errorf("value list %s: %w", file, err)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("value list %s: %w", id, err)
		}
	}
	return "", "", fmt.Errorf("the values of the value list %q are missing, because an export does not contain them: put them into %s, one value per line",
		id, filepath.Join(filepath.Dir(path), id))
}

// addValue checks a value against the type of the list, so that an error names the
// line. The cluster's would not.
func addValue(e *query.Entry, kind, value string) error {
	from, to, isRange := strings.Cut(value, "-")
	if kind == "ip_range" && isRange {
		if err := checkRange(value, from, to); err != nil {
			return err
		}
		e.Ranges = append(e.Ranges, [2]string{strings.TrimSpace(from), strings.TrimSpace(to)})
		return nil
	}
	_, notNetwork := netip.ParsePrefix(value)
	_, isAddress := address(value)
	if e.Addresses && notNetwork != nil && !isAddress {
		return fmt.Errorf("%q is neither an IP address nor a network%s, and the list is of the type %s", value,
			map[bool]string{true: " nor a range (192.0.2.1-192.0.2.9)"}[kind == "ip_range"], kind)
	}
	e.Values = append(e.Values, value)
	return nil
}

// checkRange refuses ranges that match nothing in Elasticsearch.
func checkRange(value, from, to string) error {
	first, ok := address(from)
	last, alsoOK := address(to)
	switch {
	case !ok || !alsoOK:
		return fmt.Errorf("%q is no range of IP addresses (192.0.2.1-192.0.2.9), and the list is of the type ip_range", value)
	case first.BitLen() != last.BitLen():
		return fmt.Errorf("the range %q mixes an IPv4 and an IPv6 address", value)
	case last.Less(first):
		return fmt.Errorf("the range %q ends before it begins", value)
	}
	return nil
}

// address parses an IP address that Elasticsearch accepts: one without a zone.
func address(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	return a.Unmap(), err == nil && a.Zone() == ""
}
