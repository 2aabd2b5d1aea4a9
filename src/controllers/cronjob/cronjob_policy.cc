#include "controllers/cronjob/cronjob_policy.h"

#include <algorithm>

#include "controllers/cronjob/schedule_times.h"
#include "controllers/owner_references.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/time.h"

namespace stead::controllers::cronjob {
namespace {

constexpr std::string_view kScheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

bool has_true_condition(const Object& job, std::string_view type) {
  const Value* condition = find_condition(job, type);
  return condition != nullptr && condition->at("status").as_string() == "True";
}

// "Complete", "Failed", or empty while it is neither.
std::string_view end_of(const Object& job) {
  if (has_true_condition(job, "Complete")) return "Complete";
  if (has_true_condition(job, "Failed")) return "Failed";
  return {};
}

Value reference_of(const Object& job) {
  return Value::object({{"kind", "Job"},
                        {"namespace", job.ns()},
                        {"name", job.name()},
                        {"uid", job.uid()},
                        {"apiVersion", "batch/v1"},
                        {"resourceVersion", std::to_string(job.revision())}});
}

class Decider {
 public:
  Decider(const Observed& observed, WallTime now)
      : observed_(observed), cron_job_(*observed.cron_job), spec_(cron_job_.spec()), now_(now) {
    decision_.status = cron_job_.status().is_null() ? Value::object() : cron_job_.status();
  }

  Decision run() {
    delete_history("Complete", spec_.at("successfulJobsHistoryLimit"));
    delete_history("Failed", spec_.at("failedJobsHistoryLimit"));
    update_active();
    if (!cron_job_.deleting() && !spec_.at("suspend").as_bool()) schedule();
    if (decision_.status.at("active").empty()) decision_.status.erase("active");
    return std::move(decision_);
  }

 private:
  void record(std::string type, std::string reason, std::string message) {
    decision_.events.push_back({observed_.cron_job, std::move(type), std::move(reason), std::move(message), ""});
  }

  void delete_job(const Object& job) {
    std::string name(job.name());
    decision_.deletions.push_back(
        {.request = delete_request(kJobs, job),
         .tolerated = {Reason::kNotFound, Reason::kConflict},
         .event_on_success = client::Event{observed_.cron_job, "Normal", "SuccessfulDelete", "Deleted job " + name, ""},
         .event_on_failure = client::Event{observed_.cron_job, "Warning", "FailedDelete", "Deleted job", ""}});
  }

  void delete_history(std::string_view end, const Value& limit) {
    if (limit.is_null()) return;
    std::vector<const Object*> ended;
    for (const ObjectPtr& job : observed_.jobs) {
      if (end_of(*job) == end && !job->deleting()) ended.push_back(job.get());
    }
    std::sort(ended.begin(), ended.end(), [](const Object* a, const Object* b) {
      std::string_view a_start = a->status().at("startTime").as_string();
      std::string_view b_start = b->status().at("startTime").as_string();
      return a_start != b_start ? a_start < b_start : a->name() < b->name();
    });
    auto kept = static_cast<size_t>(std::max<int64_t>(0, limit.as_int()));
    for (size_t i = 0; i + kept < ended.size(); ++i) delete_job(*ended[i]);
  }

  // Jobs that have ended or vanished are no longer active; the last success is remembered.
  void update_active() {
    Value active = Value::array();
    for (const Value& reference : decision_.status.at("active").items()) {
      std::string_view uid = reference.at("uid").as_string();
      auto job = std::find_if(observed_.jobs.begin(), observed_.jobs.end(),
                              [&](const ObjectPtr& one) { return one->uid() == uid; });
      std::string name(reference.at("name").as_string());
      if (job == observed_.jobs.end()) {
        record("Normal", "MissingJob", "Active job went missing: " + name);
      } else if (std::string_view end = end_of(**job); !end.empty()) {
        record("Normal", "SawCompletedJob", "Saw completed job: " + name + ", condition: " + std::string(end));
      } else {
        active.append(reference);
      }
    }
    for (const ObjectPtr& job : observed_.jobs) {
      if (end_of(*job) == "Complete") note_success(job->status().at("completionTime"));
    }
    decision_.status.set("active", std::move(active));
  }

  void note_success(const Value& time) {
    auto completed = object::parse_time(time.as_string());
    auto known = object::parse_time(decision_.status.at("lastSuccessfulTime").as_string());
    if (completed && (!known || *completed > *known)) decision_.status.set("lastSuccessfulTime", time);
  }

  void schedule() {
    auto zone = kinds::TimeZone::find(spec_.at("timeZone").as_string());
    if (!zone) {
      return record("Warning", "UnknownTimeZone",
                    "invalid timeZone: \"" + std::string(spec_.at("timeZone").as_string()) + "\"");
    }
    auto parsed = kinds::CronSchedule::parse(spec_.at("schedule").as_string());
    if (!parsed.ok()) {
      return record("Warning", "UnparseableSchedule", "unparseable schedule: " + parsed.error().message);
    }
    if (auto next = parsed->next(now_, *zone)) decision_.look_again = *next - now_;
    Due due = find_due(*parsed, *zone, last_scheduled(), not_before(), now_);
    if (!due.time) return;
    if (due.too_many_missed) {
      record("Warning", "TooManyMissedTimes",
             "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
    }
    start(*due.time, *zone);
  }

  WallTime last_scheduled() const {
    auto last = object::parse_time(cron_job_.status().at("lastScheduleTime").as_string());
    if (last) return *last;
    return object::parse_time(cron_job_.metadata().at("creationTimestamp").as_string()).value_or(now_);
  }

  std::optional<WallTime> not_before() const {
    const Value* deadline = spec_.find("startingDeadlineSeconds");
    if (deadline == nullptr) return std::nullopt;
    return now_ - std::chrono::seconds(deadline->as_int());
  }

  void start(WallTime time, const kinds::TimeZone& zone) {
    std::string_view policy = spec_.at("concurrencyPolicy").as_string();
    Value& active = decision_.status["active"];
    if (policy == "Forbid" && !active.empty()) {
      return record("Normal", "JobAlreadyActive",
                    "Not starting job because prior execution is running and concurrency policy is Forbid");
    }
    if (policy == "Replace") {
      for (const ObjectPtr& job : observed_.jobs) {
        auto items = active.items();
        bool runs = std::any_of(items.begin(), items.end(),
                                [&](const Value& item) { return item.at("uid").as_string() == job->uid(); });
        if (runs) delete_job(*job);
      }
      active = Value::array();
    }
    decision_.creation = make_job(time, zone);
    decision_.scheduled = object::format_time(time);
  }

  Value make_job(WallTime time, const kinds::TimeZone& zone) const {
    const Value& job_template = spec_.at("jobTemplate");
    auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time.time_since_epoch()).count();
    Value metadata = Value::object({{"name", std::string(cron_job_.name()) + "-" + std::to_string(minutes)},
                                    {"namespace", cron_job_.ns()},
                                    {"ownerReferences", Value::array({controller_reference(cron_job_)})}});
    for (std::string_view name : {"labels", "annotations"}) {
      if (const Value* given = job_template.find({"metadata", name})) metadata.set(name, *given);
    }
    metadata.set({"annotations", kScheduledAnnotation}, zone.format(time));
    return Value::object({{"apiVersion", "batch/v1"},
                          {"kind", "Job"},
                          {"metadata", std::move(metadata)},
                          {"spec", job_template.at("spec")}});
  }

  const Observed& observed_;
  const Object& cron_job_;
  const Value& spec_;
  const WallTime now_;
  Decision decision_;
};

}  // namespace

Decision decide(const Observed& observed, WallTime now) { return Decider(observed, now).run(); }

Value status_with(Value status, const Object& job, const std::string& scheduled) {
  auto items = status.at("active").items();
  bool known = std::any_of(items.begin(), items.end(),
                           [&](const Value& item) { return item.at("uid").as_string() == job.uid(); });
  if (!known) status["active"].append(reference_of(job));
  status.set("lastScheduleTime", scheduled);
  return status;
}

}  // namespace stead::controllers::cronjob
