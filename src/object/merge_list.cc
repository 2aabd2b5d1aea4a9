#include "object/merge_list.h"

#include <algorithm>

#include "object/codec.h"

namespace stead::object {
namespace {

const Value& identity(const Value& item, std::string_view merge_key) {
  return merge_key.empty() ? item : item.at(merge_key);
}

// Items that `order` does not know come first, as in upstream's sort.
void sort_by(Items& items, const Items& order, std::string_view merge_key) {
  std::vector<std::pair<ptrdiff_t, size_t>> places;
  places.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i) places.emplace_back(index_of(order, items[i], merge_key), i);
  std::stable_sort(places.begin(), places.end(), [](auto& a, auto& b) { return a.first < b.first; });
  Items sorted;
  sorted.reserve(items.size());
  for (const auto& [place, i] : places) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

}  // namespace

ptrdiff_t index_of(const Items& list, const Value& item, std::string_view merge_key) {
  const Value& wanted = identity(item, merge_key);
  auto found =
      std::find_if(list.begin(), list.end(), [&](const Value& one) { return identity(one, merge_key) == wanted; });
  return found == list.end() ? -1 : found - list.begin();
}

Result<void> check_merge_key(const Items& list, std::string_view merge_key) {
  for (const Value& item : list) {
    if (!item.is_object()) {
      return make_error(Reason::kBadRequest, "expected an object in a list merged by " + std::string(merge_key) +
                                                 ", but received " + to_json(item));
    }
    if (item.find(merge_key) != nullptr) continue;
    return make_error(Reason::kBadRequest,
                      "map: " + to_json(item) + " does not contain declared merge key: " + std::string(merge_key));
  }
  return {};
}

Items order_merged(Items merged, const Items& order, const Items& live, std::string_view merge_key) {
  Items ordered;
  Items others;
  for (Value& item : merged) (index_of(order, item, merge_key) >= 0 ? ordered : others).push_back(std::move(item));
  sort_by(ordered, order, merge_key);
  sort_by(others, live, merge_key);
  Items all;
  all.reserve(merged.size());
  size_t left = 0;
  for (Value& item : ordered) {
    const ptrdiff_t right_place = index_of(live, item, merge_key);
    while (right_place >= 0 && left < others.size()) {
      const ptrdiff_t left_place = index_of(live, others[left], merge_key);
      if (left_place < 0 || left_place >= right_place) break;
      all.push_back(std::move(others[left++]));
    }
    all.push_back(std::move(item));
  }
  for (; left < others.size(); ++left) all.push_back(std::move(others[left]));
  return all;
}

void drop_duplicates(Items& items) {
  Items kept;
  for (Value& item : items) {
    if (index_of(kept, item, {}) < 0) kept.push_back(std::move(item));
  }
  items = std::move(kept);
}

}  // namespace stead::object
