#include "controllers/job/job_controller.h"

#include "controllers/apply_plans.h"
#include "controllers/owner_references.h"
#include "controllers/pod_batch.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;
constexpr std::string_view kKind = "Job";

client::Plan free_plan(const object::Object& pod) {
  client::Plan plan;
  plan.steps.push_back({.request = patch_request(kPods, pod, job::free_patch(pod)), .tolerated = {Reason::kNotFound}});
  return plan;
}

client::Plan removal_plan(const ObjectPtr& job, const ObjectPtr& pod) {
  client::Plan plan = job::is_tracked(*pod) ? free_plan(*pod) : client::Plan{};
  client::Event deleted{job, "Normal", "SuccessfulDelete", "Deleted pod: " + std::string(pod->name()), ""};
  plan.steps.push_back({.request = delete_request(kPods, *pod),
                        .tolerated = {Reason::kNotFound, Reason::kConflict},
                        .event_on_success = std::move(deleted),
                        .event_on_failure = client::Event{job, "Warning", "FailedDelete", "Error deleting", ""}});
  return plan;
}

bool is_job_reference(const Value* owner) { return owner != nullptr && owner->at("kind").as_string() == kKind; }

}  // namespace

JobController::JobController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                             client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      jobs_(informers.get(kJobs)),
      pods_(informers.get(kPods, "orphan", index_orphans)),
      expectations_(std::make_shared<Expectations>()),
      queue_(loop, "job", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }),
      orphans_(loop, "job-orphans", kWorkers, [this](auto& key, auto finish) { work_orphan(key, std::move(finish)); }) {
  jobs_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { job_changed(before, after); });
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { pod_changed(before, after); });
}

void JobController::start() {
  informers_.when_synced([this] {
    queue_.start();
    orphans_.start();
  });
}

void JobController::job_changed(const ObjectPtr& before, const ObjectPtr& after) {
  if (before && (!after || before->uid() != after->uid())) {
    std::string uid(before->uid());
    expectations_->forget(uid);
    backoffs_.erase(uid);
    for (const ObjectPtr& pod : pods_.by_index("controller", uid)) orphans_.add(client::object_key(*pod));
  }
  queue_.add(client::object_key(after ? *after : *before));
}

void JobController::pod_changed(const ObjectPtr& before, const ObjectPtr& after) {
  const object::Object& pod = after ? *after : *before;
  if (const Value* owner = controller_of(pod); is_job_reference(owner)) {
    std::string uid(owner->at("uid").as_string());
    if (!before) expectations_->creation_settled(uid);
    if (!after || after->deleting()) expectations_->deletion_settled(uid, std::string(pod.uid()));
  }
  if (before) enqueue_owner(*before);
  if (after) enqueue_owner(*after);
  // Whose job is gone; jobs that are not listed yet are looked up when the queue starts.
  if (after && job::is_tracked(*after)) orphans_.add(client::object_key(*after));
}

void JobController::enqueue_owner(const object::Object& pod) {
  if (const Value* owner = controller_of(pod)) {
    if (is_job_reference(owner)) queue_.add(client::object_key(pod.ns(), owner->at("name").as_string()));
    return;
  }
  if (pod.deleting()) return;
  for (const ObjectPtr& job : jobs_.list_namespace(pod.ns())) {
    auto selector = object::LabelSelector::from_document(job->spec().at("selector"));
    if (selector.ok() && selector->matches(pod.metadata().at("labels"))) queue_.add(client::object_key(*job));
  }
}

ObjectPtr JobController::job_of(const object::Object& pod) const {
  const Value* owner = controller_of(pod);
  if (!is_job_reference(owner)) return nullptr;
  ObjectPtr job = jobs_.get(pod.ns(), owner->at("name").as_string());
  return job && job->uid() == owner->at("uid").as_string() ? job : nullptr;
}

void JobController::work_orphan(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr pod = pods_.get(key);
  if (!pod || !job::is_tracked(*pod) || job_of(*pod)) return finish(client::Outcome::done());
  const Value* owner = controller_of(*pod);
  if (owner != nullptr && !is_job_reference(owner)) return finish(client::Outcome::done());
  client::apply_plan(transport_, events_, free_plan(*pod), std::move(finish));
}

void JobController::work(const std::string& key, client::WorkQueue::Finish finish) {
  job::Observed observed;
  observed.job = jobs_.get(key);
  if (!observed.job || job::is_managed_elsewhere(*observed.job)) return finish(client::Outcome::done());
  std::string uid(observed.job->uid());
  std::vector<ObjectPtr> members = pods_.by_index("controller", uid);
  observed.backoff = backoffs_[uid] = job::observe_finished(backoffs_[uid], *observed.job, members);
  observed.pods = std::move(members);
  for (ObjectPtr& orphan : pods_.by_index("orphan", std::string(observed.job->ns()))) {
    observed.pods.push_back(std::move(orphan));
  }
  if (auto wait = expectations_->outstanding(uid, loop_.now())) {
    observed.outstanding = true;
    queue_.add_after(key, *wait);
  }
  apply(observed.job, job::decide(observed, loop_.wall_now()), std::move(finish));
}

void JobController::apply(const ObjectPtr& job, job::Decision decision, client::WorkQueue::Finish finish) {
  if (!decision.ownership.empty()) {
    // The watch events of these writes bring the next decision.
    return apply_plans(transport_, events_, std::move(decision.ownership), std::move(finish));
  }
  if (decision.expired) {
    client::Plan plan;
    client::Request request = delete_request(kJobs, *job);
    request.body.set("propagationPolicy", "Foreground");
    plan.steps.push_back({.request = std::move(request), .tolerated = {Reason::kNotFound}});
    return client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
  }
  if (!decision.status) return change_pods(job, std::move(decision), std::move(finish));
  client::Request status = std::move(*decision.status);
  transport_.call(std::move(status), [this, job, decision = std::move(decision),
                                      finish = std::move(finish)](const Result<client::Response>& response) mutable {
    if (!response.ok()) {
      // Somebody else's write, whose event brings the next decision.
      bool newer = response.error().reason == Reason::kConflict || response.error().reason == Reason::kNotFound;
      return finish(newer ? client::Outcome::done() : client::Outcome::failed(response.error()));
    }
    for (client::Event& event : decision.events) events_.record(std::move(event));
    change_pods(job, std::move(decision), std::move(finish));
  });
}

void JobController::change_pods(const ObjectPtr& job, job::Decision decision, client::WorkQueue::Finish finish) {
  std::vector<client::Plan> plans;
  for (const ObjectPtr& pod : decision.accounted) plans.push_back(free_plan(*pod));
  std::vector<std::string> uids;
  for (const ObjectPtr& pod : decision.removals) {
    plans.push_back(removal_plan(job, pod));
    uids.emplace_back(pod->uid());
  }
  expectations_->expect(std::string(job->uid()), 0, uids, loop_.now());
  auto outcome = std::make_shared<client::Outcome>();
  outcome->requeue_after = decision.look_again;
  auto after_batch = [outcome, finish](std::optional<Error> failure) {
    if (failure && !outcome->error) outcome->error = std::move(failure);
    finish(std::move(*outcome));
  };
  apply_plans(transport_, events_, std::move(plans),
              [this, job, uids = std::move(uids), creations = std::move(decision.creations),
               deletions = std::move(decision.deletions), outcome,
               after_batch = std::move(after_batch)](client::Outcome freed) mutable {
                outcome->error = std::move(freed.error);
                // All have been answered; one that met a newer pod is decided anew by that pod's event.
                for (const std::string& uid : uids) expectations_->deletion_settled(std::string(job->uid()), uid);
                if (creations.empty() && deletions.empty()) return after_batch(std::nullopt);
                PodBatch batch{job, std::move(creations), std::move(deletions)};
                run_pod_batch(transport_, events_, loop_, expectations_, std::move(batch), std::move(after_batch));
              });
}

}  // namespace stead::controllers
