// Any text as a CronJob's schedule, a Job's indexes or a JSONPath: refused with a sentence, or it does what it says.

#include "base/check.h"
#include "kinds/custom/json_path.h"
#include "kinds/semantics/cron_schedule.h"
#include "kinds/semantics/index_ranges.h"

namespace {

using namespace stead;
using namespace stead::kinds;

void check_schedule(std::string_view text) {
  auto schedule = CronSchedule::parse(text);
  if (!schedule.ok()) {
    STEAD_CHECK(!schedule.error().message.empty());
    return;
  }
  static const TimeZone zones[] = {TimeZone::utc(), TimeZone::find("Europe/Berlin").value_or(TimeZone::utc())};
  for (const TimeZone& zone : zones) {
    // Around a change of offset, when there is one.
    WallTime time = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 3 / 28)) + std::chrono::hours(25);
    for (int times = 0; times < 5; ++times) {
      auto next = schedule->next(time, zone);
      if (!next) break;
      STEAD_CHECK(*next > time, text);
      STEAD_CHECK(text.find("@every") != std::string_view::npos || zone.local(*next).second == 0, text);
      // Nothing fits between: what comes a moment before `next` is `next` too.
      auto same = schedule->next(*next - std::chrono::seconds(1), zone);
      STEAD_CHECK(text.find("@every") != std::string_view::npos || (same && *same == *next), text);
      time = *next;
    }
  }
}

void check_indexes(std::string_view text) {
  constexpr int64_t kLimit = 100'000;
  (void)IndexRanges::read(text, kLimit);
  auto ranges = IndexRanges::parse(text, kLimit);
  if (!ranges.ok()) return;
  auto again = IndexRanges::parse(ranges->str(), kLimit);
  STEAD_CHECK(again.ok() && again->ranges() == ranges->ranges(), ranges->str());
  STEAD_CHECK(ranges->shared_with(*again) == ranges->size(), ranges->str());
  for (const auto& [first, last] : ranges->ranges()) STEAD_CHECK(ranges->contains(first) && ranges->contains(last));
}

void check_path(std::string_view text) {
  using object::Value;
  auto path = JsonPath::parse(text);
  if (!path) return;
  static const Value document = Value::object(
      {{"a", Value::object({{"b", Value::array({1, "x", Value::object({{"name", "n"}, {"c", true}})})}})}, {"n", 1}});
  for (const Value* found : path->find(document)) STEAD_CHECK(found != nullptr);
  if (!path->simple()) return;
  Value made = Value::object();
  path->set(made, "here");
  auto found = path->find(made);
  STEAD_CHECK(found.size() == 1 && found[0]->as_string() == "here", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_schedule(text);
  check_indexes(text);
  check_path(text);
  return 0;
}
