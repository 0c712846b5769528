package rule

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"newterms/esquery"
)

// ignoreCase is a line of a value list that says that letter case does not count.
const ignoreCase = "#ignore-case"

// readValueList reads the values of an entry of the type list from the text file
// beside the export that has the name of the list, a value a line. Lines that
// begin with # are none.
func readValueList(path string, list map[string]any, e *esquery.Entry) error {
	id, _ := list["id"].(string)
	kind, _ := list["type"].(string)
	if id == "" || filepath.Base(id) != id || strings.HasPrefix(id, ".") {
		return fmt.Errorf("the value list %q has no name that a file could have", id)
	}
	e.Kind = "match_any"
	var text []byte
	var file string
	for _, name := range []string{id, id + ".txt"} {
		file = filepath.Join(filepath.Dir(path), name)
		var err error
		if text, err = os.ReadFile(file); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("value list %s: %w", id, err)
		}
	}
	if text == nil {
		return fmt.Errorf("the value list %q is not beside it: an export does not hold its values, so put them into %s, a value a line", id, filepath.Join(filepath.Dir(path), id))
	}
	line := 0
	for value := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		line++
		switch value = strings.TrimSpace(value); {
		case value == ignoreCase:
			e.IgnoreCase = true
		case value == "" || strings.HasPrefix(value, "#"):
		default:
			if err := addValue(e, kind, value); err != nil {
				return fmt.Errorf("value list %s line %d: %w", file, line, err)
			}
		}
	}
	if len(e.Values)+len(e.Ranges) == 0 {
		return fmt.Errorf("the value list %s is empty", file)
	}
	return nil
}

// addValue checks a value as the type of the list says, so that a typing error is
// told with its line and not by the cluster, without it.
func addValue(e *esquery.Entry, kind, value string) error {
	isNetwork := func() bool {
		_, err := netip.ParsePrefix(value)
		return err == nil
	}
	isAddress := func(s string) bool {
		_, err := netip.ParseAddr(strings.TrimSpace(s))
		return err == nil
	}
	switch from, to, isRange := strings.Cut(value, "-"); {
	case kind == "ip" && !isAddress(value) && !isNetwork():
		return fmt.Errorf("%q is neither an IP address nor a network, and the list is of the type ip", value)
	case kind == "ip_range" && isRange && isAddress(from) && isAddress(to):
		e.Ranges = append(e.Ranges, [2]string{strings.TrimSpace(from), strings.TrimSpace(to)})
		return nil
	case kind == "ip_range" && !isNetwork() && !isAddress(value):
		return fmt.Errorf("%q is no network and no range of IP addresses (192.0.2.1-192.0.2.9), and the list is of the type ip_range", value)
	}
	e.Values = append(e.Values, value)
	return nil
}
