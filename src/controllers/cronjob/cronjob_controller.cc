#include "controllers/cronjob/cronjob_controller.h"

#include <algorithm>

#include "controllers/owner_references.h"
#include "controllers/requests.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 4;
constexpr std::string_view kKind = "CronJob";

}  // namespace

CronJobController::CronJobController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                                     client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      cron_jobs_(informers.get(kCronJobs)),
      jobs_(informers.get(kJobs)),
      queue_(loop, "cronjob", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  cron_jobs_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    queue_.add(client::object_key(after ? *after : *before));
  });
  jobs_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (before) enqueue_owner(*before);
    if (after) enqueue_owner(*after);
  });
}

void CronJobController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void CronJobController::enqueue_owner(const object::Object& job) {
  const Value* owner = controller_of(job);
  if (owner == nullptr || owner->at("kind").as_string() != kKind) return;
  queue_.add(client::object_key(job.ns(), owner->at("name").as_string()));
}

void CronJobController::work(const std::string& key, client::WorkQueue::Finish finish) {
  cronjob::Observed observed;
  observed.cron_job = cron_jobs_.get(key);
  if (!observed.cron_job) return finish(client::Outcome::done());
  observed.jobs = jobs_.by_index("controller", std::string(observed.cron_job->uid()));
  cronjob::Decision decision = cronjob::decide(observed, loop_.wall_now());
  for (client::Event& event : decision.events) events_.record(std::move(event));
  client::Plan plan;
  plan.steps = std::move(decision.deletions);
  client::apply_plan(transport_, events_, std::move(plan),
                     [this, cron_job = observed.cron_job, decision = std::move(decision),
                      finish = std::move(finish)](client::Outcome deleted) mutable {
                       if (deleted.error) return finish(std::move(deleted));
                       create_job(cron_job, std::move(decision), std::move(finish));
                     });
}

void CronJobController::create_job(const ObjectPtr& cron_job, cronjob::Decision decision,
                                   client::WorkQueue::Finish finish) {
  if (!decision.creation) {
    return write_status(cron_job, std::move(decision.status), decision.look_again, std::move(finish));
  }
  std::string name(decision.creation->at({"metadata", "name"}).as_string());
  client::Request request = create_request(kJobs, std::move(*decision.creation));
  transport_.call(std::move(request), [this, cron_job, name, decision = std::move(decision),
                                       finish = std::move(finish)](const Result<client::Response>& response) mutable {
    ObjectPtr job;
    if (response.ok()) {
      job = response->object;
      events_.record({cron_job, "Normal", "SuccessfulCreate", "Created job " + name, ""});
    } else if (response.error().reason == Reason::kAlreadyExists) {
      // Made before a crash, or not shown to us yet; another's job of that name is left alone.
      job = jobs_.get(cron_job->ns(), name);
      if (job && !controlled_by(*job, *cron_job)) job = nullptr;
    }
    if (!job) {
      const Error error = response.ok() ? Error{} : response.error();
      bool leaving = std::any_of(error.causes.begin(), error.causes.end(),
                                 [](const Cause& cause) { return cause.reason == "NamespaceTerminating"; });
      if (leaving) return finish(client::Outcome::done());
      events_.record({cron_job, "Warning", "FailedCreate", "Error creating job: " + error.message, ""});
      return finish(client::Outcome::failed(error));
    }
    write_status(cron_job, cronjob::status_with(std::move(decision.status), *job, decision.scheduled),
                 decision.look_again, std::move(finish));
  });
}

void CronJobController::write_status(const ObjectPtr& cron_job, Value status, std::optional<Duration> look_again,
                                     client::WorkQueue::Finish finish) {
  client::Plan plan;
  plan.look_again = look_again;
  const Value& before = cron_job->status();
  bool same = status == before || (status.empty() && before.empty());
  if (!same) {
    Value document = cron_job->document();
    document.set("status", std::move(status));
    plan.steps.push_back({.request = update_request(kCronJobs, std::move(document), "status")});
  }
  client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
}

}  // namespace stead::controllers
