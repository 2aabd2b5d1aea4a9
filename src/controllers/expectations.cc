#include "controllers/expectations.h"

namespace stead::controllers {
namespace {

constexpr Duration kLife = std::chrono::minutes(5);

}  // namespace

void Expectations::expect(const std::string& owner, size_t creations, const std::vector<std::string>& deletions,
                          Instant now) {
  if (creations == 0 && deletions.empty()) return;
  Owner& entry = owners_[owner];
  entry.creations = creations;
  entry.deletions = {deletions.begin(), deletions.end()};
  entry.expires = now + kLife;
}

void Expectations::creation_settled(const std::string& owner) {
  auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  if (found->second.creations > 0) --found->second.creations;
  drop_if_settled(found);
}

void Expectations::deletion_settled(const std::string& owner, const std::string& uid) {
  auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  found->second.deletions.erase(uid);
  drop_if_settled(found);
}

std::optional<Duration> Expectations::outstanding(const std::string& owner, Instant now) const {
  auto found = owners_.find(owner);
  if (found == owners_.end() || found->second.expires <= now) return std::nullopt;
  return found->second.expires - now;
}

void Expectations::drop_if_settled(std::map<std::string, Owner>::iterator owner) {
  if (owner->second.creations == 0 && owner->second.deletions.empty()) owners_.erase(owner);
}

}  // namespace stead::controllers
