package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// decisionFaults are those of the requests that give alerts a status.
func (s *story) decisionFaults() []fault {
	changed, lost := false, false
	return []fault{
		{"changed each time", false, func(r request) { s.changeOthersFirst(r); reply(r.w, r.forward()) }},
		{"changed once", false, func(r request) {
			if !changed {
				s.changeOthersFirst(r)
			}
			changed = true
			reply(r.w, r.forward())
		}},
		{"lost once", false, func(r request) {
			answer := r.forward()
			if !lost {
				lost = true
				panic(http.ErrAbortHandler)
			}
			reply(r.w, answer)
		}},
	}
}

// changeOthersFirst changes the documents that a request is about to change.
func (s *story) changeOthersFirst(r request) {
	for line := range bytes.Lines(r.body) {
		var action struct {
			Update struct {
				Index string `json:"_index"`
				ID    string `json:"_id"`
			}
		}
		if err := json.Unmarshal(line, &action); err != nil || action.Update.ID == "" {
			continue // what to change it to
		}
		doc := map[string]any{"doc": map[string]any{"kibana.alert.workflow_tags": []any{time.Now()}}}
		path := "/" + action.Update.Index + "/_update/" + action.Update.ID + "?refresh=true"
		if _, err := s.node.Request(context.Background(), "POST", path, doc); err != nil {
			panic(err)
		}
	}
}
