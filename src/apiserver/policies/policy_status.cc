#include "apiserver/policies/policy_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "kinds/admissionregistration/message_type.h"
#include "kinds/admissionregistration/policy_program.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr size_t kTypesMax = 10;

struct CheckedType {
  std::string name;  // "apps/v1, Kind=Deployment"
  const object::Message* message = nullptr;
  std::shared_ptr<const kinds::CustomKind> custom;  // keeps the message
};

bool has_wildcard(const Value& list) {
  auto items = list.items();
  return std::any_of(items.begin(), items.end(),
                     [](const Value& item) { return item.as_string().find('*') != std::string_view::npos; });
}

void add_types(const Value& rule, const Catalogue& catalogue, std::map<std::string, CheckedType>& found) {
  if (has_wildcard(rule.at("apiGroups")) || has_wildcard(rule.at("apiVersions"))) return;
  for (const Value& group : rule.at("apiGroups").items()) {
    for (const Value& name : rule.at("resources").items()) {
      if (name.as_string().find_first_of("*/") != std::string_view::npos) continue;
      const Catalogue::Served served = catalogue.find(group.as_string(), name.as_string());
      if (served.resource == nullptr) continue;
      for (const Value& wanted : rule.at("apiVersions").items()) {
        const kinds::Version* version = served.resource->version(group.as_string(), wanted.as_string());
        if (version == nullptr || found.size() == kTypesMax) continue;
        CheckedType type{fmt::format("{}, Kind={}", version->api_version, served.resource->kind), version->message,
                         served.custom};
        found.emplace(type.name, type);
      }
    }
  }
}

}  // namespace

bool is_admission_policy(const Call& call) {
  return call.resource->name == "validatingadmissionpolicies" && call.resource->group == "admissionregistration.k8s.io";
}

void settle_policy(Value& policy, const Catalogue& catalogue) {
  const Value& spec = policy.at("spec");
  std::map<std::string, CheckedType> types;
  for (const Value& rule : spec.at({"matchConstraints", "resourceRules"}).items()) add_types(rule, catalogue, types);
  cel::Type params;
  const Value& kind = spec.at("paramKind");
  const Catalogue::Served served = catalogue.find_kind(kind.at("apiVersion").as_string(), kind.at("kind").as_string());
  if (served.resource != nullptr) {
    for (const kinds::Version& version : served.resource->versions) {
      if (version.api_version == kind.at("apiVersion").as_string()) params = kinds::message_type(*version.message);
    }
  }
  std::map<kinds::ExpressionPlace, std::string> told;
  for (const auto& [name, type] : types) {
    for (const auto& [place, text] : kinds::doubts(policy, kinds::message_type(*type.message), params)) {
      std::string& texts = told[place];
      texts += fmt::format("{}{}: {}\n", texts.empty() ? "" : "\n", name, text);
    }
  }
  Value checking = Value::object();
  for (const auto& [place, text] : told) {
    checking["expressionWarnings"].append(
        Value::object({{"fieldRef", fmt::format("spec.validations[{}].{}", place.index,
                                                place.message ? "messageExpression" : "expression")},
                       {"warning", text}}));
  }
  Value& status = policy["status"];
  status.set("observedGeneration", policy.at({"metadata", "generation"}).as_int(1));
  status.set("typeChecking", std::move(checking));
}

}  // namespace stead::apiserver
