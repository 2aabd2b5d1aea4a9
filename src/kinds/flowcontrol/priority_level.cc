#include <string>

#include "kinds/flowcontrol/flowcontrol_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {
namespace {

constexpr int64_t kQueuesMax = 10'000'000;

void check_percent(const Path& path, const Value& value, FieldErrors& errors) {
  if (value.is_null()) return;
  if (value.as_int() < 0 || value.as_int() > 100) {
    errors.invalid(path, value, "must be between 0 and 100, inclusive");
  }
}

void check_shares(const Path& path, const Value& value, FieldErrors& errors) {
  if (value.as_int() < 0) errors.invalid(path, value, "must be a non-negative integer");
}

void validate_queuing(const Path& path, const Value& queuing, FieldErrors& errors) {
  for (std::string_view field : {"queueLengthLimit", "queues", "handSize"}) {
    if (queuing.at(field).as_int() <= 0) errors.invalid(path.child(field), queuing.at(field), "must be positive");
  }
  int64_t queues = queuing.at("queues").as_int();
  if (queues > kQueuesMax) errors.invalid(path.child("queues"), queues, "must not be greater than 10000000");
  if (queuing.at("handSize").as_int() > queues) {
    errors.invalid(path.child("handSize"), queuing.at("handSize"),
                   "should not be greater than queues (" + std::to_string(queues) + ")");
  }
}

void validate_limited(const Path& path, const Value& limited, FieldErrors& errors) {
  check_shares(path.child("nominalConcurrencyShares"), limited.at("nominalConcurrencyShares"), errors);
  check_percent(path.child("lendablePercent"), limited.at("lendablePercent"), errors);
  const Value& borrowing = limited.at("borrowingLimitPercent");
  if (borrowing.as_int() < 0) {
    errors.invalid(path.child("borrowingLimitPercent"), borrowing, "if specified, must be a non-negative integer");
  }
  Path response = path.child("limitResponse");
  std::string_view type = limited.at({"limitResponse", "type"}).as_string();
  const Value* queuing = limited.find({"limitResponse", "queuing"});
  check_one_of(response.child("type"), limited.at({"limitResponse", "type"}), {"Queue", "Reject"}, errors);
  if (type == "Reject" && queuing != nullptr) {
    errors.forbidden(response.child("queuing"), "must be nil if limited.limitResponse.type is not Limited");
  } else if (type == "Queue" && queuing == nullptr) {
    errors.required(response.child("queuing"), "must not be empty if limited.limitResponse.type is Limited");
  } else if (queuing != nullptr) {
    validate_queuing(response.child("queuing"), *queuing, errors);
  }
}

void validate(const Value& level, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = level.at("spec");
  std::string_view type = spec.at("type").as_string();
  const Value* limited = spec.find("limited");
  const Value* exempt = spec.find("exempt");
  check_one_of(path.child("type"), spec.at("type"), {"Exempt", "Limited"}, errors);
  if (type == "Exempt" && limited != nullptr) {
    errors.forbidden(path.child("limited"), "must be nil if the type is not Limited");
  }
  if (type == "Limited" && exempt != nullptr) {
    errors.forbidden(path.child("exempt"), "must be nil if the type is Limited");
  }
  if (type == "Limited" && limited == nullptr) {
    errors.required(path.child("limited"), "must not be empty when type is Limited");
  }
  if (type == "Limited" && limited != nullptr) validate_limited(path.child("limited"), *limited, errors);
  if (type == "Exempt" && exempt != nullptr) {
    Path at = path.child("exempt");
    check_shares(at.child("nominalConcurrencyShares"), exempt->at("nominalConcurrencyShares"), errors);
    check_percent(at.child("lendablePercent"), exempt->at("lendablePercent"), errors);
  }
}

Value number_or_none(const Value& value) {
  return value.is_null() ? Value("<none>") : Value(std::to_string(value.as_int()));
}

std::vector<Value> cells(const Value& level, WallTime now) {
  const Value& limited = level.at({"spec", "limited"});
  const Value& queuing = limited.at({"limitResponse", "queuing"});
  return {name_of(level),
          level.at({"spec", "type"}),
          number_or_none(limited.at("nominalConcurrencyShares")),
          number_or_none(queuing.at("queues")),
          number_or_none(queuing.at("handSize")),
          number_or_none(queuing.at("queueLengthLimit")),
          age(level, now)};
}

}  // namespace

KindRules priority_level_configuration_rules() {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells};
  made.columns = {name_column(),
                  {"Type", "string", "", "Whether requests of the level are limited."},
                  {"NominalConcurrencyShares", "string", "", "The level's share of the requests served at once."},
                  {"Queues", "string", "", "How many queues there are."},
                  {"HandSize", "string", "", "How many of the queues a flow may use."},
                  {"QueueLengthLimit", "string", "", "How many requests may wait in one queue."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
