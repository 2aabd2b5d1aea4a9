// Any bytes as a container's log: what is selected is bounded by the log, and the pieces of a selection join.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "node/logs/log_line.h"
#include "object/time.h"

namespace {

using namespace stead::node;

std::string select(std::string_view records, const LogOptions& options) {
  LogSelection selection(options);
  std::string text;
  while (!records.empty()) {
    size_t end = std::min(records.find('\n'), records.size());
    selection.add(records.substr(0, end), text);
    records.remove_prefix(std::min(end + 1, records.size()));
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string_view first = bytes.substr(0, bytes.find('\n'));
  auto line = parse_log_line(first);
  if (line) STEAD_CHECK(line->text.size() < first.size() && first.ends_with(line->text));
  // Runtimes write no commas there.
  if (line && line->stamp.find(',') == std::string_view::npos) {
    std::string stamp = full_stamp(line->stamp);
    STEAD_CHECK(stamp.size() >= line->stamp.size());
    auto time = stead::object::parse_time(line->stamp);
    STEAD_CHECK(!time || stead::object::parse_time(stamp) == *time, stamp);
    STEAD_CHECK(full_stamp(stamp) == stamp, stamp);
  }
  LogOptions options;
  std::string all = select(bytes, options);
  STEAD_CHECK(all.size() <= size + 1 && all == plain_log_text(bytes));
  options.output = LogOutput::kStderr;
  size_t parts = select(bytes, options).size();
  options.output = LogOutput::kStdout;
  STEAD_CHECK(parts + select(bytes, options).size() == all.size());
  options = {};
  options.limit_bytes = 100;
  STEAD_CHECK(select(bytes, options) == all.substr(0, 100));
  return 0;
}
