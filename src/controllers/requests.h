#pragma once

// The few shapes of API calls that controllers plan. Pure.

#include <string>
#include <string_view>

#include "client/informer.h"
#include "client/transport.h"

namespace stead::controllers {

using client::ObjectPtr;
using client::Request;
using client::ResourceRef;
using client::Value;

// The resources that controllers name.
inline const ResourceRef kPods{"", "pods"};
inline const ResourceRef kNodes{"", "nodes"};
inline const ResourceRef kServices{"", "services"};
inline const ResourceRef kEndpoints{"", "endpoints"};
inline const ResourceRef kEndpointSlices{"discovery.k8s.io", "endpointslices"};
inline const ResourceRef kNamespaces{"", "namespaces"};
inline const ResourceRef kServiceAccounts{"", "serviceaccounts"};
inline const ResourceRef kConfigMaps{"", "configmaps"};
inline const ResourceRef kClaims{"", "persistentvolumeclaims"};
inline const ResourceRef kVolumes{"", "persistentvolumes"};
inline const ResourceRef kStorageClasses{"storage.k8s.io", "storageclasses"};
inline const ResourceRef kStatefulSets{"apps", "statefulsets"};
inline const ResourceRef kReplicaSets{"apps", "replicasets"};
inline const ResourceRef kDeployments{"apps", "deployments"};
inline const ResourceRef kRevisions{"apps", "controllerrevisions"};
inline const ResourceRef kDaemonSets{"apps", "daemonsets"};
inline const ResourceRef kReplicationControllers{"", "replicationcontrollers"};
inline const ResourceRef kDisruptionBudgets{"policy", "poddisruptionbudgets"};
inline const ResourceRef kResourceQuotas{"", "resourcequotas"};
inline const ResourceRef kJobs{"batch", "jobs"};
inline const ResourceRef kCronJobs{"batch", "cronjobs"};

// `body` names itself: metadata.namespace and metadata.name say where it goes.
Request create_request(const ResourceRef& resource, Value body);
// Replaces the object that `body` was read from; kConflict if it changed since (metadata.resourceVersion).
Request update_request(const ResourceRef& resource, Value body, std::string subresource = {});
// A JSON merge patch of `object`.
Request patch_request(const ResourceRef& resource, const object::Object& object, Value patch,
                      std::string subresource = {});
// Deletes that very object (precondition on its UID), in the background.
Request delete_request(const ResourceRef& resource, const object::Object& object);

}  // namespace stead::controllers
