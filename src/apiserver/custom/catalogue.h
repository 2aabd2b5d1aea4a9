#pragma once

// Everything that is served: the built-in kinds, and those of established CustomResourceDefinitions, compiled as their
// objects change. API loop only.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/object_follower.h"
#include "kinds/custom/custom_kind.h"
#include "kinds/registry.h"

namespace stead::apiserver {

class Catalogue {
 public:
  // References outlive this.
  Catalogue(cache::Cache& cache, loop::Loop& loop);

  struct Served {
    const kinds::Resource* resource = nullptr;
    std::shared_ptr<const kinds::CustomKind> custom;  // keeps `resource` alive where it is no built-in one
  };
  Served find(std::string_view group, std::string_view name) const;
  // By "group/version" (or "v1") and kind; nothing where no resource has them.
  Served find_kind(std::string_view api_version, std::string_view kind) const;
  // Valid until the next change of a definition.
  std::vector<const kinds::Resource*> resources() const;
  // Another text whenever something else is served.
  const std::string& state() const { return state_; }
  WallTime now() const { return loop_.wall_now(); }

  // Fills the status of a definition that is about to be stored: names accepted or not, established, stored versions.
  void settle(object::Value& definition) const;
  // Whether instances may still be made.
  bool is_terminating(const kinds::Resource& resource) const;

  // Told after each change of a definition; `after` is null for one that is gone. One listener.
  using Listener = std::function<void(const object::ObjectPtr& after)>;
  void listen(Listener listener) { listener_ = std::move(listener); }
  std::vector<object::ObjectPtr> definitions() const;

 private:
  struct Entry {
    object::ObjectPtr definition;
    std::shared_ptr<const kinds::CustomKind> kind;  // null: not established
  };
  void changed(const object::ObjectPtr& before, const object::ObjectPtr& after);
  // Who has one of its names already; empty if nobody.
  std::string conflict(const object::Value& definition) const;

  loop::Loop& loop_;
  std::map<std::string, Entry, std::less<>> entries_;  // by the definition's name, "plural.group"
  std::string state_;
  Listener listener_;
  ObjectFollower follower_;
};

}  // namespace stead::apiserver
