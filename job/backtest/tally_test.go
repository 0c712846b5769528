package backtest

import (
	"fmt"
	"testing"
)

// TestTallyIsBounded counts more values than are kept: those that come often
// are there all the same, and say by how much they may be too low.
func TestTallyIsBounded(t *testing.T) {
	var v Tally
	for i := range 10 * maxValues {
		v.add("f", fmt.Sprint("once-", i), "", false)
		if i%100 == 0 {
			v.add("f", "often", "", false)
		}
	}
	top := v.Top(1, 1)
	if len(v.counts) > maxValues || v.forgotten == 0 || top[0].Value != "often" || top[0].Count+v.forgotten < maxValues/10 {
		t.Errorf("%d values are kept, %d may be missing of each, the top is %+v", len(v.counts), v.forgotten, top)
	}
}
