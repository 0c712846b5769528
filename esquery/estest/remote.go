package estest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Connect makes another node a remote cluster of this one, under an alias. With
// security, the other one takes the users and API keys of this one for whom this one
// says that they are; their roles must exist there as well.
//
// https://www.elastic.co/docs/deploy-manage/remote-clusters/remote-clusters-cert
func (n *Node) Connect(ctx context.Context, alias string, to *Node) error {
	var nodes struct {
		Nodes map[string]struct {
			Transport struct {
				Address string `json:"publish_address"`
			} `json:"transport"`
		} `json:"nodes"`
	}
	text, err := to.Request(ctx, "GET", "/_nodes/_local/transport", nil)
	if err == nil {
		err = json.Unmarshal(text, &nodes)
	}
	if err != nil {
		return fmt.Errorf("find the address of %s: %w", alias, err)
	}
	var seeds []string
	for _, node := range nodes.Nodes {
		seeds = append(seeds, node.Transport.Address)
	}
	settings := map[string]any{"persistent": map[string]any{"cluster.remote." + alias + ".seeds": seeds}}
	if _, err := n.Request(ctx, "PUT", "/_cluster/settings", settings); err != nil {
		return fmt.Errorf("connect to %s: %w", alias, err)
	}
	for {
		var remotes map[string]struct{ Connected bool }
		text, err := n.Request(ctx, "GET", "/_remote/info", nil)
		if err == nil {
			err = json.Unmarshal(text, &remotes)
		}
		if err != nil || remotes[alias].Connected {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
