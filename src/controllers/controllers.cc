#include "controllers/controllers.h"

#include "controllers/autoscaling/autoscaler_controller.h"
#include "controllers/certificates/token_cleaner.h"
#include "controllers/cluster_roles/aggregation_controller.h"
#include "controllers/cronjob/cronjob_controller.h"
#include "controllers/custom_resources.h"
#include "controllers/daemonset/daemonset_controller.h"
#include "controllers/deployment/deployment_controller.h"
#include "controllers/disruption/disruption_controller.h"
#include "controllers/endpoints/endpoints_controller.h"
#include "controllers/endpoints/mirror_controller.h"
#include "controllers/garbage/garbage_controller.h"
#include "controllers/garbage/lost_pods_controller.h"
#include "controllers/job/job_controller.h"
#include "controllers/namespaces/namespace_controller.h"
#include "controllers/node_ipam/range_controller.h"
#include "controllers/node_lifecycle/node_lifecycle_controller.h"
#include "controllers/node_lifecycle/taint_eviction_controller.h"
#include "controllers/quota/quota_controller.h"
#include "controllers/replicaset/replicaset_controller.h"
#include "controllers/service_accounts/token_secret_controller.h"
#include "controllers/statefulset/statefulset_controller.h"
#include "controllers/volumes/binding_controller.h"
#include "controllers/volumes/ephemeral_controller.h"
#include "controllers/volumes/protection_controller.h"

namespace stead::controllers {

// Events name the component that upstream's do, since people filter by it.
struct Controllers::State {
  State(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers,
        VolumeDirectories& directories, ControllersOptions options)
      : set_events(transport, loop, "statefulset-controller"),
        replica_events(transport, loop, "replicaset-controller"),
        deployment_events(transport, loop, "deployment-controller"),
        job_events(transport, loop, "job-controller"),
        cron_job_events(transport, loop, "cronjob-controller"),
        daemon_events(transport, loop, "daemonset-controller"),
        replication_events(transport, loop, "replication-controller"),
        disruption_events(transport, loop, "controllermanager"),
        autoscaler_events(transport, loop, "horizontal-pod-autoscaler"),
        volume_events(transport, loop, "persistentvolume-controller"),
        provisioner_events(transport, loop, "stead.dev/local"),
        endpoint_events(transport, loop, "endpoint-controller"),
        node_events(transport, loop, "node-controller"),
        eviction_events(transport, loop, "taint-eviction-controller"),
        range_events(transport, loop, "cidrAllocator"),
        other_events(transport, loop, "controllers"),
        sets(transport, loop, set_events, informers),
        replica_sets(transport, loop, replica_events, informers),
        replication_controllers(transport, loop, replication_events, informers, kReplicationControllers,
                                "ReplicationController"),
        deployments(transport, loop, deployment_events, informers),
        jobs(transport, loop, job_events, informers),
        cron_jobs(transport, loop, cron_job_events, informers),
        daemon_sets(transport, loop, daemon_events, informers),
        disruption(transport, loop, disruption_events, informers),
        autoscalers(transport, loop, autoscaler_events, informers, options.resources),
        quotas(transport, loop, other_events, informers, options.resources),
        binding(transport, loop, volume_events, informers),
        protection(transport, loop, volume_events, informers),
        ephemeral(transport, loop, volume_events, informers),
        provisioner(transport, loop, provisioner_events, informers, directories),
        endpoints(transport, loop, endpoint_events, informers),
        custom(transport, loop, informers),
        mirror(transport, loop, endpoint_events, informers),
        garbage(transport, loop, other_events, informers, options.resources),
        lost_pods(transport, loop, other_events, informers),
        node_lifecycle(transport, loop, node_events, informers, options.node_lifecycle),
        taint_eviction(transport, loop, eviction_events, informers),
        node_ranges(transport, loop, range_events, informers, options.pod_cidr, options.control_plane),
        certificates(transport, loop, informers, options.certificates),
        tokens(transport, loop, informers),
        namespaces(transport, loop, other_events, informers, options.resources, options.root_ca_pem),
        cluster_roles(transport, loop, other_events, informers),
        token_secrets(transport, loop, other_events, informers) {
    quotas.follow(custom);
    garbage.follow(custom);
    namespaces.follow(custom);
  }

  client::EventRecorder set_events;
  client::EventRecorder replica_events;
  client::EventRecorder deployment_events;
  client::EventRecorder job_events;
  client::EventRecorder cron_job_events;
  client::EventRecorder daemon_events;
  client::EventRecorder replication_events;
  client::EventRecorder disruption_events;
  client::EventRecorder autoscaler_events;
  client::EventRecorder volume_events;
  client::EventRecorder provisioner_events;
  client::EventRecorder endpoint_events;
  client::EventRecorder node_events;
  client::EventRecorder eviction_events;
  client::EventRecorder range_events;
  client::EventRecorder other_events;
  StatefulSetController sets;
  ReplicaSetController replica_sets;
  ReplicaSetController replication_controllers;
  DeploymentController deployments;
  JobController jobs;
  CronJobController cron_jobs;
  DaemonSetController daemon_sets;
  DisruptionController disruption;
  AutoscalerController autoscalers;
  QuotaController quotas;
  VolumeBindingController binding;
  ProtectionController protection;
  EphemeralController ephemeral;
  LocalProvisioner provisioner;
  EndpointsController endpoints;
  CustomResources custom;
  EndpointsMirrorController mirror;
  GarbageController garbage;
  LostPodsController lost_pods;
  NodeLifecycleController node_lifecycle;
  TaintEvictionController taint_eviction;
  NodeRangeController node_ranges;
  CertificateController certificates;
  TokenCleaner tokens;
  NamespaceController namespaces;
  ClusterRoleAggregationController cluster_roles;
  TokenSecretController token_secrets;
};

Controllers::Controllers(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers,
                         VolumeDirectories& directories, ControllersOptions options)
    : state_(std::make_unique<State>(transport, loop, informers, directories, std::move(options))) {}

Controllers::~Controllers() = default;

void Controllers::start() {
  state_->namespaces.start();
  state_->cluster_roles.start();
  state_->token_secrets.start();
  state_->sets.start();
  state_->replica_sets.start();
  state_->replication_controllers.start();
  state_->deployments.start();
  state_->jobs.start();
  state_->cron_jobs.start();
  state_->daemon_sets.start();
  state_->disruption.start();
  state_->autoscalers.start();
  state_->quotas.start();
  state_->binding.start();
  state_->protection.start();
  state_->ephemeral.start();
  state_->provisioner.start();
  state_->endpoints.start();
  state_->mirror.start();
  state_->garbage.start();
  state_->lost_pods.start();
  state_->node_lifecycle.start();
  state_->taint_eviction.start();
  state_->node_ranges.start();
  state_->certificates.start();
  state_->tokens.start();
}

}  // namespace stead::controllers
