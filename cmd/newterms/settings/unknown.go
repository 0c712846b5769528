package settings

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"newterms/esquery/elastic/words"
)

// Unknown returns an error for each variable that begins with NEWTERMS_ and is no
// setting: it has no effect.
func Unknown(environ []string) []error {
	var names, short []string
	for field := range reflect.TypeFor[Settings]().Fields() {
		name := field.Tag.Get("env")
		names, short = append(names, name), append(short, strings.TrimPrefix(name, "NEWTERMS_"))
	}
	var unknown []error
	for name := range env.ToMap(environ) {
		if !strings.HasPrefix(name, "NEWTERMS_") || slices.Contains(names, name) {
			continue
		}
		hint := "the README lists the settings"
		if i := slices.Index(short, words.Closest(strings.TrimPrefix(name, "NEWTERMS_"), short)); i >= 0 {
			hint = "did you mean " + names[i] + "?"
		}
		unknown = append(unknown, Errorf("%s is no setting and has no effect: %s", name, hint))
	}
	slices.SortFunc(unknown, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return unknown
}
