#include "apiserver/authorization/bootstrap_table.h"

namespace stead::apiserver {

const std::string_view kBootstrapTable = R"(
role cluster-admin
* | * | *
* | urls | *
role admin
aggregates admin
role edit admin
aggregates edit
role view edit
aggregates view
role system:aggregate-to-admin admin
create | authorization.k8s.io | localsubjectaccessreviews
READ WRITE | rbac.authorization.k8s.io | rolebindings roles
role system:aggregate-to-edit edit
READ | core | pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy
impersonate | core | serviceaccounts
WRITE | core | pods pods/attach pods/exec pods/portforward pods/proxy
create | core | pods/eviction
WRITE | core | configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy
create | core | serviceaccounts/token
WRITE | apps | daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale
WRITE | autoscaling | horizontalpodautoscalers
WRITE | batch | cronjobs jobs
WRITE | extensions | daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale
WRITE | policy | poddisruptionbudgets
WRITE | networking.k8s.io | ingresses networkpolicies
READ WRITE | coordination.k8s.io | leases
role system:aggregate-to-view view
READ | core | configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status
READ | core | bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status
READ | core | namespaces
READ | discovery.k8s.io | endpointslices
READ | apps | controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status
READ | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status
READ | batch | cronjobs cronjobs/status jobs jobs/status
READ | extensions | daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale
READ | policy | poddisruptionbudgets poddisruptionbudgets/status
READ | networking.k8s.io | ingresses ingresses/status networkpolicies
role system:auth-delegator
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | subjectaccessreviews
role system:basic-user
create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews
create | authentication.k8s.io | selfsubjectreviews
role system:certificates.k8s.io:certificatesigningrequests:nodeclient
create | certificates.k8s.io | certificatesigningrequests/nodeclient
role system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
create | certificates.k8s.io | certificatesigningrequests/selfnodeclient
role system:certificates.k8s.io:kube-apiserver-client-approver
approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client
role system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet
role system:certificates.k8s.io:kubelet-serving-approver
approve | certificates.k8s.io | signers | kubernetes.io/kubelet-serving
role system:certificates.k8s.io:legacy-unknown-approver
approve | certificates.k8s.io | signers | kubernetes.io/legacy-unknown
role system:discovery
get | urls | /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/
role system:heapster
READ | core | events namespaces nodes pods
READ | extensions | deployments
role system:kube-aggregator
READ | core | endpoints services
role system:kube-controller-manager
events
create | coordination.k8s.io | leases
get update | coordination.k8s.io | leases | kube-controller-manager
create | core | secrets serviceaccounts
delete | core | secrets
get | core | configmaps namespaces secrets serviceaccounts
update | core | secrets serviceaccounts
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | subjectaccessreviews
list watch | * | *
create | core | serviceaccounts/token
role system:kube-dns
list watch | core | endpoints services
role system:kube-scheduler
events
create | coordination.k8s.io | leases
get update | coordination.k8s.io | leases | kube-scheduler
READ | core | nodes
delete get list watch | core | pods
create | core | bindings pods/binding
patch update | core | pods/status
READ | core | replicationcontrollers services
READ | apps extensions | replicasets
READ | apps | statefulsets
READ | policy | poddisruptionbudgets
READ | core | persistentvolumeclaims persistentvolumes
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | subjectaccessreviews
READ | storage.k8s.io | csinodes
READ | core | namespaces
READ | storage.k8s.io | csidrivers
READ | storage.k8s.io | csistoragecapacities
role system:kubelet-api-admin
READ | core | nodes
proxy | core | nodes
* | core | nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats
role system:monitoring
get | urls | /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*
role system:node
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | localsubjectaccessreviews subjectaccessreviews
READ | core | services
create get list watch | core | nodes
patch update | core | nodes/status
patch update | core | nodes
create patch update | core | events
READ | core | pods
create delete | core | pods
patch update | core | pods/status
create | core | pods/eviction
READ | core | configmaps secrets
get | core | persistentvolumeclaims persistentvolumes
get | core | endpoints
create get list watch | certificates.k8s.io | certificatesigningrequests
create delete get patch update | coordination.k8s.io | leases
get | storage.k8s.io | volumeattachments
create | core | serviceaccounts/token
get patch update | core | persistentvolumeclaims/status
READ | storage.k8s.io | csidrivers
create delete get patch update | storage.k8s.io | csinodes
READ | node.k8s.io | runtimeclasses
role system:node-bootstrapper
create get list watch | certificates.k8s.io | certificatesigningrequests
role system:node-problem-detector
get | core | nodes
patch | core | nodes/status
events
role system:node-proxier
list watch | core | endpoints services
READ | core | nodes
events
list watch | discovery.k8s.io | endpointslices
READ | networking.k8s.io | servicecidrs
role system:persistent-volume-provisioner
create delete get list watch | core | persistentvolumes
get list update watch | core | persistentvolumeclaims
READ | storage.k8s.io | storageclasses
watch | core | events
events
role system:public-info-viewer
get | urls | /healthz /livez /readyz /version /version/
role system:service-account-issuer-discovery
get | urls | /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/
role system:volume-scheduler
get list patch update watch | core | persistentvolumes
READ | storage.k8s.io | storageclasses
get list patch update watch | core | persistentvolumeclaims

controller attachdetach-controller
list watch | core | persistentvolumeclaims persistentvolumes
READ | core | nodes
patch update | core | nodes/status
list watch | core | pods
events
create delete get list watch | storage.k8s.io | volumeattachments
READ | storage.k8s.io | csidrivers
READ | storage.k8s.io | csinodes
controller certificate-controller
delete get list watch | certificates.k8s.io | certificatesigningrequests
update | certificates.k8s.io | certificatesigningrequests/approval certificatesigningrequests/status
approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet
sign | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown
create | authorization.k8s.io | subjectaccessreviews
events
controller clusterrole-aggregation-controller
escalate get list patch update watch | rbac.authorization.k8s.io | clusterroles
controller cronjob-controller
get list update watch | batch | cronjobs
create delete get list patch update watch | batch | jobs
update | batch | cronjobs/status
update | batch | cronjobs/finalizers
delete list watch | core | pods
events
controller daemon-set-controller
READ | apps extensions | daemonsets
update | apps extensions | daemonsets/status
update | apps extensions | daemonsets/finalizers
list watch | core | nodes
create delete list patch watch | core | pods
create | core | pods/binding
create delete get list patch update watch | apps | controllerrevisions
events
controller deployment-controller
get list update watch | apps extensions | deployments
update | apps extensions | deployments/status
update | apps extensions | deployments/finalizers
create delete get list patch update watch | apps extensions | replicasets
get list update watch | core | pods
events
controller disruption-controller
READ | apps extensions | deployments
READ | apps extensions | replicasets
READ | core | replicationcontrollers
READ | policy | poddisruptionbudgets
READ | apps | statefulsets
update | policy | poddisruptionbudgets/status
patch update | core | pods/status
get | * | */scale
events
controller endpoint-controller
READ | core | pods services
create delete get list update watch | core | endpoints
create | core | endpoints/restricted
events
controller endpointslice-controller
READ | core | nodes pods services
update | core | services/finalizers
create delete get list update watch | discovery.k8s.io | endpointslices
events
controller endpointslicemirroring-controller
READ | core | endpoints services
update | core | services/finalizers
update | core | endpoints/finalizers
create delete get list update watch | discovery.k8s.io | endpointslices
events
controller ephemeral-volume-controller
READ | core | pods
update | core | pods/finalizers
create get list watch | core | persistentvolumeclaims
events
controller expand-controller
get list patch update watch | core | persistentvolumes
patch update | core | persistentvolumeclaims/status
READ | core | persistentvolumeclaims
events
get | core | services
controller generic-garbage-collector
delete get list patch update watch | * | *
events
controller horizontal-pod-autoscaler
READ | autoscaling | horizontalpodautoscalers
update | autoscaling | horizontalpodautoscalers/status
get update | * | */scale
list watch | core | pods
list watch | metrics.k8s.io | pods
READ | custom.metrics.k8s.io | *
READ | external.metrics.k8s.io | *
events
controller job-controller
get list patch update watch | batch | jobs
update | batch | jobs/status
update | batch | jobs/finalizers
create delete list patch watch | core | pods
events
controller legacy-service-account-token-cleaner
get | core | configmaps | kube-apiserver-legacy-service-account-token-tracking
delete patch | core | secrets
controller namespace-controller
delete get list watch | core | namespaces
update | core | namespaces/finalize namespaces/status
delete deletecollection get list watch | * | *
controller node-controller
delete get list patch update watch | core | nodes
patch update | core | nodes/status
patch update | core | pods/status
delete get list watch | core | pods
events
controller persistent-volume-binder
create delete get list update watch | core | persistentvolumes
update | core | persistentvolumes/status
get list update watch | core | persistentvolumeclaims
update | core | persistentvolumeclaims/status
create delete get list watch | core | pods
READ | storage.k8s.io | storageclasses
list watch | core | nodes
events
watch | core | events
get | core | services
controller pod-garbage-collector
delete list watch | core | pods
READ | core | nodes
patch | core | pods/status
controller pv-protection-controller
get list update watch | core | persistentvolumes
events
controller pvc-protection-controller
get list update watch | core | persistentvolumeclaims
READ | core | pods
events
controller replicaset-controller
get list update watch | apps extensions | replicasets
update | apps extensions | replicasets/status
update | apps extensions | replicasets/finalizers
create delete list patch watch | core | pods
events
controller replication-controller
get list update watch | core | replicationcontrollers
update | core | replicationcontrollers/status
update | core | replicationcontrollers/finalizers
create delete list patch watch | core | pods
events
controller resourcequota-controller
list watch | * | *
update | core | resourcequotas/status
events
controller root-ca-cert-publisher
create update | core | configmaps
events
controller route-controller
list watch | core | nodes
patch | core | nodes/status
events
controller selinux-warning-controller
events
READ | core | persistentvolumes
READ | core | persistentvolumeclaims
READ | core | pods
READ | storage.k8s.io | csidrivers
controller service-account-controller
create | core | serviceaccounts
events
controller service-cidrs-controller
get list patch update watch | networking.k8s.io | servicecidrs
patch update | networking.k8s.io | servicecidrs/finalizers
patch update | networking.k8s.io | servicecidrs/status
READ | networking.k8s.io | ipaddresses
events
controller service-controller
READ | core | services
patch update | core | services/status
list watch | core | nodes
events
controller statefulset-controller
list watch | core | pods
READ | apps | statefulsets
update | apps | statefulsets/status
update | apps | statefulsets/finalizers
create delete get patch update | core | pods
create delete get list patch update watch | apps | controllerrevisions
create get list watch | core | persistentvolumeclaims
delete update | core | persistentvolumeclaims
update | core | pods/finalizers
events
controller ttl-after-finished-controller
delete get list watch | batch | jobs
events
controller ttl-controller
list patch update watch | core | nodes
events
controller validatingadmissionpolicy-status-controller
READ | admissionregistration.k8s.io | validatingadmissionpolicies
get patch update | admissionregistration.k8s.io | validatingadmissionpolicies/status
events

bind cluster-admin to cluster-admin: group:system:masters
bind system:monitoring to system:monitoring: group:system:monitoring
bind system:discovery to system:discovery: group:system:authenticated
bind system:basic-user to system:basic-user: group:system:authenticated
bind system:public-info-viewer to system:public-info-viewer: group:system:authenticated group:system:unauthenticated
bind system:node-proxier to system:node-proxier: user:system:kube-proxy
bind system:kube-controller-manager to system:kube-controller-manager: user:system:kube-controller-manager
bind system:kube-dns to system:kube-dns: kube-system/kube-dns
bind system:kube-scheduler to system:kube-scheduler: user:system:kube-scheduler
bind system:volume-scheduler to system:volume-scheduler: user:system:kube-scheduler
bind system:node to system:node:
bind system:service-account-issuer-discovery to system:service-account-issuer-discovery: group:system:serviceaccounts
bind stead:node-bootstrapper to system:node-bootstrapper: group:system:bootstrappers
bind stead:node-network to system:node-proxier: group:system:nodes

role stead:cluster-facts in kube-system
get | core | configmaps | stead-cluster
bind stead:cluster-facts in kube-system to stead:cluster-facts: group:system:nodes group:system:bootstrappers
role extension-apiserver-authentication-reader in kube-system
READ | core | configmaps | extension-apiserver-authentication
role system:controller:bootstrap-signer in kube-system
READ | core | secrets
role system:controller:cloud-provider in kube-system
create get list watch | core | configmaps
role system:controller:token-cleaner in kube-system
delete get list watch | core | secrets
events
role system::leader-locking-kube-controller-manager in kube-system
watch | core | configmaps
get update | core | configmaps | kube-controller-manager
create get list update watch | coordination.k8s.io | leases
role system::leader-locking-kube-scheduler in kube-system
watch | core | configmaps
get update | core | configmaps | kube-scheduler
role system:controller:bootstrap-signer in kube-public
READ | core | configmaps
update | core | configmaps | cluster-info
events
bind system::extension-apiserver-authentication-reader in kube-system to extension-apiserver-authentication-reader: user:system:kube-controller-manager user:system:kube-scheduler
bind system::leader-locking-kube-controller-manager in kube-system to system::leader-locking-kube-controller-manager: user:system:kube-controller-manager kube-system/kube-controller-manager kube-system/leader-election-controller
bind system::leader-locking-kube-scheduler in kube-system to system::leader-locking-kube-scheduler: user:system:kube-scheduler kube-system/kube-scheduler
bind system:controller:bootstrap-signer in kube-system to system:controller:bootstrap-signer: kube-system/bootstrap-signer
bind system:controller:cloud-provider in kube-system to system:controller:cloud-provider: kube-system/cloud-provider
bind system:controller:token-cleaner in kube-system to system:controller:token-cleaner: kube-system/token-cleaner
bind system:controller:bootstrap-signer in kube-public to system:controller:bootstrap-signer: kube-system/bootstrap-signer
)";

}  // namespace stead::apiserver
