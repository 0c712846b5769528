package alerts

import "newterms/esquery/elastic"

// A Store writes to the two targets, both hidden data streams. It is safe for
// concurrent use.
type Store struct {
	client                   *elastic.Client
	alertsTarget, runsTarget string
}

// NewStore returns a store that sends through client.
func NewStore(client *elastic.Client, alertsTarget, runsTarget string) *Store {
	return &Store{client, alertsTarget, runsTarget}
}
