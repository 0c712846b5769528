package before

import (
	"errors"
	"strings"
	"testing"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// TestIncomplete names no term in an error: it may be a password that somebody typed.
func TestIncomplete(t *testing.T) {
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	match := query.Compiled{Search: query.Search{Fields: []string{"user.name"}, Timestamp: "@timestamp"}}
	asker := Asker{opened: &query.Opened{Compiled: match}}
	q := asker.question(time.Hour, []Subject{{Terms: []any{"Hunter2!"}, At: at}})
	_, err := q.read(answer{})
	if !errors.Is(err, elastic.ErrIncomplete) || strings.Contains(err.Error(), "Hunter2!") {
		t.Errorf("got %v", err)
	}
}
