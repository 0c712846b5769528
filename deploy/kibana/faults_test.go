package kibana_test

import (
	"bytes"
	"strings"
	"testing"
)

// TestSeededFaults breaks the objects, a fault at a time.
func TestSeededFaults(t *testing.T) {
	c, fine := newChecklist(t), objects(t)
	for _, f := range []struct{ name, old, new, want string }{
		{"a field that is not mapped", `\"sourceField\":\"okta.actor.id\"`, `\"sourceField\":\"okta.actor.uid\"`, "has no field okta.actor.uid"},
		{"a histogram of a keyword", `\"sourceField\":\"newterms.first_seen\"`, `\"sourceField\":\"newterms.pair\"`, "newterms.pair of newterms-alerts is of type keyword"},
		{"a sum of a keyword", `\"sourceField\":\"newterms.candidates\"`, `\"sourceField\":\"newterms.run.id\"`, "newterms.run.id of newterms-runs is of type keyword"},
		{"values of a text field", `\"sourceField\":\"event.action\"`, `\"sourceField\":\"kibana.alert.reason.text\"`, "is of type text"},
		{"a control of an unknown field", `\"fieldName\":\"cloud.account.id\"`, `\"fieldName\":\"cloud.account\"`, "cloud.account of newterms-alerts is of type object"},
		{"a column of an unknown field", `"source.ip"`, `"source.ipv4"`, "has no field source.ipv4"},
		{"an unknown field in a query", `kibana.alert.workflow_status: open`, `kibana.alert.workflow: open`, "kibana.alert.workflow"},
		{"a query that is no KQL", `newterms.run.state: failure\"`, `newterms.run.state: (failure\"`, "query: KQL"},
		{"another time field", `"timeFieldName":"newterms.first_seen"`, `"timeFieldName":"newterms.firstseen"`, "has no field newterms.firstseen"},
		{"a data view over another target", `"title":".alerts-newterms.runs-default"`, `"title":".alerts-newterms.jobs-default"`, "the target is .alerts-newterms.runs-default"},
		{"a hidden target not allowed", `"allowHidden":true`, `"allowHidden":false`, "allowHidden is missing"},
		{"a dangling reference", `"id":"newterms-newest-alerts","name"`, `"id":"newterms-new-alerts","name"`, "which is not in the file"},
		{"an outer reference lost", `{"id":"newterms-alerts","name":"countries:indexpattern-datasource-layer-countries","type":"index-pattern"},`, ``, "reference countries:indexpattern-datasource-layer-countries is missing"},
		{"an outer reference to another data view", `{"id":"newterms-alerts","name":"countries:`, `{"id":"newterms-runs","name":"countries:`, "inside it is to newterms-alerts"},
		{"a control's reference lost", `{"id":"newterms-runs","name":"controlGroup_type:optionsListDataView","type":"index-pattern"}`, `{"id":"newterms-runs","name":"controlGroup_kind:optionsListDataView","type":"index-pattern"}`, "controlGroup_kind:optionsListDataView is used by nothing"},
		{"a layer without its reference", `\"name\":\"indexpattern-datasource-layer-outcomes\"`, `\"name\":\"indexpattern-datasource-layer-results\"`, "layer outcomes has no inner reference"},
		{"an accessor of no column", `\"metricAccessor\":\"n\"`, `\"metricAccessor\":\"m\"`, "the visualization shows m"},
		{"an order by no column", `\"columnId\":\"n\",\"type\":\"column\"`, `\"columnId\":\"nn\",\"type\":\"column\"`, `is ordered by "nn"`},
		{"a metric before a bucket", `\"columnOrder\":[\"country\",\"n\"]`, `\"columnOrder\":[\"n\",\"country\"]`, "bucket country comes after a metric"},
		{"a column that is not ordered", `\"columnOrder\":[\"country\",\"n\"]`, `\"columnOrder\":[\"country\"]`, "is not the columns"},
		{"panels over each other", `\"h\":12,\"i\":\"countries\",\"w\":12`, `\"h\":12,\"i\":\"countries\",\"w\":13`, "it lies over panel countries"},
		{"a panel off the grid", `\"i\":\"outcomes\",\"w\":12`, `\"i\":\"outcomes\",\"w\":13`, "it is not on the grid"},
		{"an index that is another", `\"i\":\"outcomes\"`, `\"i\":\"outcome\"`, `panelIndex "outcomes", i "outcome"`},
		{"by value and by reference", `\"panelIndex\":\"outcomes\"`, `\"panelIndex\":\"outcomes\",\"panelRefName\":\"panel_outcomes\"`, "either by value or by reference"},
		{"an attribute that Kibana refuses", `"timeRestore":true`, `"timeRestored":true`, "unknown field"},
		{"a filter of another data view", `\"filters\":[]`, `\"filters\":[{}]`, "filters, ad hoc data views"},
		{"a stamp of a later Kibana", `"typeMigrationVersion":"8.9.0"`, `"typeMigrationVersion":"10.3.0"`, "is stamped"},
		{"no stamp", `,"typeMigrationVersion":"8.9.0"`, ``, "is stamped"},
		{"an object twice", `"id":"newterms-gaps","managed"`, `"id":"newterms-failed-runs","managed"`, "search/newterms-failed-runs stands twice"},
		{"JSON that is none", `"panelsJSON":"[`, `"panelsJSON":"`, "panelsJSON"},
		{"a blank line", "\n{", "\n\n{", "object: EOF"},

		// What was wrong with them once, or would be hard to see.
		{"an error before the first alert", `"allowNoIndex":true`, `"allowNoIndex":false`, "allowNoIndex is missing"},
		{"N/A instead of 0", `\"emptyAsNull\":false`, `\"emptyAsNull\":true`, "shows N/A instead of 0"},
		{"a figure with two headings", `\"enhancements\":{},\"hidePanelTitles\":true,\"timeRange\"`, `\"enhancements\":{},\"timeRange\"`, "it has two headings"},
		{"no time range of its own", `,\"timeRange\":{\"from\":\"now-90d\",\"to\":\"now\"}},\"gridData\":{\"h\":6,\"i\":\"covered\"`, `},\"gridData\":{\"h\":6,\"i\":\"covered\"`, "needs a time range of its own"},
		{"a time range that is none", `{\"from\":\"now-90d\",\"to\":\"now\"}`, `{\"from\":\"90 days\",\"to\":\"now\"}`, "its time range is"},
		{"a date that does not fit", `\"pattern\":\"MMM D, HH:mm\"`, `\"pattern\":\"MMM D, YYYY @ HH:mm:ss.SSS\"`, "does not fit a figure"},
		{"a last value of any document", `,\"filter\":{\"language\":\"kuery\",\"query\":\"\\\"newterms.run.started\\\": *\"}`, ``, "takes documents that lack newterms.run.started"},
		{"a last value with another scale", `\"params\":{\"showArrayValues\":false,\"sortField\":\"@timestamp\"},\"scale\":\"ratio\"`, `\"params\":{\"showArrayValues\":false,\"sortField\":\"@timestamp\"},\"scale\":\"interval\"`, "its scale is interval"},
		{"an unknown field in a column's filter", `\"query\":\"kibana.alert.workflow_status: open\"},\"isBucketed\"`, `\"query\":\"kibana.alert.workflow: open\"},\"isBucketed\"`, "has no field kibana.alert.workflow"},
		{"shares of what is shown", `\"otherBucket\":true`, `\"otherBucket\":false`, "hides what is in none of its values"},
		{"alerts that vanish", `\"missingBucket\":true`, `\"missingBucket\":false`, "hides what is in none of its values"},
		{"a missing address", `\"missingBucket\":false`, `\"missingBucket\":true`, "only of strings"},
		{"an address taken for a string", `\"dataType\":\"ip\"`, `\"dataType\":\"string\"`, "source.ip of newterms-alerts is of type ip"},
		{"a control that other rules do not fill", `\"fieldName\":\"user.name\"`, `\"fieldName\":\"okta.actor.display_name\"`, "only the events of Okta have okta.actor.display_name"},
		{"a number that other rules do not fill", `\"operationType\":\"unique_count\",\"params\":{\"emptyAsNull\":false},\"scale\":\"ratio\",\"sourceField\":\"user.name\"`, `\"operationType\":\"unique_count\",\"params\":{\"emptyAsNull\":false},\"scale\":\"ratio\",\"sourceField\":\"okta.actor.id\"`, "only the events of Okta have okta.actor.id"},
		{"a severity without a colour", `\"values\":[\"critical\"]`, `\"values\":[\"worst\"]`, "critical of kibana.alert.severity has no colour"},
		{"a failure without a colour", `\"values\":[\"failure\"]`, `\"values\":[\"failed\"]`, "failure of event.outcome has no colour"},
		{"a colour that is none", `\"colorCode\":\"#E7664C\"`, `\"colorCode\":\"red\"`, "the colour of"},
		{"a value with two colours", `\"values\":[\"medium\"]`, `\"values\":[\"low\"]`, "low has two colours"},
		{"an alarm that looks the same", `\"palette\":{\"name\":\"custom\"`, `\"pallet\":{\"name\":\"custom\"`, "it looks the same whether it is 0 or not"},
		{"a palette with a step too few", `\"steps\":2`, `\"steps\":3`, "a palette of 3 steps has 2 colours"},
		{"a session like others of the space", `"title":"Last errors [newterms]"`, `"title":"Last errors"`, "tells it from no other"},
		{"a width of no column", `"kibana.alert.uuid":{"width"`, `"_id":{"width"`, "_id has a width"},
		{"an object without the tag", `,{"id":"newterms-tag","name":"tag-ref-newterms-tag","type":"tag"}]`, `]`, "it needs two references"},
		{"a dashboard without the tag", `{"id":"newterms-tag","name":"tag-ref-newterms-tag","type":"tag"},{"id":"newterms-triage-dashboard"`, `{"id":"newterms-triage-dashboard"`, "reference tag-ref-newterms-tag is missing"},
		{"a tag without a colour", `"color":"#54B399"`, `"color":"green"`, "a tag needs a name and a colour"},
		{"a link to nowhere", `"id":"newterms-runs-dashboard","name":"links:`, `"id":"newterms-alerts-view","name":"links:`, `leads to "newterms-alerts-view"`},
		{"a link by another name", `\"destinationRefName\":\"link_newterms-runs-dashboard_dashboard\"`, `\"destinationRefName\":\"link_runs_dashboard\"`, "is not found by the name"},
		{"a guide without a text", `\"type\":\"markdown\"`, `\"type\":\"vega\"`, "it is a vega without a text"},
		{"a map of no place", `\\\"geoField\\\":\\\"client.geo.location\\\"`, `\\\"geoField\\\":\\\"client.geo.city_name\\\"`, "client.geo.city_name of newterms-alerts is of type keyword"},
		{"a map that heeds no control", `\\\"applyGlobalQuery\\\":true`, `\\\"applyGlobalQuery\\\":false`, "has no regard to the controls"},
		{"a map without its reference", `"name":"map:layer_1_source_index_pattern"`, `"name":"map:layer_2_source_index_pattern"`, "map:layer_1_source_index_pattern is missing"},
		{"a link to http", `\"urlTemplate\":\"../app/security`, `\"urlTemplate\":\"http://kibana/app/security`, "is no page of Kibana's and not https"},
		{"a link to the same for all", `users/name/{{value}}`, `users/name/ada`, "holds its value 0 times"},
		{"a link for another field", `query:'event.id:%22`, `query:'event.code:%22`, "the link of event.id asks for event.code"},
		{"a link of a date", `\"event.id\":{\"id\":\"url\"`, `\"event.created\":{\"id\":\"url\"`, "event.created of newterms-alerts is of type date"},
		{"a format of no field", `\"user.name\":{\"id\":\"url\"`, `\"user.names\":{\"id\":\"url\"`, "has no field user.names"},
		{"a layer of two periods", `\"label\":\"Acknowledged\"`, `\"label\":\"Acknowledged\",\"timeShift\":\"previous\"`, "a layer of two periods"},
		{"another period", `\"timeShift\":\"previous\"`, `\"timeShift\":\"1w\"`, "column n-before is shifted by"},
		{"a layer without its second reference", `\"name\":\"indexpattern-datasource-layer-rules-before-before\"`, `\"name\":\"indexpattern-datasource-layer-x\"`, "layer rules-before-before has no inner reference"},
		{"the age of a keyword", `\"sourceField\":\"kibana.alert.start\"`, `\"sourceField\":\"kibana.alert.uuid\"`, "kibana.alert.uuid of newterms-alerts is of type keyword"},
		{"an age as a number", `\"dataType\":\"date\",\"isBucketed\":false,\"label\":\"Oldest open`, `\"dataType\":\"number\",\"isBucketed\":false,\"label\":\"Oldest open`, "column oldest is a number"},
		{"an age in the picked range", `,\"timeRange\":{\"from\":\"now-90d\",\"to\":\"now\"}},\"gridData\":{\"h\":6,\"i\":\"oldest\"`, `},\"gridData\":{\"h\":6,\"i\":\"oldest\"`, "column oldest needs a time range of its own"},
		{"a formula with another text", `\"formula\":\"count(`, `\"formula\":\"sum(`, "is not what is computed"},
		{"a formula that computes another", `\"name\":\"divide\"`, `\"name\":\"subtract\"`, "column precisionX2 computes"},
		{"a formula of no column", `\"references\":[\"precisionX2\"]`, `\"references\":[\"precisionX9\"]`, "which does not come before it"},
		{"a formula before its parts", `\"columnOrder\":[\"precisionX0\",\"precisionX1\",\"precisionX2\",\"precision\"]`, `\"columnOrder\":[\"precision\",\"precisionX0\",\"precisionX1\",\"precisionX2\"]`, "which does not come before it"},
		{"a formula of one count", `\"args\":[\"precisionX0\",\"precisionX1\"]`, `\"args\":[\"precisionX0\",\"precisionX0\"]`, "is not computed from two counts"},
		{"a refresh that never rests", `"refreshInterval":{"pause":false,"value":60000}`, `"refreshInterval":{"pause":false,"value":500}`, "it is refreshed every 500 ms"},
	} {
		broken := bytes.Replace(fine, []byte(f.old), []byte(f.new), 1)
		if bytes.Equal(broken, fine) {
			t.Errorf("%s: %s is not in the file", f.name, f.old)
			continue
		}
		found := strings.Join(c.check(broken), "\n")
		if !strings.Contains(found, f.want) {
			t.Errorf("%s: want %q in %q", f.name, f.want, found)
			continue
		}
		t.Logf("%-42s %s", f.name, strings.Split(found, "\n")[0])
	}
}
