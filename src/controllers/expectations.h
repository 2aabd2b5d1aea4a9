#pragma once

// What a controller has asked for and its informer has not shown yet. Over a transport that answers a write before its
// watch event arrives, a controller that counted what it sees would make the same pod twice; while something is
// outstanding for an owner, it must neither create nor delete for it. Keyed by the owner's UID. One loop.
//
// Counts may fall behind when the informer has to list again and never shows what came and went meanwhile; so
// expectations end after five minutes, as upstream's do.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace stead::controllers {

class Expectations {
 public:
  // Before the requests are sent.
  void expect(const std::string& owner, size_t creations, const std::vector<std::string>& deletions, Instant now);
  // A pod of the owner has appeared, or its creation has failed. More than expected are ignored.
  void creation_settled(const std::string& owner);
  // The pod is gone or terminating, or its deletion has failed.
  void deletion_settled(const std::string& owner, const std::string& uid);
  // How long to hold back at most; nullopt if nothing is outstanding.
  std::optional<Duration> outstanding(const std::string& owner, Instant now) const;
  void forget(const std::string& owner) { owners_.erase(owner); }

 private:
  struct Owner {
    size_t creations = 0;
    std::set<std::string> deletions;
    Instant expires{};
  };
  void drop_if_settled(std::map<std::string, Owner>::iterator owner);
  std::map<std::string, Owner> owners_;
};

}  // namespace stead::controllers
