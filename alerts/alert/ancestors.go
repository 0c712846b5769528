package alert

import "newterms/esquery/elastic"

// ancestorsOf returns the source event as an ancestor. If that is itself an alert, its
// own ancestors come first, and the new alert is one deeper.
func ancestorsOf(event map[string]any, f SourceEvent) (ancestors []any, depth int64) {
	source := map[string]any{"type": "event", "depth": 0}
	if f.ID != "" {
		source["id"], source["index"] = f.ID, f.Index
	}
	before, isAlert := elastic.Lookup(event, "kibana.alert.ancestors")
	if !isAlert {
		return []any{source}, 1
	}
	depth = min(max(integer(firstOf(event, "kibana.alert.depth")), 0), maxDepth)
	source["type"], source["depth"] = "signal", depth
	if rule, ok := firstOf(event, "kibana.alert.rule.uuid").(string); ok {
		source["rule"] = rule
	}
	list, _ := before.([]any)
	for _, one := range list {
		if ancestor := asAncestor(one); ancestor != nil {
			ancestors = append(ancestors, ancestor)
		}
	}
	return append(ancestors, source), depth + 1
}

// maxDepth is deeper than any chain of alerts on alerts.
const maxDepth = 1000

// asAncestor returns the keys that an ancestor of an alert may have, or nil.
func asAncestor(value any) map[string]any {
	found, _ := value.(map[string]any)
	ancestor := map[string]any{}
	for _, name := range []string{"id", "index", "type", "rule"} {
		if s, ok := found[name].(string); ok {
			ancestor[name] = s
		}
	}
	if len(ancestor) == 0 {
		return nil
	}
	ancestor["depth"] = min(max(integer(found["depth"]), 0), maxDepth)
	return ancestor
}
