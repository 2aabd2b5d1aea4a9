#pragma once

// Who is told about the changes of one resource: those that want all of them, and those that want one value of a
// field, found by that value. One loop.

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/cache.h"

namespace stead::cache {

// Gets what the history holds first, then every batch.
struct Subscriber {
  int64_t after = 0;
  std::shared_ptr<ChangeSink> sink;  // null: ended
  std::optional<FieldKey> only;
  bool caught_up = false;
};

class Subscribers {
 public:
  using Ptr = std::shared_ptr<Subscriber>;

  void add(const Ptr& subscriber);
  void remove(const Ptr& subscriber);
  // Sinks may add and remove subscribers meanwhile.
  void tell(const std::vector<Change>& changes);
  // All of them, and forgets them.
  std::vector<Ptr> take();

 private:
  struct Field {
    std::function<std::string(const object::Object&)> read;
    std::unordered_map<std::string, std::vector<Ptr>> by_value;
  };
  std::vector<Ptr> everything_;
  std::map<std::string, Field> fields_;
};

}  // namespace stead::cache
