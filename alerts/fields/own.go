package fields

import (
	"slices"
	"strings"
)

// IsOwn reports whether only an alert may have this top-level key.
func IsOwn(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	return top == "kibana" || top == "signal" || top == "newterms" || top == "threshold_result"
}

// IsMetadata reports whether a top-level key is a metadata field in some version of
// Elasticsearch, with its plugins, and no field. Others with the same prefix are fields.
func IsMetadata(name string) bool {
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
