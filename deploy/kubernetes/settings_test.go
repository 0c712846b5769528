package kubernetes_test

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// onlyByHand wants a CronJob never to start a job: it is suspended, and its day
// never comes.
func (m *manifests) onlyByHand(c *batchv1.CronJob) {
	if c.Spec.Suspend == nil || !*c.Spec.Suspend {
		m.problem("%s: applying it must not start it: suspend", c.Name)
	}
	if schedule, err := cron.ParseStandard(c.Spec.Schedule); err != nil || !schedule.Next(time.Now()).IsZero() {
		m.problem("%s: it has a time to start: %s (%v)", c.Name, c.Spec.Schedule, err)
	}
	if c.Spec.JobTemplate.Spec.TTLSecondsAfterFinished == nil {
		m.problem("%s: its jobs are never removed", c.Name)
	}
	if s, f := c.Spec.SuccessfulJobsHistoryLimit, c.Spec.FailedJobsHistoryLimit; s == nil || f == nil || *s < 10 || *f < 10 {
		m.problem("%s: its history limits remove jobs whose log nobody has read", c.Name)
	}
}

// likeTheRun wants what is done by hand to differ from the scheduled run in what
// it does, and nothing else.
func (m *manifests) likeTheRun(c *batchv1.CronJob) {
	want, got := m.cron.Spec.JobTemplate.Spec.Template.Spec.DeepCopy(), c.Spec.JobTemplate.Spec.Template.Spec.DeepCopy()
	for _, pod := range []*corev1.PodSpec{want, got} {
		pod.Containers[0].Args, pod.Volumes[0].Secret.SecretName, pod.ActiveDeadlineSeconds = nil, "", nil
		pod.Containers[0].Env = slices.DeleteFunc(pod.Containers[0].Env, func(v corev1.EnvVar) bool { return v.Name == "NEWTERMS_DEADLINE" })
	}
	if !equality.Semantic.DeepEqual(want, got) {
		m.problem("%s: its pod differs from that of a run in more than args, deadline and key", c.Name)
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
	m.names()
}

// names wants DNS to be open to pods of any namespace and labels, and to the
// address that NodeLocal DNS has on a node.
func (m *manifests) names() {
	var pods, nodeLocal, elsewhere bool
	for _, rule := range m.policies[0].Spec.Egress {
		if !slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool { return p.Port.IntValue() == 53 }) {
			continue
		}
		for _, to := range rule.To {
			all := to.NamespaceSelector != nil && len(to.NamespaceSelector.MatchLabels) == 0 && to.PodSelector == nil
			pods = pods || all
			if to.IPBlock == nil {
				continue
			}
			block, err := netip.ParsePrefix(to.IPBlock.CIDR)
			if err != nil {
				m.problem("NetworkPolicy: %v", err)
			}
			nodeLocal = nodeLocal || block.Contains(netip.MustParseAddr("169.254.20.10"))
			elsewhere = elsewhere || block.Contains(netip.MustParseAddr("203.0.113.53"))
		}
	}
	if !pods || !nodeLocal || elsewhere {
		m.problem("NetworkPolicy: DNS must be open in the cluster, and on the node, and not on the internet: %t, %t, %t", pods, nodeLocal, elsewhere)
	}
}
