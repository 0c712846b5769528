package elastic

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ByPosition holds the answers to aggregations that are named by their positions. An
// answer that is missing has the zero value.
type ByPosition[T any] []T

// UnmarshalJSONFrom is of json/v2. The object has a doc_count too.
func (a *ByPosition[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	*a = nil
	return Members(d, func(name string) error {
		i, err := strconv.Atoi(name)
		if err != nil { // doc_count
			return d.SkipValue()
		}
		if missing := i + 1 - len(*a); missing > 0 {
			*a = append(*a, make([]T, missing)...)
		}
		return json.UnmarshalDecode(d, &(*a)[i])
	})
}
