package elastic

import "strings"

// SplitCluster splits the name or pattern of an index of another cluster
// (cluster:index). The cluster of a local one is "": also of date math, which may
// hold a colon (<logs-{now/d{yyyy.MM.dd|+01:00}}>), and of a name with a selector
// (logs-x::failures).
//
// https://www.elastic.co/docs/reference/elasticsearch/rest-apis/api-conventions#api-multi-index
func SplitCluster(name string) (cluster, index string) {
	cluster, index, found := strings.Cut(name, ":")
	if !found || strings.HasPrefix(name, "<") || strings.HasPrefix(index, ":") {
		return "", name
	}
	return cluster, index
}

// IsRemote reports whether a name or pattern is of another cluster.
func IsRemote(name string) bool {
	cluster, _ := SplitCluster(name)
	return cluster != ""
}
