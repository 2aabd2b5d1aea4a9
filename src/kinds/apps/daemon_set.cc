#include <charconv>

#include "kinds/apps/apps_rules.h"
#include "kinds/apps/replicas_validation.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

void validate_rolling_update(const Path& path, const Value& rolling, FieldErrors& errors) {
  Path unavailable_path = path.child("maxUnavailable");
  Path surge_path = path.child("maxSurge");
  const Value& unavailable = rolling.at("maxUnavailable");
  const Value& surge = rolling.at("maxSurge");
  bool readable = check_count_or_percent(unavailable_path, unavailable, errors);
  check_percent_at_most_100(unavailable_path, unavailable, errors);
  readable = check_count_or_percent(surge_path, surge, errors) && readable;
  check_percent_at_most_100(surge_path, surge, errors);
  if (!readable) return;
  bool has_unavailable = count_or_percent(unavailable) != 0;
  bool has_surge = count_or_percent(surge) != 0;
  if (has_unavailable && has_surge) {
    errors.invalid(surge_path, surge, "may not be set when maxUnavailable is non-zero");
  } else if (!has_unavailable && !has_surge) {
    errors.required(unavailable_path, "cannot be 0 when maxSurge is 0");
  }
}

void validate_update_strategy(const Path& path, const Value& strategy, FieldErrors& errors) {
  std::string_view type = strategy.at("type").as_string();
  if (type == "OnDelete") return;
  if (type == "RollingUpdate") {
    Path rolling_path = path.child("rollingUpdate");
    const Value* rolling = strategy.find("rollingUpdate");
    if (rolling == nullptr) return errors.required(rolling_path);
    return validate_rolling_update(rolling_path, *rolling, errors);
  }
  std::string_view supported[] = {"RollingUpdate", "OnDelete"};
  errors.not_supported(path.child("type"), Value(type), supported);
}

void validate(const Value& set, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = set.at("spec");
  validate_selected_template(path, spec, errors, {.of_selector = "daemonset", .of_template = "DaemonSet"});
  check_not_negative(path.child("minReadySeconds"), spec.at("minReadySeconds"), errors);
  validate_update_strategy(path.child("updateStrategy"), spec.at("updateStrategy"), errors);
  check_not_negative(path.child("revisionHistoryLimit"), spec.at("revisionHistoryLimit"), errors);
}

void validate_update(const Value& set, const Value& old, FieldErrors& errors) {
  Path path("spec");
  check_unchanged(path.child("selector"), set.at({"spec", "selector"}), old.at({"spec", "selector"}), errors);
}

void validate_status_update(const Value& set, const Value& old, FieldErrors& errors) {
  Path path("status");
  const Value& status = set.at("status");
  for (std::string_view name :
       {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
        "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"}) {
    check_not_negative(path.child(name), status.at(name), errors);
  }
  if (status.at("collisionCount").as_int() < old.at({"status", "collisionCount"}).as_int()) {
    errors.invalid(path.child("collisionCount"), Value(status.at("collisionCount").as_int()), "cannot be decremented");
  }
}

int64_t template_generation(const Value& set) {
  std::string_view text = set.at({"metadata", "annotations", kTemplateGeneration}).as_string();
  int64_t generation = 0;
  std::from_chars(text.data(), text.data() + text.size(), generation);
  return generation;
}

// Older versions count changes of the template; the count lives on as an annotation that only the server changes.
void prepare_create(Value& set) {
  set.erase("status");
  set.set({"metadata", "annotations", kTemplateGeneration}, "1");
}

void prepare_update(Value& set, const Value& old) {
  int64_t generation = template_generation(old);
  if (!(set.at({"spec", "template"}) == old.at({"spec", "template"}))) ++generation;
  set.set({"metadata", "annotations", kTemplateGeneration}, std::to_string(generation));
}

void warn(const Value& set, const Value* old, Warnings& warnings) {
  if (old != nullptr && set.at("spec") == old->at("spec")) return;
  Path spec("spec");
  warn_of_pod(spec.child("template"), set.at({"spec", "template"}), warnings);
}

std::vector<Value> cells(const Value& set, WallTime now) {
  const Value& spec = set.at("spec");
  const Value& status = set.at("status");
  const Value& containers = spec.at({"template", "spec", "containers"});
  return {name_of(set),
          status.at("desiredNumberScheduled").as_int(),
          status.at("currentNumberScheduled").as_int(),
          status.at("numberReady").as_int(),
          status.at("updatedNumberScheduled").as_int(),
          status.at("numberAvailable").as_int(),
          format_labels(spec.at({"template", "spec", "nodeSelector"})),
          age(set, now),
          join(containers, "name"),
          join(containers, "image"),
          format_label_selector(spec.at("selector"))};
}

}  // namespace

KindRules daemon_set_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .prepare_update = prepare_update,
                .validate = validate,
                .validate_update = validate_update,
                .validate_status_update = validate_status_update,
                .warn = warn,
                .cells = cells};
  made.columns = {name_column(),
                  {"Desired", "integer", "", "How many nodes should run the pod."},
                  {"Current", "integer", "", "How many nodes run the pod and should."},
                  {"Ready", "integer", "", "How many nodes have a ready pod."},
                  {"Up-to-date", "integer", "", "How many nodes run the current template."},
                  {"Available", "integer", "", "How many nodes have a pod that has been ready for long enough."},
                  {"Node Selector", "string", "", "The labels of nodes that should run the pod."},
                  age_column(),
                  containers_column(),
                  images_column(),
                  {"Selector", "string", "", "Which pods belong to the set.", 1}};
  return made;
}

}  // namespace stead::kinds
