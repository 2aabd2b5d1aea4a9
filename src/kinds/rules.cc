#include "kinds/rules.h"

#include "kinds/admissionregistration/policy_rules.h"
#include "kinds/admissionregistration/webhook_rules.h"
#include "kinds/apiregistration/api_service_rules.h"
#include "kinds/apps/apps_rules.h"
#include "kinds/autoscaling/autoscaling_rules.h"
#include "kinds/batch/batch_rules.h"
#include "kinds/certificates/certificates_rules.h"
#include "kinds/coordination/coordination_rules.h"
#include "kinds/core/core_rules.h"
#include "kinds/custom/definition_rules.h"
#include "kinds/discovery/discovery_rules.h"
#include "kinds/events/events_rules.h"
#include "kinds/flowcontrol/flowcontrol_rules.h"
#include "kinds/networking/networking_rules.h"
#include "kinds/node/node_group_rules.h"
#include "kinds/policy/policy_rules.h"
#include "kinds/rbac/rbac_rules.h"
#include "kinds/scheduling/scheduling_rules.h"
#include "kinds/storage/storage_rules.h"

namespace stead::kinds {
namespace {

struct KindEntry {
  std::string_view group;
  std::string_view kind;
  KindRules (*rules)();
};

struct VersionEntry {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  VersionRules rules;
};

constexpr KindEntry kKinds[] = {
    {"", "ComponentStatus", component_status_rules},
    {"", "ConfigMap", config_map_rules},
    {"", "Endpoints", endpoints_rules},
    {"", "Event", event_rules},
    {"", "LimitRange", limit_range_rules},
    {"", "Namespace", namespace_rules},
    {"", "Node", node_rules},
    {"", "PersistentVolume", persistent_volume_rules},
    {"", "PersistentVolumeClaim", persistent_volume_claim_rules},
    {"", "Pod", pod_rules},
    {"", "PodTemplate", pod_template_rules},
    {"", "ReplicationController", replication_controller_rules},
    {"", "ResourceQuota", resource_quota_rules},
    {"", "Secret", secret_rules},
    {"", "Service", service_rules},
    {"", "ServiceAccount", service_account_rules},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", mutating_webhook_configuration_rules},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", validating_admission_policy_rules},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", validating_admission_policy_binding_rules},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", validating_webhook_configuration_rules},
    {"apiextensions.k8s.io", "CustomResourceDefinition", custom_resource_definition_rules},
    {"apiregistration.k8s.io", "APIService", api_service_rules},
    {"apps", "ControllerRevision", controller_revision_rules},
    {"apps", "DaemonSet", daemon_set_rules},
    {"apps", "Deployment", deployment_rules},
    {"apps", "ReplicaSet", replica_set_rules},
    {"apps", "StatefulSet", stateful_set_rules},
    {"autoscaling", "HorizontalPodAutoscaler", horizontal_pod_autoscaler_rules},
    {"batch", "CronJob", cron_job_rules},
    {"batch", "Job", job_rules},
    {"certificates.k8s.io", "CertificateSigningRequest", certificate_signing_request_rules},
    {"coordination.k8s.io", "Lease", lease_rules},
    {"discovery.k8s.io", "EndpointSlice", endpoint_slice_rules},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", flow_schema_rules},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", priority_level_configuration_rules},
    {"networking.k8s.io", "Ingress", ingress_rules},
    {"networking.k8s.io", "IngressClass", ingress_class_rules},
    {"rbac.authorization.k8s.io", "ClusterRole", cluster_role_rules},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", cluster_role_binding_rules},
    {"rbac.authorization.k8s.io", "Role", role_rules},
    {"rbac.authorization.k8s.io", "RoleBinding", role_binding_rules},
    {"scheduling.k8s.io", "PriorityClass", priority_class_rules},
    {"networking.k8s.io", "IPAddress", ip_address_rules},
    {"networking.k8s.io", "NetworkPolicy", network_policy_rules},
    {"networking.k8s.io", "ServiceCIDR", service_cidr_rules},
    {"node.k8s.io", "RuntimeClass", runtime_class_rules},
    {"policy", "PodDisruptionBudget", pod_disruption_budget_rules},
    {"storage.k8s.io", "CSIDriver", csi_driver_rules},
    {"storage.k8s.io", "CSINode", csi_node_rules},
    {"storage.k8s.io", "CSIStorageCapacity", csi_storage_capacity_rules},
    {"storage.k8s.io", "StorageClass", storage_class_rules},
    {"storage.k8s.io", "VolumeAttachment", volume_attachment_rules},
    {"storage.k8s.io", "VolumeAttributesClass", volume_attributes_class_rules},
};

constexpr VersionEntry kVersions[] = {
    {"", "v1", "Endpoints", {.set_defaults = set_endpoints_defaults}},
    {"", "v1", "LimitRange", {.set_defaults = set_limit_range_defaults}},
    {"", "v1", "Namespace", {.set_defaults = set_namespace_defaults}},
    {"", "v1", "Node", {.set_defaults = set_node_defaults}},
    {"", "v1", "PersistentVolume", {.set_defaults = set_volume_defaults}},
    {"", "v1", "PersistentVolumeClaim", {.set_defaults = set_claim_defaults}},
    {"", "v1", "Pod", {.set_defaults = set_pod_defaults}},
    {"", "v1", "PodTemplate", {.set_defaults = set_pod_template_defaults}},
    {"", "v1", "ReplicationController", {.set_defaults = set_replication_controller_defaults}},
    {"", "v1", "Secret", {.set_defaults = set_secret_defaults}},
    {"", "v1", "Service", {.set_defaults = set_service_defaults}},
    {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", {.set_defaults = set_definition_defaults}},
    {"apps", "v1", "DaemonSet", {.set_defaults = set_daemon_set_defaults}},
    {"apps", "v1", "Deployment", {.set_defaults = set_deployment_defaults}},
    {"apps", "v1", "ReplicaSet", {.set_defaults = set_replica_set_defaults}},
    {"apps", "v1", "StatefulSet", {.set_defaults = set_stateful_set_defaults}},
    {"apps",
     "v1beta1",
     "Deployment",
     {.set_defaults = set_deployment_defaults_v1beta1,
      .to_hub = rollback_to_annotation,
      .from_hub = rollback_from_annotation}},
    {"apps", "v1beta1", "StatefulSet", {.set_defaults = set_stateful_set_defaults_v1beta1}},
    {"apps", "v1beta2", "DaemonSet", {.set_defaults = set_daemon_set_defaults}},
    {"apps", "v1beta2", "Deployment", {.set_defaults = set_deployment_defaults}},
    {"apps", "v1beta2", "ReplicaSet", {.set_defaults = set_replica_set_defaults}},
    {"apps", "v1beta2", "StatefulSet", {.set_defaults = set_stateful_set_defaults}},
    {"autoscaling", "v1", "HorizontalPodAutoscaler", {.to_hub = autoscaler_from_v1, .from_hub = autoscaler_to_v1}},
    {"autoscaling", "v2", "HorizontalPodAutoscaler", {.set_defaults = set_autoscaler_defaults}},
    {"batch", "v1", "CronJob", {.set_defaults = set_cron_job_defaults}},
    {"batch", "v1", "Job", {.set_defaults = set_job_defaults}},
    {"batch", "v1beta1", "CronJob", {.set_defaults = set_cron_job_defaults}},
    {"discovery.k8s.io", "v1", "EndpointSlice", {.set_defaults = set_endpoint_slice_defaults}},
    {"events.k8s.io", "v1", "Event", {.to_hub = event_from_events_group, .from_hub = event_to_events_group}},
    {"extensions",
     "v1beta1",
     "DaemonSet",
     {.set_defaults = set_extensions_daemon_set_defaults,
      .to_hub = drop_template_generation,
      .from_hub = add_template_generation}},
    {"extensions",
     "v1beta1",
     "Deployment",
     {.set_defaults = set_extensions_deployment_defaults,
      .to_hub = rollback_to_annotation,
      .from_hub = rollback_from_annotation}},
    {"extensions", "v1beta1", "Ingress", {.to_hub = ingress_from_v1beta1, .from_hub = ingress_to_v1beta1}},
    {"extensions", "v1beta1", "ReplicaSet", {.set_defaults = set_extensions_replica_set_defaults}},
    {"extensions", "v1beta1", "NetworkPolicy", {.set_defaults = set_network_policy_defaults}},
    {"networking.k8s.io", "v1", "NetworkPolicy", {.set_defaults = set_network_policy_defaults}},
    {"networking.k8s.io", "v1beta1", "Ingress", {.to_hub = ingress_from_v1beta1, .from_hub = ingress_to_v1beta1}},
    {"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", {.set_defaults = set_binding_defaults}},
    {"rbac.authorization.k8s.io", "v1", "RoleBinding", {.set_defaults = set_binding_defaults}},
    {"rbac.authorization.k8s.io", "v1beta1", "ClusterRoleBinding", {.set_defaults = set_binding_defaults}},
    {"rbac.authorization.k8s.io", "v1beta1", "RoleBinding", {.set_defaults = set_binding_defaults}},
    {"policy", "v1beta1", "PodDisruptionBudget", {.to_hub = budget_from_v1beta1, .from_hub = budget_to_v1beta1}},
};

}  // namespace

KindRules find_rules(std::string_view group, std::string_view kind) {
  for (const KindEntry& entry : kKinds) {
    if (entry.group == group && entry.kind == kind) return entry.rules();
  }
  return {};
}

VersionRules find_version_rules(std::string_view group, std::string_view version, std::string_view kind) {
  for (const VersionEntry& entry : kVersions) {
    if (entry.group == group && entry.version == version && entry.kind == kind) return entry.rules;
  }
  return {};
}

}  // namespace stead::kinds
