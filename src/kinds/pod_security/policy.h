#pragma once

// The levels of the Pod Security Standards and the labels with which a namespace chooses among them. Pure.

#include <limits>
#include <string>
#include <string_view>

#include "object/field_error.h"
#include "object/value.h"

namespace stead::kinds {

enum class SecurityLevel { kPrivileged, kBaseline, kRestricted };  // each stricter than the one before

// A level as one minor version of Kubernetes 1 defined it.
struct LevelVersion {
  static constexpr int kLatest = std::numeric_limits<int>::max();
  SecurityLevel level = SecurityLevel::kPrivileged;
  int minor = kLatest;

  std::string str() const;  // "baseline:latest", "restricted:v1.25"
  bool operator==(const LevelVersion&) const = default;
};

struct SecurityPolicy {
  LevelVersion enforce;
  LevelVersion audit;
  LevelVersion warn;
};

// What labels under pod-security.kubernetes.io/ ask for. A label that cannot be read is an error and counts as the
// strictest level where it enforces, as the loosest where it audits or warns. A namespace that enforces a level and
// says nothing of warnings warns at that level.
SecurityPolicy security_policy(const object::Value& labels, object::FieldErrors& errors);

}  // namespace stead::kinds
