package terminal

import (
	"strings"
	"sync"
	"testing"
)

// TestOutputsDoNotMix lets three tasks print more than is kept of each.
func TestOutputsDoNotMix(t *testing.T) {
	token := NewToken()
	var out strings.Builder
	var tasks sync.WaitGroup
	for _, letter := range []string{"a", "b", "c"} {
		tasks.Go(func() {
			o := NewOutput(token, t.Context().Done(), &out, &out)
			for range 3 {
				if _, err := o.Stdout.Write([]byte(strings.Repeat(letter, maxBuffered/2))); err != nil {
					t.Error(err)
				}
			}
			o.Close()
		})
	}
	tasks.Wait()
	changes := 0
	for i := 1; i < out.Len(); i++ {
		if out.String()[i] != out.String()[i-1] {
			changes++
		}
	}
	if out.Len() != 9*(maxBuffered/2) || changes != 2 {
		t.Errorf("%d bytes, which change %d times", out.Len(), changes)
	}
}
