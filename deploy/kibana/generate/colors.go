package main

// Kibana's own colours for how bad something is.
const (
	green  = "#54B399"
	blue   = "#6092C0"
	yellow = "#D6BF57"
	orange = "#DA8B45"
	red    = "#E7664C"
)

// A value and its colour.
type shade struct{ value, color string }

func severities() []shade {
	return []shade{{"low", green}, {"medium", yellow}, {"high", orange}, {"critical", red}}
}

// inColors is the colour mapping of a chart. Other values take those of the
// palette in turn.
func inColors(shades []shade) object {
	var assignments []object
	for _, s := range shades {
		assignments = append(assignments, object{
			"rule":  object{"type": "matchExactly", "values": []string{s.value}},
			"color": object{"type": "colorCode", "colorCode": s.color}, "touched": true,
		})
	}
	return object{
		"paletteId": "eui_amsterdam_color_blind", "colorMode": object{"type": "categorical"}, "assignments": assignments,
		"specialAssignments": []object{{"rule": object{"type": "other"}, "color": object{"type": "loop"}, "touched": false}},
	}
}

// redFromOne colours a figure that should be 0.
func redFromOne() object {
	return object{"type": "palette", "name": "custom", "params": object{
		"name": "custom", "rangeType": "number", "rangeMin": nil, "rangeMax": nil, "continuity": "all", "progression": "fixed", "reverse": false,
		"steps": 2, "maxSteps": 5, "colorStops": []object{{"color": green, "stop": nil}, {"color": red, "stop": 1}},
		"stops": []object{{"color": green, "stop": 1}, {"color": red, "stop": 2}},
	}}
}
