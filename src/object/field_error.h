#pragma once

// Violated rules of one object, collected before any is reported: every rejection names each field path, the bad
// value and what is allowed. The texts are those clients know from Kubernetes' field.Error.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "object/value.h"

namespace stead::object {

// A field's path, built on the stack while a validator walks down: Path root; root.child("spec").index(0).
// Only str() allocates. A child must not outlive its parent: keep no chain, name each part that is kept.
class Path {
 public:
  Path() = default;
  explicit Path(std::string_view name) : name_(name) {}
  Path child(std::string_view name) const { return Path(this, name, -1, false); }
  Path index(size_t index) const { return Path(this, {}, static_cast<int64_t>(index), false); }
  Path key(std::string_view key) const { return Path(this, key, -1, true); }
  // "spec.containers[0].env[name]"
  std::string str() const;

 private:
  Path(const Path* parent, std::string_view name, int64_t index, bool is_key)
      : parent_(parent), name_(name), index_(index), is_key_(is_key) {}
  const Path* parent_ = nullptr;
  std::string_view name_;
  int64_t index_ = -1;
  bool is_key_ = false;
};

class FieldErrors {
 public:
  void required(const Path& path, std::string_view detail = {});  // "spec.x: Required value[: detail]"
  void invalid(const Path& path, const Value& value, std::string_view detail);
  void not_supported(const Path& path, const Value& value, std::span<const std::string_view> supported);
  void forbidden(const Path& path, std::string_view detail);
  void duplicate(const Path& path, const Value& value, std::string_view detail = {});
  void not_found(const Path& path, const Value& value, std::string_view detail = {});
  void too_long(const Path& path, const Value& value, size_t bytes_max);
  void too_many(const Path& path, size_t count, size_t count_max);

  bool empty() const { return causes_.empty(); }
  size_t size() const { return causes_.size(); }
  const std::vector<Cause>& causes() const { return causes_; }

  // The 422 Error: `<Kind>.<group> "<name>" is invalid: <one message or [a, b, …]>` with all causes.
  Error to_error(std::string_view group, std::string_view kind, std::string_view name) const;

 private:
  void add(std::string_view reason, const Path& path, std::string message);
  std::vector<Cause> causes_;
};

}  // namespace stead::object
