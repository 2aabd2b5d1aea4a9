#pragma once

// Follows one resource of the cache: first every object there is, then each change, in order. What keeps an index of
// its own over the cache's objects lives on one. Belongs to the API's loop.

#include <functional>
#include <memory>
#include <string>

#include "cache/cache.h"

namespace stead::apiserver {

class ObjectFollower {
 public:
  // `before` is null for what is new, `after` for what is gone.
  using Handler = std::function<void(const object::ObjectPtr& before, const object::ObjectPtr& after)>;

  // Calls the handler for all objects before this returns; changes follow from the loop's next turn on. References
  // outlive this; it may be made before the loop runs.
  ObjectFollower(cache::Cache& cache, loop::Loop& loop, std::string resource, Handler handler);
  ~ObjectFollower();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::apiserver
