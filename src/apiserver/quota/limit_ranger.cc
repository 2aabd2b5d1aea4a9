#include "apiserver/quota/limit_ranger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "kinds/semantics/pod_requests.h"
#include "object/quantity.h"

namespace stead::apiserver {
namespace {

using object::Quantity;

constexpr std::string_view kAnnotation = "kubernetes.io/limit-ranger";

std::optional<Quantity> amount(const Value& list, std::string_view name) {
  const Value* found = list.find(name);
  if (found == nullptr) return std::nullopt;
  auto parsed =
      found->is_int() ? Result<Quantity>(Quantity::from_units(found->as_int())) : Quantity::parse(found->as_string());
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

// What one thing asks for, as resource lists.
struct Asked {
  Value requests = Value::object();
  Value limits = Value::object();
};

class Checker {
 public:
  explicit Checker(std::vector<std::string>& problems) : problems_(problems) {}

  void check(const Value& item, const Asked& asked) {
    std::string type(item.at("type").as_string());
    for (const object::Member& bound : item.at("min").members()) check_min(type, bound, asked);
    for (const object::Member& bound : item.at("max").members()) check_max(type, bound, asked);
    for (const object::Member& bound : item.at("maxLimitRequestRatio").members()) check_ratio(type, bound, asked);
  }

 private:
  void say(std::string problem) { problems_.push_back(std::move(problem)); }

  void check_min(const std::string& type, const object::Member& bound, const Asked& asked) {
    auto least = *amount_of(bound);
    auto request = amount(asked.requests, bound.name());
    auto limit = amount(asked.limits, bound.name());
    std::string text = fmt::format("minimum {} usage per {} is {}", bound.name(), type, least.str());
    if (!request) return say(text + ".  No request is specified");
    if (*request < least) say(fmt::format("{}, but request is {}", text, request->str()));
    if (limit && *limit < least) say(fmt::format("{}, but limit is {}", text, limit->str()));
  }

  void check_max(const std::string& type, const object::Member& bound, const Asked& asked) {
    auto most = *amount_of(bound);
    auto request = amount(asked.requests, bound.name());
    auto limit = amount(asked.limits, bound.name());
    std::string text = fmt::format("maximum {} usage per {} is {}", bound.name(), type, most.str());
    if (type == "PersistentVolumeClaim") {
      if (!request) return say(text + ".  No request is specified");
      if (*request > most) say(fmt::format("{}, but request is {}", text, request->str()));
      return;
    }
    if (!limit) return say(text + ".  No limit is specified");
    if (*limit > most) say(fmt::format("{}, but limit is {}", text, limit->str()));
    if (request && *request > most) say(fmt::format("{}, but request is {}", text, request->str()));
  }

  void check_ratio(const std::string& type, const object::Member& bound, const Asked& asked) {
    auto ratio = *amount_of(bound);
    auto request = amount(asked.requests, bound.name());
    auto limit = amount(asked.limits, bound.name());
    std::string text = fmt::format("{} max limit to request ratio per {} is {}", bound.name(), type, ratio.str());
    if (!request || request->is_zero()) return say(text + ", but no request is specified or request is 0");
    if (!limit || limit->is_zero()) return say(text + ", but no limit is specified or limit is 0");
    double given = static_cast<double>(limit->milli_value()) / static_cast<double>(request->milli_value());
    double allowed = static_cast<double>(ratio.milli_value()) / 1000;
    if (given > allowed) say(fmt::format("{}, but provided ratio is {:f}", text, given));
  }

  static std::optional<Quantity> amount_of(const object::Member& bound) {
    auto parsed = Quantity::parse(bound.value.as_string());
    return parsed.ok() ? *parsed : Quantity();
  }

  std::vector<std::string>& problems_;
};

Asked asked_by(const Value& resources) {
  Asked asked;
  if (const Value* requests = resources.find("requests")) asked.requests = *requests;
  if (const Value* limits = resources.find("limits")) asked.limits = *limits;
  return asked;
}

Value as_list(const kinds::Resources& resources) {
  Value list = Value::object();
  if (resources.cpu_milli > 0) list.set("cpu", Quantity::from_milli(resources.cpu_milli).str());
  if (resources.memory > 0) list.set("memory", std::to_string(resources.memory));
  if (resources.ephemeral_storage > 0) list.set("ephemeral-storage", std::to_string(resources.ephemeral_storage));
  for (const auto& [name, count] : resources.extended) list.set(name, std::to_string(count));
  return list;
}

template <class Visit>
void each_item(const std::vector<ObjectPtr>& ranges, std::string_view type, Visit visit) {
  for (const ObjectPtr& range : ranges) {
    for (const Value& item : range->spec().at("limits").items()) {
      if (item.at("type").as_string() == type) visit(item);
    }
  }
}

// Fills one list of a container; returns the names that it added.
std::vector<std::string> fill(Value& container, std::string_view list, const Value& defaults) {
  std::vector<std::string> added;
  for (const object::Member& one : defaults.members()) {
    if (container.find({"resources", list, one.name()}) != nullptr) continue;
    container.set({"resources", list, one.name()}, one.value);
    added.emplace_back(one.name());
  }
  return added;
}

void note(std::string& notes, const std::vector<std::string>& added, std::string_view what, std::string_view kind,
          const Value& container) {
  if (added.empty()) return;
  notes += fmt::format("{}{} {} for {} {}", notes.empty() ? "" : "; ", fmt::join(added, ", "), what, kind,
                       container.at("name").as_string());
}

}  // namespace

void set_limit_defaults(const std::vector<ObjectPtr>& ranges, Value& pod) {
  std::string notes;
  each_item(ranges, "Container", [&](const Value& item) {
    for (std::string_view list : {"containers", "initContainers"}) {
      Value* containers = pod["spec"].find(list);
      if (containers == nullptr) continue;
      std::string_view kind = list == "containers" ? "container" : "init container";
      for (Value& container : containers->mutable_items()) {
        note(notes, fill(container, "requests", item.at("defaultRequest")), "request", kind, container);
        note(notes, fill(container, "limits", item.at("default")), "limit", kind, container);
      }
    }
  });
  if (!notes.empty()) pod.set({"metadata", "annotations", kAnnotation}, "LimitRanger plugin set: " + notes);
}

std::vector<std::string> limit_problems_of_pod(const std::vector<ObjectPtr>& ranges, const Value& pod) {
  std::vector<std::string> problems;
  Checker checker(problems);
  each_item(ranges, "Container", [&](const Value& item) {
    for (std::string_view list : {"containers", "initContainers"}) {
      for (const Value& container : pod.at({"spec", list}).items())
        checker.check(item, asked_by(container.at("resources")));
    }
  });
  each_item(ranges, "Pod", [&](const Value& item) {
    Asked asked{as_list(kinds::pod_requests(pod.at("spec"))), as_list(kinds::pod_limits(pod.at("spec")))};
    checker.check(item, asked);
  });
  return problems;
}

std::vector<std::string> limit_problems_of_claim(const std::vector<ObjectPtr>& ranges, const Value& claim) {
  std::vector<std::string> problems;
  Checker checker(problems);
  each_item(ranges, "PersistentVolumeClaim", [&](const Value& item) {
    checker.check(item, asked_by(claim.at({"spec", "resources"})));
  });
  return problems;
}

}  // namespace stead::apiserver
