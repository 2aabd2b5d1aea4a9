#include "apiserver/eviction.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/core/pod_state.h"
#include "object/selector.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

// Evictions that no controller has confirmed: more of them mean that it is not there.
constexpr size_t kDisruptedMax = 2000;
constexpr int kRetryAfterSeconds = 10;

Error too_many_requests(std::string cause, int retry_after_seconds) {
  Error error =
      make_error(Reason::kTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.");
  error.causes.push_back({"DisruptionBudget", std::move(cause), ""});
  error.retry_after_seconds = retry_after_seconds;
  return error;
}

// Nobody misses a pod that has ended, is ending or has never run.
bool is_free(const object::Object& pod) {
  return pod.deleting() || kinds::is_pod_terminated(pod.document()) || kinds::pod_phase(pod.document()) == "Pending";
}

// A pod that is not ready may go where that breaks no promise: its set is healthy, or the budget says so.
bool may_go_unhealthy(const object::Object& pod, const object::Object& budget) {
  if (kinds::is_pod_ready(pod.document())) return false;
  if (budget.spec().at("unhealthyPodEvictionPolicy").as_string() == "AlwaysAllow") return true;
  const Value& status = budget.status();
  return status.at("desiredHealthy").as_int() > 0 &&
         status.at("currentHealthy").as_int() >= status.at("desiredHealthy").as_int();
}

void set_condition(Value& status, Value condition) {
  auto& conditions = status["conditions"].mutable_items();
  std::erase_if(conditions, [&](const Value& item) { return item.at("type") == condition.at("type"); });
  conditions.push_back(std::move(condition));
}

// The budget's status with one disruption less.
Result<Verbs::Change> take_one(const object::Object& budget, const std::string& pod, WallTime now) {
  const Value& status = budget.status();
  std::string name(budget.name());
  if (status.at("observedGeneration").as_int() < budget.metadata().at("generation").as_int()) {
    return too_many_requests(fmt::format("The disruption budget {} is still being processed by the server.", name),
                             kRetryAfterSeconds);
  }
  int64_t allowed = status.at("disruptionsAllowed").as_int();
  if (allowed <= 0) {
    return too_many_requests(fmt::format("The disruption budget {} needs {} healthy pods and has {} currently", name,
                                         status.at("desiredHealthy").as_int(), status.at("currentHealthy").as_int()),
                             0);
  }
  if (status.at("disruptedPods").size() > kDisruptedMax) {
    return make_error(
        Reason::kForbidden,
        fmt::format("poddisruptionbudgets.policy \"{}\" is forbidden: DisruptedPods map too big - too many "
                    "evictions not confirmed by PDB controller",
                    name));
  }
  Verbs::Change change;
  change.status_only = true;
  change.skip_validation = true;
  change.document = budget.document();
  Value& next = change.document["status"];
  next.set("disruptionsAllowed", allowed - 1);
  next.set({"disruptedPods", pod}, object::format_time(now));
  if (allowed == 1) {
    set_condition(next, Value::object({{"type", "DisruptionAllowed"},
                                       {"status", "False"},
                                       {"observedGeneration", budget.metadata().at("generation").as_int()},
                                       {"lastTransitionTime", object::format_time(now)},
                                       {"reason", "InsufficientPods"},
                                       {"message", ""}}));
  }
  return change;
}

class Eviction : public std::enable_shared_from_this<Eviction> {
 public:
  Eviction(Verbs& verbs, const Catalogue& catalogue, Call call, WallTime now, Callback done)
      : verbs_(verbs), catalogue_(catalogue), call_(std::move(call)), now_(now), done_(std::move(done)) {
    std::string_view name = call_.request.body.at({"metadata", "name"}).as_string();
    name_fits_ = name.empty() || name == call_.request.name;
    Value options = call_.request.body.at("deleteOptions");
    const Value* dry = options.find("dryRun");
    if (dry != nullptr && !dry->empty()) call_.request.dry_run = true;
    call_.request.body = std::move(options);
    call_.request.subresource.clear();
  }

  void run() {
    if (!name_fits_)
      return done_(make_error(Reason::kBadRequest, "name in URL does not match name in Eviction object"));
    ObjectPtr pod = verbs_.find(call_);
    if (!pod) return done_(not_found_error(call_, call_.request.name));
    if (is_free(*pod)) return remove();
    Result<std::vector<ObjectPtr>> budgets = budgets_of(*pod);
    if (!budgets.ok()) return done_(budgets.error());
    if (budgets->empty()) return mark_and_remove();
    if (budgets->size() > 1) {
      return done_(make_error(Reason::kInternal,
                              "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
                              "support."));
    }
    const ObjectPtr& budget = budgets->front();
    if (may_go_unhealthy(*pod, *budget)) return mark_and_remove();
    if (call_.request.dry_run) {
      Result<Verbs::Change> taken = take_one(*budget, call_.request.name, now_);
      return taken.ok() ? remove() : done_(taken.error());
    }
    Result<Call> charge = call_of(client::Verb::kUpdate, "policy", "poddisruptionbudgets", "status");
    if (!charge.ok()) return done_(charge.error());
    charge->request.name = budget->name();
    verbs_.change(
        std::move(*charge),
        [pod_name = call_.request.name, now = now_](const object::Object& current) {
          return take_one(current, pod_name, now);
        },
        [self = shared_from_this()](const Result<Response>& response) {
          if (!response.ok()) return self->done_(response.error());
          self->mark_and_remove();
        });
  }

 private:
  Result<Call> call_of(client::Verb verb, std::string group, std::string resource, std::string subresource) const {
    client::Request request;
    request.verb = verb;
    request.group = std::move(group);
    request.resource = std::move(resource);
    request.subresource = std::move(subresource);
    request.ns = call_.request.ns;
    return resolve(catalogue_, call_.identity, std::move(request));
  }

  Result<std::vector<ObjectPtr>> budgets_of(const object::Object& pod) const {
    STEAD_TRY(call, call_of(client::Verb::kList, "policy", "poddisruptionbudgets", ""));
    STEAD_TRY(listed, verbs_.list(call));
    std::vector<ObjectPtr> matching;
    for (ObjectPtr& budget : listed.items) {
      auto selector = object::LabelSelector::from_document(budget->spec().at("selector"));
      if (selector.ok() && selector->matches(pod.metadata().at("labels"))) matching.push_back(std::move(budget));
    }
    return matching;
  }

  // The pod says why it ends; owners that judge failures read it (KEP-3329).
  void mark_and_remove() {
    if (call_.request.dry_run) return remove();
    Call mark = call_;
    mark.request.verb = client::Verb::kUpdate;
    mark.request.subresource = "status";
    verbs_.change(
        std::move(mark),
        [now = now_](const object::Object& current) -> Result<Verbs::Change> {
          Verbs::Change change;
          change.status_only = true;
          change.skip_validation = true;
          change.document = current.document();
          set_condition(change.document["status"], Value::object({{"type", "DisruptionTarget"},
                                                                  {"status", "True"},
                                                                  {"lastTransitionTime", object::format_time(now)},
                                                                  {"reason", "EvictionByEvictionAPI"},
                                                                  {"message", "Eviction API: evicting"}}));
          return change;
        },
        [self = shared_from_this()](const Result<Response>& response) {
          if (!response.ok()) return self->done_(response.error());
          self->remove();
        });
  }

  void remove() {
    verbs_.remove(call_, [self = shared_from_this()](Result<Response> response) {
      if (response.ok()) {
        response->object = object::make_object(
            Value::object(
                {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Value::object()}, {"status", "Success"}}),
            response->revision);
        response->created = true;
      }
      self->done_(std::move(response));
    });
  }

  Verbs& verbs_;
  const Catalogue& catalogue_;
  Call call_;
  const WallTime now_;
  Callback done_;
  bool name_fits_ = true;
};

}  // namespace

void evict_pod(Verbs& verbs, const Catalogue& catalogue, Call call, WallTime now, Callback done) {
  std::make_shared<Eviction>(verbs, catalogue, std::move(call), now, std::move(done))->run();
}

}  // namespace stead::apiserver
