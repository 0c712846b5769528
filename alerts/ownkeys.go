package alerts

import (
	"slices"
	"strings"
)

// isOurs reports whether only an alert may have this top-level key.
func isOurs(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	return top == "kibana" || top == "signal" || top == "newterms" || top == "threshold_result"
}

// removeMetadata removes the keys that are metadata to Elasticsearch instead of fields,
// and returns them, sorted. With a _doc_count of 1,000 an alert counts as 1,000 in each
// aggregation; Elasticsearch refuses most others.
func removeMetadata(document map[string]any) []string {
	var removed []string
	for name := range document {
		if isMetadata(name) {
			removed = append(removed, name)
			delete(document, name)
		}
	}
	slices.Sort(removed)
	return removed
}

// isMetadata reports whether a top-level key is a metadata field in some version of
// Elasticsearch, with its plugins. Others with the same prefix are ordinary.
func isMetadata(name string) bool {
	if !strings.HasPrefix(name, "_") {
		return false
	}
	top, _, _ := strings.Cut(name, ".")
	return slices.Contains([]string{
		"_data_stream_timestamp", "_doc_count", "_feature", "_field_names", "_id", "_ignored", "_ignored_source", "_index", "_index_mode", "_inference_fields",
		"_nested_path", "_primary_term", "_recovery_source", "_recovery_source_size", "_routing", "_seq_no", "_size", "_source", "_tier", "_tombstone",
		"_ts_routing_hash", "_tsid", "_type", "_version",
	}, top)
}
