package main

import (
	"errors"
	"fmt"

	"newterms/alerts/keys"
	"newterms/esquery/elastic"
)

func isOfKeys(err error) bool {
	return is[keyExistsError](err) || is[*keys.LackingError](err) || is[notMineError](err) || is[othersKeys](err) || is[secondKey](err) ||
		is[partlyError](err) || is[blindError](err) || is[emptyView](err)
}

// keysAdvice is for what newterms keys finds.
func keysAdvice(err error) string {
	var exists keyExistsError
	var notMine notMineError
	var others othersKeys
	var second secondKey
	var blind blindError
	switch {
	case errors.As(err, &exists):
		return "use that one; if its secret is lost, newterms keys " + string(exists.use) + " --rotate replaces it"
	case errors.As(err, &notMine) && notMine.ownOnly:
		return "let a user with the privilege manage_api_key rotate it, or leave out --rotate to make one of your own beside it"
	case is[notMineError](err):
		return "let a user with the privilege manage_api_key rotate it"
	case errors.As(err, &others):
		return "let a user with the privilege manage_api_key look (GET _security/api_key?active_only=true&name=" + others.names[0] + "), and end what nobody needs"
	case errors.As(err, &second):
		return fmt.Sprintf(`if nobody needs it, let its owner or a user with the privilege manage_api_key end it (DELETE _security/api_key {"ids": [%q]})`, second.ID)
	case is[partlyError](err):
		return "let a user make it who sees all of it; if a part is meant, make it by hand (deploy/elasticsearch), and read in deploy/README.md what that means"
	case errors.As(err, &blind) && elastic.IsRemote(blind.pattern):
		_, index := elastic.SplitCluster(blind.pattern)
		return "to a cluster that trusts this one a key has the rights of roles here: let a role here of the user who makes it grant read on " + index + ", or another user make it"
	case is[emptyView](err):
		return "try newterms check with the key once there are events"
	}
	return "let a user with these rights make it"
}
