#pragma once

// The JSONPaths that CustomResourceDefinitions use: member names, quoted names in brackets, indexes, [*] and the
// filter [?(@.name=="text")]. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/value.h"

namespace stead::kinds {

class JsonPath {
 public:
  // nullopt for what this does not know.
  static std::optional<JsonPath> parse(std::string_view text);

  // All values it leads to, in order.
  std::vector<const object::Value*> find(const object::Value& document) const;
  // Whether it consists of member names only; then the value can be set.
  bool simple() const;
  void set(object::Value& document, object::Value value) const;

 private:
  struct Step {
    enum class Kind : uint8_t { kMember, kIndex, kAll, kFilter } kind = Kind::kMember;
    std::string name;  // member; filter: the member compared
    std::string text;  // filter: its wanted text
    int64_t index = 0;
  };
  std::vector<Step> steps_;
};

}  // namespace stead::kinds
