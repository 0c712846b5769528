package kubernetes_test

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// manifests is what a cluster would be given.
type manifests struct {
	cron      *batchv1.CronJob
	once      map[string]*batchv1.CronJob // never start by themselves
	config    map[string]*corev1.ConfigMap
	accounts  map[string]bool
	policies  []*networkingv1.NetworkPolicy
	problems  []string
	variables []string // that the program reads
}

func (m *manifests) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

// problemsOf decodes YAML documents as strictly as an API server and judges
// what it does not: enums, the schedule, who refers to whom, and what the
// program can read.
func problemsOf(documents string, variables []string) []string {
	m := read(documents, variables)
	if len(m.problems) == 0 {
		m.check()
	}
	return m.problems
}

func read(documents string, variables []string) *manifests {
	m := &manifests{
		once: map[string]*batchv1.CronJob{}, config: map[string]*corev1.ConfigMap{}, accounts: map[string]bool{}, variables: variables,
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{batchv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			m.problem("%v", err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, text := range strings.Split(documents, "\n---\n") {
		object, _, err := decoder.Decode([]byte(text), nil, nil)
		if err != nil {
			m.problem("decode: %v", err)
			continue
		}
		m.add(object)
	}
	return m
}

func (m *manifests) add(object runtime.Object) {
	switch o := object.(type) {
	case *batchv1.CronJob:
		if o.Labels["app.kubernetes.io/component"] == "run" {
			m.cron = o
		} else {
			m.once[o.Labels["app.kubernetes.io/component"]] = o
		}
	case *batchv1.Job:
		m.problem("Job %s: most of it cannot be changed, so the next version could not be applied", o.Name)
	case *corev1.ConfigMap:
		m.config[o.Name] = o
	case *corev1.ServiceAccount:
		m.accounts[o.Name] = true
	case *networkingv1.NetworkPolicy:
		m.policies = append(m.policies, o)
	}
}

func (m *manifests) check() {
	if m.cron == nil || len(m.config) != 1 || len(m.policies) != 1 || !slices.Equal(slices.Sorted(maps.Keys(m.once)), []string{"check", "rerun", "setup"}) {
		m.problem("there must be CronJobs to run, check, rerun and setup, a ConfigMap and a NetworkPolicy")
		return
	}
	m.schedule()
	m.job(m.cron.Name, m.cron.Spec.JobTemplate)
	for _, cron := range m.once {
		m.job(cron.Name, cron.Spec.JobTemplate)
		m.onlyByHand(cron)
		m.likeTheRun(cron)
	}
	for _, config := range m.config {
		m.settings(config.Data)
		m.network(config.Data)
	}
}

// schedule judges what the CronJob's controller reads.
func (m *manifests) schedule() {
	s := m.cron.Spec
	schedule, err := cron.ParseStandard(s.Schedule)
	if err != nil {
		m.problem("schedule: %v", err)
		return
	}
	if s.TimeZone == nil {
		m.problem("timeZone is missing")
	} else if _, err := time.LoadLocation(*s.TimeZone); err != nil {
		m.problem("timeZone: %v", err)
	}
	if s.ConcurrencyPolicy != batchv1.ForbidConcurrent {
		m.problem("concurrencyPolicy is %s, must be Forbid", s.ConcurrencyPolicy)
	}
	first := schedule.Next(time.Now())
	interval := schedule.Next(first).Sub(first)
	if d := s.StartingDeadlineSeconds; d == nil || *d < 10 || time.Duration(*d)*time.Second >= interval {
		m.problem("startingDeadlineSeconds must be from 10 to the interval")
	}
	if d := s.JobTemplate.Spec.Template.Spec.ActiveDeadlineSeconds; d == nil || time.Duration(*d)*time.Second >= interval {
		m.problem("activeDeadlineSeconds must be below the interval")
	}
	for _, config := range m.config {
		own, err := time.ParseDuration(config.Data["NEWTERMS_DEADLINE"])
		if d := s.JobTemplate.Spec.Template.Spec.ActiveDeadlineSeconds; err != nil || d != nil && own >= time.Duration(*d)*time.Second {
			m.problem("NEWTERMS_DEADLINE must be below activeDeadlineSeconds")
		}
	}
	if s.Suspend == nil || *s.Suspend {
		m.problem("suspend must be false, so that an apply ends a pause")
	}
}

func (m *manifests) job(name string, template batchv1.JobTemplateSpec) {
	j := template.Spec
	pod := j.Template.Spec
	for _, labels := range []map[string]string{template.Labels, j.Template.Labels} {
		if labels["app.kubernetes.io/name"] != "newterms" || labels["app.kubernetes.io/component"] == "" || labels["app.kubernetes.io/instance"] != m.cron.Name {
			m.problem("%s: its jobs and pods cannot be selected by name, instance and component: %v", name, labels)
		}
		image := pod.Containers[0].Image
		if version := image[strings.LastIndexByte(image, ':')+1:]; labels["app.kubernetes.io/version"] != version && !strings.Contains(image, "@") {
			m.problem("%s: the label app.kubernetes.io/version is not that of the image %s: %v", name, image, labels)
		}
	}
	if pod.RestartPolicy != corev1.RestartPolicyNever {
		m.problem("%s: restartPolicy is %s, podFailurePolicy needs Never", name, pod.RestartPolicy)
	}
	if j.PodReplacementPolicy == nil || *j.PodReplacementPolicy != batchv1.Failed {
		m.problem("%s: podReplacementPolicy must be Failed", name)
	}
	m.retries(name, j)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		m.problem("%v", err)
		return
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, r := range evaluator.EvaluatePod(restricted, &j.Template.ObjectMeta, &pod) {
		if !r.Allowed {
			m.problem("%s: pod security: %s: %s", name, r.ForbiddenReason, r.ForbiddenDetail)
		}
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken || !m.accounts[pod.ServiceAccountName] {
		m.problem("%s: service account %s is missing, or its token is mounted", name, pod.ServiceAccountName)
	}
	for _, c := range pod.Containers {
		m.memory(name, c)
		if c.SecurityContext == nil || c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
			m.problem("%s: the root file system can be written to", name)
		}
		if i := strings.LastIndexByte(c.Image, ':'); i < 0 || c.Image[i:] == ":latest" { // a digest has one as well
			m.problem("%s: image %s names no version", name, c.Image)
		}
		if c.TerminationMessagePolicy != corev1.TerminationMessageFallbackToLogsOnError {
			m.problem("%s: kubectl describe pod would not tell the cause: terminationMessagePolicy", name)
		}
		if len(c.Args) == 0 || !slices.Contains([]string{"run", "setup", "check"}, c.Args[0]) {
			m.problem("%s: args %v", name, c.Args)
		}
		for _, e := range c.EnvFrom {
			if e.ConfigMapRef == nil || m.config[e.ConfigMapRef.Name] == nil {
				m.problem("%s: envFrom names no ConfigMap that is here", name)
			}
		}
		m.mounts(name, pod, c)
	}
}

// mounts wants every mount to have its volume, and the key's file to be where
// the settings say.
func (m *manifests) mounts(name string, pod corev1.PodSpec, c corev1.Container) {
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	folders := map[string]bool{}
	for _, mount := range c.VolumeMounts {
		if !volumes[mount.Name] {
			m.problem("%s: there is no volume %s", name, mount.Name)
		}
		folders[mount.MountPath] = true
	}
	for _, config := range m.config {
		for _, variable := range []string{"ELASTICSEARCH_API_KEY_FILE", "ELASTICSEARCH_CA", "KIBANA_CA"} {
			if file := config.Data[variable]; file != "" && !folders[path.Dir(file)] {
				m.problem("%s: %s=%s is in no mounted folder", name, variable, file)
			}
		}
	}
}
