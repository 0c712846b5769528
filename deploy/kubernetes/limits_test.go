package kubernetes_test

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// retries wants exit code 1 to be retried and no other, and evictions not to
// count.
func (m *manifests) retries(name string, j batchv1.JobSpec) {
	if j.PodFailurePolicy == nil || j.BackoffLimit == nil {
		m.problem("%s: no podFailurePolicy or backoffLimit", name)
		return
	}
	if isCheck := slices.Equal(j.Template.Spec.Containers[0].Args, []string{"check"}); isCheck != (*j.BackoffLimit == 0) {
		m.problem("%s: backoffLimit is %d: a check makes one report, and the others are retried", name, *j.BackoffLimit)
	}
	if j.ActiveDeadlineSeconds != nil {
		m.problem("%s: a limit of the Job ends a late attempt, and deletes its log", name)
	}
	var ignored, only1 bool
	for _, r := range j.PodFailurePolicy.Rules {
		for _, c := range r.OnPodConditions {
			ignored = ignored || r.Action == batchv1.PodFailurePolicyActionIgnore && c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue
		}
		if codes := r.OnExitCodes; codes != nil {
			only1 = r.Action == batchv1.PodFailurePolicyActionFailJob && codes.Operator == batchv1.PodFailurePolicyOnExitCodesOpNotIn &&
				slices.Equal(codes.Values, []int32{1}) && codes.ContainerName != nil && *codes.ContainerName == j.Template.Spec.Containers[0].Name
		}
	}
	if !ignored || !only1 {
		m.problem("%s: podFailurePolicy must ignore disruptions and retry exit code 1 only", name)
	}
}

// memory wants the program's own limit of its heap to hold: it is below the request, and
// half of the pod's limit at most.
func (m *manifests) memory(name string, c corev1.Container) {
	const heap = 48 << 20 // memoryLimit of cmd/newterms
	for _, e := range c.Env {
		if e.Name == "GOMEMLIMIT" || e.Name == "GOGC" {
			m.problem("%s: %s replaces what newterms sets itself", name, e.Name)
		}
	}
	if request, limit := c.Resources.Requests.Memory().Value(), c.Resources.Limits.Memory().Value(); request < heap || limit < 2*heap {
		m.problem("%s: a heap of 48 MiB does not fit a request of %d and a limit of %d bytes", name, request, limit)
	}
}
