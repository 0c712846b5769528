package scratch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// names lists the scratch indices with a text in their name.
func names(t *testing.T, s *Space, part string) (found []string) {
	t.Helper()
	all, err := s.list(t.Context(), Prefix+"*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if strings.Contains(name, part) {
			found = append(found, name)
		}
	}
	return found
}

// TestSpace makes hidden indices, and removes them all.
func TestSpace(t *testing.T) {
	node := estest.ForTest(t)
	s, _, err := Open(t.Context(), elastic.NewClient(node, elastic.Options{}), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for range 3 {
		name, err := s.Create(t.Context(), map[string]any{"properties": map[string]any{"n": map[string]any{"type": "long"}}})
		if err == nil {
			err = s.Fill(t.Context(), name, 0, []map[string]any{{"n": 1}, {"n": 2}, {"n": 3}})
		}
		if err == nil {
			err = s.Fill(t.Context(), name, 4, []map[string]any{{"n": 4}, {"n": 5}})
		}
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, name)
	}
	if got := fmt.Sprint(node.Documents(t, made[0], map[string]any{"sort": "n", "_source": "n"})); !strings.Contains(got, " n:4] ") || strings.Count(got, "n:") != 2 {
		t.Errorf("documents %v", got)
	}
	if answer := string(node.Must(t, "GET", "/_cat/indices/*?h=index", nil)); strings.Contains(answer, Prefix) {
		t.Errorf("they are not hidden: %s", answer)
	}
	var refused *EventError
	if err := s.Fill(t.Context(), made[0], 2, []map[string]any{{"n": 1}, {"n": "x"}}); !errors.As(err, &refused) || refused.ID != "2" {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), made[0]); err != nil {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "logs-okta"); err == nil {
		t.Error("another index would be deleted")
	}
	if got := names(t, s, s.prefix); len(got) != 2 {
		t.Errorf("there are %v", got)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := names(t, s, s.prefix); got != nil {
		t.Errorf("%v are left", got)
	}
}

// TestLeftBehind removes the indices of ended processes, and no others.
func TestLeftBehind(t *testing.T) {
	node := estest.ForTest(t)
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	mark := strings.ToLower(estest.Name("t"))
	own := newOwner(now)
	name := func(host string, pid int, began time.Time) string {
		return fmt.Sprintf("%s%s-%d-%d-%s-1", Prefix, host, pid, began.Unix(), mark)
	}
	stay := map[string]bool{
		name(own.host, os.Getppid(), now):                        true,
		name(own.host, ended.Process.Pid, now):                   false,
		name("0123abcd", ended.Process.Pid, now.Add(-time.Hour)): true,
		name("0123abcd", os.Getppid(), now.Add(-7*time.Hour)):    false,
		Prefix + "somebody-s-" + mark:                            true,
	}
	for index := range stay {
		node.CreateIndex(t, index, map[string]any{"settings": map[string]any{"index": map[string]any{"hidden": true, "number_of_replicas": 0}}})
	}
	s, removed, err := Open(t.Context(), elastic.NewClient(node, elastic.Options{}), now)
	if err != nil || removed < 2 {
		t.Fatal(removed, err)
	}
	left := names(t, s, mark)
	for index, stays := range stay {
		if got := strings.Contains(strings.Join(left, " ")+" ", index+" "); got != stays {
			t.Errorf("%s: is there %t, want %t", index, got, stays)
		}
	}
}

// TestFillIsRefused wants an error if documents of the case before stay.
func TestFillIsRefused(t *testing.T) {
	node := estest.ForTest(t)
	s, _, err := Open(t.Context(), elastic.NewClient(node, elastic.Options{}), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	name, err := s.Create(t.Context(), map[string]any{})
	if err == nil {
		err = s.Fill(t.Context(), name, 0, []map[string]any{{"n": 1}, {"n": 2}})
	}
	if err != nil {
		t.Fatal(err)
	}
	node.Must(t, "PUT", "/"+name+"/_settings", map[string]any{"index.blocks.write": true})
	var ofEvent *EventError
	if err := s.Fill(t.Context(), name, 2, nil); err == nil || errors.As(err, &ofEvent) {
		t.Errorf("the documents stay, and the error is %v", err)
	}
}
