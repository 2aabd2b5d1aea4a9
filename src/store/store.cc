#include "store/store.h"

namespace stead::store {

Result<std::optional<KeyValue>> Store::get(const std::string& key, int64_t revision) {
  RangeRequest request;
  request.start = key;
  request.revision = revision;
  STEAD_TRY(found, range(request));
  if (found.entries.empty()) return std::optional<KeyValue>();
  return std::optional<KeyValue>(std::move(found.entries.front()));
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (end.empty()) return std::string(1, '\0');
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace stead::store
