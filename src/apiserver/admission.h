#pragma once

// Admission: what the server adds to, or holds against, an object that is about to be stored (the built-in plugins
// of kube-apiserver that a bare cluster needs): NamespaceLifecycle, ServiceAccount, DefaultStorageClass,
// DefaultIngressClass, StorageObjectInUse, PersistentVolumeClaimResize, Priority, DefaultTolerationSeconds, and the
// address allocation of Services; LimitRanger and ResourceQuota are in quota/, PodSecurity in
// pod_security_admission.h. API loop only.

#include <chrono>
#include <memory>

#include "apiserver/authorization/authorizer.h"
#include "apiserver/call.h"
#include "apiserver/node_restriction.h"
#include "apiserver/pod_security_admission.h"
#include "apiserver/quota/quota_ledger.h"
#include "apiserver/service_account_admission.h"
#include "apiserver/service_allocator.h"
#include "cache/cache.h"

namespace stead::apiserver {

class Admission {
 public:
  // References outlive this.
  Admission(cache::Cache& cache, ServiceAllocator& services, const Authorizer& authorizer,
            const ServiceAccountAdmission& accounts, const Catalogue& catalogue);

  // How long a pod that does not say stays on a node that is not ready or cannot be reached (DefaultTolerationSeconds).
  void set_toleration(std::chrono::seconds span) { toleration_ = span; }

  const NodeRestriction& node_restriction() const { return nodes_; }

  // Whether who applies may also create. kForbidden.
  Result<void> may_create(const Call& call) const;
  // May change `document`. kForbidden, kNotFound (namespace), kInvalid.
  Result<void> admit_create(const Call& call, object::Value& document) const;
  Result<void> admit_update(const Call& call, object::Value& document, const object::Value& old) const;
  // After validation: what the Pod Security Standards of its namespace hold against it. kForbidden, kInvalid; may add
  // to `warnings`. `old` is null for a new object.
  Result<void> judge(const Call& call, const object::Value& document, const object::Value* old,
                     std::vector<std::string>& warnings) const {
    return check_pod_security(cache_, call, document, old, warnings);
  }
  // After that, just before the write: what the namespace's quotas hold against it. Kept until the write has been
  // answered; null where no quota is about it. `old` is null for a new object.
  Result<QuotaLedger::ReservationPtr> charge(const Call& call, const object::Value& document,
                                             const object::Value* old) {
    return quotas_.charge(call, document, old);
  }
  // kForbidden for objects that must stay (the default namespaces).
  Result<void> admit_delete(const Call& call) const;

 private:
  Result<void> check_namespace(const Call& call) const;
  Result<void> check_claim_growth(const Call& call, const object::Value& document, const object::Value& old) const;
  Result<void> complete_pod(object::Value& document) const;
  Result<void> check_limits(const Call& call, object::Value& document, bool is_new) const;
  void complete_claim(object::Value& document) const;
  void complete_ingress(object::Value& document) const;
  // The class of `resource` (as the cache names it) that one of the annotations `marks` as default; may be null.
  object::ObjectPtr default_class(const std::string& resource, std::initializer_list<std::string_view> marks) const;

  cache::Cache& cache_;
  ServiceAllocator& services_;
  const Authorizer& authorizer_;
  const ServiceAccountAdmission& accounts_;
  const NodeRestriction nodes_;
  std::chrono::seconds toleration_{300};
  const Catalogue& catalogue_;
  QuotaLedger quotas_;
};

}  // namespace stead::apiserver
