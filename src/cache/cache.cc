#include "cache/cache.h"

#include "cache/store_cache.h"

namespace stead::cache {

Result<std::unique_ptr<Cache>> Cache::open(store::Store& store, loop::Loop& loop, CacheOptions options) {
  auto cache = std::make_unique<StoreCache>(store, loop, std::move(options));
  STEAD_TRY_VOID(cache->load());
  return std::unique_ptr<Cache>(std::move(cache));
}

ObjectPtr Cache::get(std::string_view resource, std::string_view key) const {
  Snapshot held = snapshot(resource);
  const ObjectPtr* found = held.objects.find(key);
  return found == nullptr ? nullptr : *found;
}

std::optional<StoreKey> split_store_key(std::string_view prefix, std::string_view store_key) {
  if (!store_key.starts_with(prefix)) return std::nullopt;
  std::string_view rest = store_key.substr(prefix.size());
  size_t group_end = rest.find('/');
  if (group_end == std::string_view::npos) return std::nullopt;
  size_t plural_end = rest.find('/', group_end + 1);
  if (plural_end == std::string_view::npos || plural_end + 1 == rest.size()) return std::nullopt;
  return StoreKey{rest.substr(0, plural_end), rest.substr(plural_end + 1)};
}

}  // namespace stead::cache
