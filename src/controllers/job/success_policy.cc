#include "controllers/job/success_policy.h"

namespace stead::controllers::job {

std::optional<std::string> match_success_policy(const Object& job, const kinds::IndexRanges& completed) {
  auto rules = job.spec().at({"successPolicy", "rules"}).items();
  int64_t completions = job.spec().at("completions").as_int();
  for (size_t i = 0; i < rules.size(); ++i) {
    const Value* indexes = rules[i].find("succeededIndexes");
    const Value* count = rules[i].find("succeededCount");
    bool met = false;
    if (indexes != nullptr) {
      kinds::IndexRanges wanted = kinds::IndexRanges::read(indexes->as_string(), completions);
      int64_t needed = count == nullptr ? wanted.size() : count->as_int();
      met = completed.shared_with(wanted) >= needed;
    } else if (count != nullptr) {
      met = completed.size() >= count->as_int();
    }
    if (met) return "Matched rules at index " + std::to_string(i);
  }
  return std::nullopt;
}

}  // namespace stead::controllers::job
