#include "kinds/semantics/index_ranges.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace stead::kinds {
namespace {

std::optional<int64_t> to_index(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Error not_an_index(std::string_view text) {
  return make_error(Reason::kInvalid, "cannot convert string to integer for index: \"" + std::string(text) + "\"");
}

struct Range {
  int64_t first = 0;
  int64_t last = 0;
};

// One "3" or "3-5"; `previous` is the last index before it.
Result<Range> parse_range(std::string_view text, int64_t previous, int64_t limit) {
  size_t dash = text.find('-');
  auto first = to_index(text.substr(0, dash));
  if (!first) return not_an_index(text.substr(0, dash));
  if (*first >= limit) {
    return make_error(Reason::kInvalid, "too large index: \"" + std::string(text.substr(0, dash)) + "\"");
  }
  if (*first <= previous) {
    return make_error(Reason::kInvalid, "non-increasing order, previous: " + std::to_string(previous) +
                                            ", current: " + std::to_string(*first));
  }
  if (dash == std::string_view::npos) return Range{*first, *first};
  std::string_view end = text.substr(dash + 1);
  if (end.find('-') != std::string_view::npos) {
    return make_error(Reason::kInvalid, "the fragment \"" + std::string(text) +
                                            "\" violates the requirement that an index interval can "
                                            "have at most two parts separated by '-'");
  }
  auto last = to_index(end);
  if (!last) return not_an_index(end);
  if (*last >= limit) return make_error(Reason::kInvalid, "too large index: \"" + std::string(end) + "\"");
  if (*last <= *first) {
    return make_error(Reason::kInvalid, "non-increasing order, previous: " + std::to_string(*first) +
                                            ", current: " + std::to_string(*last));
  }
  return Range{*first, *last};
}

}  // namespace

Result<IndexRanges> IndexRanges::parse(std::string_view text, int64_t limit) {
  IndexRanges made;
  int64_t previous = -1;
  while (!text.empty()) {
    size_t comma = text.find(',');
    STEAD_TRY(range, parse_range(text.substr(0, comma), previous, limit));
    previous = range.last;
    // Ranges that touch become one.
    if (!made.ranges_.empty() && made.ranges_.rbegin()->second + 1 == range.first) {
      made.ranges_.rbegin()->second = range.last;
    } else {
      made.ranges_[range.first] = range.last;
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return not_an_index(text);
  }
  return made;
}

IndexRanges IndexRanges::read(std::string_view text, int64_t limit) {
  IndexRanges made;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    size_t dash = part.find('-');
    auto first = to_index(part.substr(0, dash));
    auto last = dash == std::string_view::npos ? first : to_index(part.substr(dash + 1));
    if (first && last && *first < limit) {
      for (int64_t index = *first; index <= std::min(*last, limit - 1); ++index) made.add(index);
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return made;
}

void IndexRanges::add(int64_t index) {
  auto after = ranges_.upper_bound(index);
  bool joins_after = after != ranges_.end() && after->first == index + 1;
  if (after != ranges_.begin()) {
    auto before = std::prev(after);
    if (index <= before->second) return;
    if (index == before->second + 1) {
      before->second = joins_after ? after->second : index;
      if (joins_after) ranges_.erase(after);
      return;
    }
  }
  int64_t last = index;
  if (joins_after) {
    last = after->second;
    ranges_.erase(after);
  }
  ranges_[index] = last;
}

bool IndexRanges::contains(int64_t index) const {
  auto after = ranges_.upper_bound(index);
  return after != ranges_.begin() && index <= std::prev(after)->second;
}

int64_t IndexRanges::size() const {
  int64_t count = 0;
  for (const auto& [first, last] : ranges_) count += last - first + 1;
  return count;
}

std::string IndexRanges::str() const {
  std::string text;
  for (const auto& [first, last] : ranges_) {
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    // Two neighbours are written as two numbers, as upstream does.
    if (last > first) text += (last == first + 1 ? "," : "-") + std::to_string(last);
  }
  return text;
}

int64_t IndexRanges::shared_with(const IndexRanges& other) const {
  int64_t count = 0;
  for (const auto& [first, last] : ranges_) {
    auto begin = other.ranges_.upper_bound(first);
    if (begin != other.ranges_.begin()) --begin;
    for (auto at = begin; at != other.ranges_.end() && at->first <= last; ++at) {
      count += std::max<int64_t>(0, std::min(last, at->second) - std::max(first, at->first) + 1);
    }
  }
  return count;
}

}  // namespace stead::kinds
