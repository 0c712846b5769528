package failure

import (
	"errors"
	"fmt"

	"newterms/alerts/keys"
	"newterms/esquery/elastic"
	"newterms/job/grant"
)

func isOfKeys(err error) bool {
	return Is[grant.ExistsError](err) || Is[*keys.LackingError](err) || Is[grant.NotMineError](err) || Is[grant.OthersKeys](err) || Is[grant.SecondKey](err) ||
		Is[grant.HiddenError](err) || Is[grant.BlindError](err) || Is[grant.EmptyView](err)
}

// keysAdvice is for what newterms keys finds.
func keysAdvice(err error) string {
	var exists grant.ExistsError
	var notMine grant.NotMineError
	var others grant.OthersKeys
	var second grant.SecondKey
	var blind grant.BlindError
	switch {
	case errors.As(err, &exists):
		return "use that one; if its secret is lost, newterms keys " + string(exists.Use) + " --rotate replaces it"
	case errors.As(err, &notMine) && notMine.OwnOnly:
		return "let a user with the privilege manage_api_key rotate it, or leave out --rotate to make one of your own beside it"
	case Is[grant.NotMineError](err):
		return "let a user with the privilege manage_api_key rotate it"
	case errors.As(err, &others):
		return "let a user with the privilege manage_api_key look (GET _security/api_key?active_only=true&name=" + others.Names[0] + "), and end what nobody needs"
	case errors.As(err, &second):
		return fmt.Sprintf(`if nobody needs it, let its owner or a user with the privilege manage_api_key end it (DELETE _security/api_key {"ids": [%q]})`, second.ID)
	case Is[grant.HiddenError](err):
		return "let a user make it who sees all of it; if a part is meant, make it by hand (deploy/elasticsearch), and read in deploy/README.md what that means"
	case errors.As(err, &blind) && elastic.IsRemote(blind.Pattern):
		_, index := elastic.SplitCluster(blind.Pattern)
		return "to a cluster that trusts this one a key has the rights of roles here: let a role here of the user who makes it grant read on " + index + ", or another user make it"
	case Is[grant.EmptyView](err):
		return "try newterms check with the key once there are events"
	}
	return "let a user with these rights make it"
}
