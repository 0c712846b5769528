package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"newterms/alerts/keys"
	"newterms/cmd/newterms/settings"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// keyFolder is the folder of --out. Each key is a file there, with the name of the key.
type keyFolder string

// create creates the folder, before a key is made that could not be kept.
func (d keyFolder) create() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return settings.Errorf("--out: %w; no key was made", err)
	}
	return nil
}

// write replaces the files of the keys, each readable by this user only. It writes all
// of them before it replaces one.
func (d keyFolder) write(made []keys.Key) error {
	var written []string
	defer func() {
		for _, name := range written {
			os.Remove(name)
		}
	}()
	for _, k := range made {
		file, err := os.CreateTemp(string(d), ".key-*") // 0600
		if err != nil {
			return err
		}
		written = append(written, file.Name())
		_, err = file.WriteString(k.Encoded + "\n")
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			return err
		}
	}
	for i, k := range made {
		if err := os.Rename(written[i], filepath.Join(string(d), k.Name)); err != nil {
			return err
		}
	}
	return nil
}

// kept returns the specs of which the folder has no valid key, and logs the others.
// A key that lacks privileges is an error: it was made with other settings.
func (p program) kept(ctx context.Context, d keyFolder, specs []keys.Spec) ([]keys.Spec, error) {
	var rest []keys.Spec
	for _, spec := range specs {
		path := filepath.Join(string(d), spec.Name)
		ends, err := p.tryKeyFile(ctx, path, spec)
		switch {
		case errors.Is(err, fs.ErrNotExist), elastic.HasStatus(err, http.StatusUnauthorized):
			rest = append(rest, spec)
		case err != nil:
			return nil, fmt.Errorf("keys: %s: %w: newterms keys %s --rotate --out %s replaces it", path, err, spec.Use, d)
		default:
			p.log.Info(fmt.Sprintf("%s has the API key %s already, which %s", path, spec.Name, lives(ends)))
		}
	}
	return rest, nil
}

// tryKeyFile asks Elasticsearch about the key in a file, and returns when it expires.
func (p program) tryKeyFile(ctx context.Context, path string, spec keys.Spec) (ends time.Time, err error) {
	if _, err := os.Stat(path); err != nil {
		return ends, err
	}
	inFile := p.settings
	inFile.APIKey, inFile.APIKeyFile, inFile.Username, inFile.Password, inFile.PasswordFile = "", path, "", "", ""
	client, err := p.connectAs(inFile.Credentials())
	if err != nil {
		return ends, err
	}
	user, err := access.CurrentUser(ctx, client)
	if err != nil {
		return ends, err
	}
	if user.APIKey != spec.Name {
		return ends, fmt.Errorf("it is the %s, not %s", user, spec.Name)
	}
	if err := keys.Try(ctx, client, spec); err != nil {
		return ends, err
	}
	return access.KeyEnds(ctx, client, user)
}

// lives says until when a key is valid; zero is for ever.
func lives(ends time.Time) string {
	if ends.IsZero() {
		return "does not expire"
	}
	return "expires at " + ends.UTC().Format(time.RFC3339)
}
