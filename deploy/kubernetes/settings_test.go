package kubernetes_test

import (
	"maps"
	"net/url"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// likeTheCronJob wants the one-off jobs to differ from the CronJob in what they
// do, and nothing else.
func (m *manifests) likeTheCronJob(name string, job *batchv1.Job) {
	want, got := m.cron.Spec.JobTemplate.Spec.Template.Spec.DeepCopy(), job.Spec.Template.Spec.DeepCopy()
	want.Containers[0].Args, got.Containers[0].Args = nil, nil
	want.Volumes[0].Secret.SecretName, got.Volumes[0].Secret.SecretName = "", ""
	if !equality.Semantic.DeepEqual(want, got) {
		m.problem("%s: its pod differs from the CronJob's in more than args and key", name)
	}
}

// settings wants the ConfigMap to hold every variable of the program, and no
// other.
func (m *manifests) settings(data map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if !slices.Contains(m.variables, name) {
			m.problem("ConfigMap: newterms reads no variable %s", name)
		}
	}
	// Secrets come as files, and there is no terminal.
	elsewhere := []string{
		"ELASTICSEARCH_API_KEY", "ELASTICSEARCH_USERNAME", "ELASTICSEARCH_PASSWORD", "ELASTICSEARCH_PASSWORD_FILE", "KIBANA_API_KEY", "NO_COLOR", "TERM",
	}
	for _, name := range m.variables {
		if _, ok := data[name]; ok == slices.Contains(elsewhere, name) {
			m.problem("ConfigMap: %s is missing, or has no place there", name)
		}
	}
}

// network wants the ports of the addresses to be open.
func (m *manifests) network(data map[string]string) {
	open := map[string]bool{}
	for _, rule := range m.policies[0].Spec.Egress {
		for _, p := range rule.Ports {
			open[p.Port.String()] = true
		}
	}
	for _, name := range []string{"ELASTICSEARCH_URL", "KIBANA_URL"} {
		if u, err := url.Parse(data[name]); data[name] != "" && (err != nil || !open[u.Port()]) {
			m.problem("NetworkPolicy: the port of %s=%s is not open", name, data[name])
		}
	}
	selector, err := metav1.LabelSelectorAsSelector(&m.policies[0].Spec.PodSelector)
	if pod := m.cron.Spec.JobTemplate.Spec.Template; err != nil || !selector.Matches(labels.Set(pod.Labels)) {
		m.problem("NetworkPolicy: it does not select the pod of the CronJob (%v)", err)
	}
	if !open["53"] {
		m.problem("NetworkPolicy: no DNS")
	}
}
