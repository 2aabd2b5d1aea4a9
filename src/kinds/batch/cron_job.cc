#include "kinds/batch/batch_rules.h"
#include "kinds/batch/job_validation.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/semantics/cron_schedule.h"
#include "kinds/semantics/time_zone.h"

namespace stead::kinds {
namespace {

// Jobs are named <cron job>-<minutes>, and their pods' names and labels must still fit.
constexpr size_t kNameBytesMax = 52;

void validate_time_zone(const Path& path, const Value* zone, FieldErrors& errors) {
  if (zone == nullptr) return;
  std::string_view name = zone->as_string();
  if (name.empty()) {
    errors.invalid(path, *zone, "timeZone must be nil or non-empty string");
  } else if (lower(name) == "local") {
    errors.invalid(path, *zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  } else if (!TimeZone::find(name)) {
    errors.invalid(path, *zone, "unknown time zone " + std::string(name));
  }
}

void validate_schedule(const Path& path, const Value& schedule, FieldErrors& errors) {
  std::string_view text = schedule.as_string();
  if (text.empty()) return errors.required(path);
  if (text.find("TZ") != std::string_view::npos) {
    errors.invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    return;
  }
  auto parsed = CronSchedule::parse(text);
  if (!parsed.ok()) errors.invalid(path, schedule, parsed.error().message);
}

void validate_job_template(const Path& path, const Value& job_template, FieldErrors& errors) {
  Path spec_path = path.child("spec");
  const Value& spec = job_template.at("spec");
  validate_job_spec(spec_path, spec, errors);
  if (const Value* selector = spec.find("selector")) {
    errors.invalid(spec_path.child("selector"), *selector, "`selector` will be auto-generated");
  }
  if (const Value& manual = spec.at("manualSelector"); manual.as_bool()) {
    std::string_view supported[] = {"nil", "false"};
    errors.not_supported(spec_path.child("manualSelector"), manual, supported);
  }
}

void validate(const Value& cron_job, FieldErrors& errors) {
  const Value& name = cron_job.at({"metadata", "name"});
  if (name.as_string().size() > kNameBytesMax) {
    Path metadata("metadata");
    errors.invalid(metadata.child("name"), name, "must be no more than 52 characters");
  }
  Path path("spec");
  const Value& spec = cron_job.at("spec");
  validate_schedule(path.child("schedule"), spec.at("schedule"), errors);
  validate_time_zone(path.child("timeZone"), spec.find("timeZone"), errors);
  check_one_of(path.child("concurrencyPolicy"), spec.at("concurrencyPolicy"), {"Allow", "Forbid", "Replace"}, errors);
  for (std::string_view count : {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"}) {
    check_not_negative(path.child(count), spec.at(count), errors);
  }
  validate_job_template(path.child("jobTemplate"), spec.at("jobTemplate"), errors);
}

void warn(const Value& cron_job, const Value* old, Warnings& warnings) {
  if (old == nullptr) {
    warn_of_pod_name(cron_job.at("metadata"), "Pod names and hostnames", warnings);
  } else if (cron_job.at("spec") == old->at("spec")) {
    return;
  }
  Path spec("spec");
  Path job_template = spec.child("jobTemplate");
  Path job_spec = job_template.child("spec");
  warn_of_pod(job_spec.child("template"), cron_job.at({"spec", "jobTemplate", "spec", "template"}), warnings);
}

std::vector<Value> cells(const Value& cron_job, WallTime now) {
  const Value& spec = cron_job.at("spec");
  const Value& status = cron_job.at("status");
  const Value& pod_template = spec.at({"jobTemplate", "spec", "template"});
  const Value& containers = pod_template.at({"spec", "containers"});
  const Value* last = status.find("lastScheduleTime");
  return {name_of(cron_job),
          spec.at("schedule"),
          text_or(spec.at("timeZone"), kNone),
          spec.at("suspend").as_bool() ? "True" : "False",
          static_cast<int64_t>(status.at("active").size()),
          last == nullptr ? std::string(kNone) : age_since(*last, now),
          age(cron_job, now),
          join(containers, "name"),
          join(containers, "image"),
          spec.find({"jobTemplate", "spec", "selector"}) == nullptr
              ? std::string(kNone)
              : format_label_selector(spec.at({"jobTemplate", "spec", "selector"}))};
}

}  // namespace

KindRules cron_job_rules() {
  KindRules made;
  made.rules = {.validate = validate, .warn = warn, .cells = cells};
  made.columns = {name_column(),
                  {"Schedule", "string", "", "When to start jobs, in cron's format."},
                  {"Timezone", "string", "", "The time zone of the schedule."},
                  {"Suspend", "boolean", "", "Whether nothing is started."},
                  {"Active", "integer", "", "How many jobs run at present."},
                  {"Last Schedule", "string", "", "Time since a job was last started."},
                  age_column(),
                  containers_column(),
                  images_column(),
                  {"Selector", "string", "", "Which pods belong to the jobs.", 1}};
  return made;
}

}  // namespace stead::kinds
