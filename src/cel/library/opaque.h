#pragma once

// Opaque values that hold one thing of C++. Internal to the room.

#include <memory>

#include "cel/value.h"

namespace stead::cel {

// T has `kTypeName`, and == where values of it can be equal.
template <class T>
class Held final : public Opaque {
 public:
  explicit Held(T what) : what(std::move(what)) {}
  std::string_view type_name() const override { return T::kTypeName; }
  bool equals(const Opaque& other) const override {
    if constexpr (requires(const T& a) { a == a; }) {
      return what == static_cast<const Held&>(other).what;
    } else {
      return this == &other;
    }
  }
  uint64_t size() const override {
    if constexpr (requires(const T& a) { a.size(); }) {
      return what.size();
    } else {
      return 1;
    }
  }

  T what;
};

template <class T>
Value hold(T what) {
  return Value::opaque(std::make_shared<const Held<T>>(std::move(what)));
}
// `value` is one that hold<T>() made, which its type's name has shown.
template <class T>
const T& held(const Value& value) {
  return static_cast<const Held<T>&>(value.as_opaque()).what;
}

}  // namespace stead::cel
