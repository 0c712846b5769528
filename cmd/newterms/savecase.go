package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"newterms/cmd/newterms/failure"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/explain"
	"newterms/job/rule"
)

// A pairKeeper prints explanations and keeps those of pairs.
type pairKeeper struct {
	explain.Printer
	pairs []explain.Pair
}

func (k *pairKeeper) Pair(p explain.Pair) error {
	k.pairs = append(k.pairs, p)
	return k.Printer.Pair(p)
}

// checkSaveCase refuses a file that cannot take cases, before anything is explained.
func checkSaveCase(path string) error {
	if !strings.HasSuffix(path, casefile.Suffix) {
		return failure.Usagef("--save-case: %q is no case file: cases of the rule x.toml are in x%s", path, casefile.Suffix)
	}
	if _, err := casefile.Read(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if folder := filepath.Dir(path); !isFolder(folder) {
		return failure.Usagef("--save-case: there is no folder %s: make it, or name another", folder)
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// saveCases appends explained pairs to a case file.
func (p program) saveCases(ctx context.Context, client *elastic.Client, r rule.Rule, pairs []explain.Pair, path string) error {
	if len(pairs) == 0 {
		return failure.Usagef("--save-case: there is no pair to save")
	}
	before, err := casefile.Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	search := r.Search
	search.Wanted = search.PlainNames()
	source, err := esquery.Open(ctx, client, search)
	if err != nil {
		return err
	}
	text, err := cases.Save(ctx, source, r, pairs, len(before))
	if err != nil {
		return fmt.Errorf("save the case: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return failure.Usagef("--save-case: %w", err)
	}
	_, err = file.WriteString(text)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("save the case: %w", err)
	}
	p.log.Info(fmt.Sprintf("saved %s to %s: read it before you share it; newterms test runs it", words.Plural(len(pairs), "case", "cases"), path), "cases", len(pairs))
	return nil
}
