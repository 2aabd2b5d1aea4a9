#pragma once

// What the generated views (kinds/views/<group>.h) are made of. A view borrows a Value and reads its fields by name, at
// each call; it owns nothing, so the document must outlive it. Absent fields read as zero ("" / 0 / false / an empty
// list / an absent view); scalars whose presence matters come as std::optional. Safe from any thread while the
// document is not changed. Times, quantities and durations come as their text; int-or-string as the Value.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "object/value.h"

namespace stead::kinds {

namespace view_detail {

inline const object::Value& null_value() {
  static const object::Value kNull;
  return kNull;
}

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

// Reads `value` (nullptr: absent) as T.
template <class T>
T read_as(const object::Value* value) {
  if constexpr (IsOptional<T>::value) {
    if (value == nullptr || value->is_null()) return std::nullopt;
    return read_as<typename T::value_type>(value);
  } else if constexpr (std::is_same_v<T, const object::Value&>) {
    return value == nullptr ? null_value() : *value;
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    return value == nullptr ? std::string_view() : value->as_string();
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != nullptr && value->as_bool();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return value == nullptr ? 0 : value->as_int();
  } else if constexpr (std::is_same_v<T, double>) {
    return value == nullptr ? 0 : value->as_double();
  } else {
    return T(value);  // a view
  }
}

}  // namespace view_detail

class View {
 public:
  View() = default;
  explicit View(const object::Value* value) : value_(value) {}
  explicit View(const object::Value& value) : value_(&value) {}

  // Whether the field is present.
  explicit operator bool() const { return value_ != nullptr && !value_->is_null(); }
  // The wrapped Value; the null Value where absent.
  const object::Value& value() const { return value_ == nullptr ? view_detail::null_value() : *value_; }

 protected:
  template <class T>
  T read(std::string_view name) const {
    return view_detail::read_as<T>(value_ == nullptr ? nullptr : value_->find(name));
  }

 private:
  const object::Value* value_ = nullptr;
};

template <class T>
class ListView : public View {
 public:
  using View::View;

  class Iterator {
   public:
    explicit Iterator(const object::Value* at) : at_(at) {}
    T operator*() const { return view_detail::read_as<T>(at_); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const object::Value* at_;
  };

  Iterator begin() const { return Iterator(value().items().data()); }
  Iterator end() const { return Iterator(value().items().data() + value().items().size()); }
  size_t size() const { return value().items().size(); }
  bool empty() const { return size() == 0; }
  // `index` must be below size().
  T operator[](size_t index) const { return view_detail::read_as<T>(&value().items()[index]); }
};

template <class T>
class MapView : public View {
 public:
  using View::View;

  struct Entry {
    std::string_view key;
    T value;
  };

  class Iterator {
   public:
    explicit Iterator(const object::Member* at) : at_(at) {}
    Entry operator*() const { return {at_->name(), view_detail::read_as<T>(&at_->value)}; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const object::Member* at_;
  };

  Iterator begin() const { return Iterator(value().members().data()); }
  Iterator end() const { return Iterator(value().members().data() + value().members().size()); }
  size_t size() const { return value().members().size(); }
  bool empty() const { return size() == 0; }
  bool contains(std::string_view key) const { return value().find(key) != nullptr; }
  // The zero of T where there is no such key.
  T at(std::string_view key) const { return view_detail::read_as<T>(value().find(key)); }
};

}  // namespace stead::kinds
