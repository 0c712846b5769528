package inspect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// maxSimilarFields is how many fields are similar to one name.
const maxSimilarFields = 3

// SimilarFields returns, by name, mapped fields that the user may have meant, the most
// similar first. They begin or end with the name, or differ from it by one or two
// characters. It asks only for fields that share all parts of a name but one: the
// mapping of some indices has ten thousand fields.
func SimilarFields(ctx context.Context, c *elastic.Client, indices, names []string) (map[string][]string, error) {
	var patterns []string
	for _, name := range names {
		patterns = append(patterns, patternsLike(name)...)
	}
	if len(patterns) == 0 {
		return nil, nil
	}
	m, err := access.FieldTypes(ctx, c, indices, slices.Compact(slices.Sorted(slices.Values(patterns))), true)
	if err != nil {
		return nil, err
	}
	similar := map[string][]string{}
	for _, name := range names {
		var found []string
		for mapped := range m.Fields {
			if mapped != name && (isSimilar(mapped, name) || strings.HasSuffix(mapped, "."+name)) {
				found = append(found, mapped)
			}
		}
		slices.SortFunc(found, func(a, b string) int {
			return cmp.Or(cmp.Compare(words.Edits(a, name), words.Edits(b, name)), strings.Compare(a, b))
		})
		if len(found) > 0 {
			similar[name] = found[:min(len(found), maxSimilarFields)]
		}
	}
	return similar, nil
}

// patternsLike returns patterns that differ from a name in one of its parts.
func patternsLike(name string) []string {
	if strings.ContainsAny(name, "* ") || name == "" {
		return nil
	}
	parts := strings.Split(name, ".")
	if len(parts) == 1 {
		return []string{string([]rune(name)[:1]) + "*", "*." + name}
	}
	patterns := []string{"*." + name}
	for i := range parts {
		one := slices.Clone(parts)
		one[i] = "*"
		patterns = append(patterns, strings.Join(one, "."))
	}
	return patterns
}
