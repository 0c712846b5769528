package cases

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job/casefile"
	"newterms/job/explain"
	"newterms/job/rule"
)

// A Recorder prints explanations, and saves those of pairs as cases.
type Recorder struct {
	explain.Printer
	pairs []explain.Pair
}

// Pair prints the explanation of a pair, and keeps it for Save.
func (k *Recorder) Pair(p explain.Pair) error {
	k.pairs = append(k.pairs, p)
	return k.Printer.Pair(p)
}

// CanSave returns an error unless Save can write to a file.
func CanSave(path string) error {
	if !strings.HasSuffix(path, casefile.Suffix) {
		return fmt.Errorf("%q is no case file: cases of the rule x.toml are in x%s", path, casefile.Suffix)
	}
	if _, err := countOf(path); err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s: make it, or name another", folder)
	}
	return nil
}

// countOf returns the number of cases in a file, 0 without a file.
func countOf(path string) (int, error) {
	cases, err := casefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return len(cases), err
}

// Save appends the printed pairs of a rule to a case file, and returns their number.
func (k *Recorder) Save(ctx context.Context, client *elastic.Client, r rule.Rule, path string) (int, error) {
	if len(k.pairs) == 0 {
		return 0, nil
	}
	before, err := countOf(path)
	if err != nil {
		return 0, err
	}
	search := r.Search
	search.Wanted = search.PlainNames()
	source, err := esquery.Open(ctx, client, search)
	if err != nil {
		return 0, err
	}
	text, err := casesOfPairs(ctx, source, r, k.pairs, before)
	if err != nil {
		return 0, err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	_, err = file.WriteString(text)
	return len(k.pairs), errors.Join(err, file.Close())
}
