#pragma once

// Result<T>: a T or an Error. Reading the wrong side is a broken invariant and aborts.

#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace stead {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    STEAD_CHECK(ok(), std::get<1>(state_).message);
    return std::get<0>(state_);
  }
  const T& value() const& {
    STEAD_CHECK(ok(), std::get<1>(state_).message);
    return std::get<0>(state_);
  }
  T&& value() && {
    STEAD_CHECK(ok(), std::get<1>(state_).message);
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    STEAD_CHECK(!ok());
    return std::get<1>(state_);
  }
  Error&& error() && {
    STEAD_CHECK(!ok());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    STEAD_CHECK(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace stead

// STEAD_TRY(name, expression): `name` becomes the value, or the enclosing function returns the error.
#define STEAD_CONCAT_INNER(a, b) a##b
#define STEAD_CONCAT(a, b) STEAD_CONCAT_INNER(a, b)
#define STEAD_TRY(name, expression)                                                                             \
  auto STEAD_CONCAT(try_result_, __LINE__) = (expression);                                                      \
  if (!STEAD_CONCAT(try_result_, __LINE__).ok()) return std::move(STEAD_CONCAT(try_result_, __LINE__)).error(); \
  auto name = std::move(STEAD_CONCAT(try_result_, __LINE__)).value()

// STEAD_TRY_VOID(expression): the same for Result<void>, or to drop a value.
#define STEAD_TRY_VOID(expression)                   \
  do {                                               \
    auto try_result = (expression);                  \
    if (!try_result.ok()) return try_result.error(); \
  } while (false)
