#include "kinds/core/node_labels.h"

namespace stead::kinds {
namespace {

struct Renamed {
  std::string_view old;
  std::string_view current;
  std::string_view since;
};

constexpr Renamed kRenamed[] = {
    {"beta.kubernetes.io/arch", "kubernetes.io/arch", "v1.14"},
    {"beta.kubernetes.io/os", "kubernetes.io/os", "v1.14"},
    {"failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region", "v1.17"},
    {"failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone", "v1.17"},
    {"beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type", "v1.17"},
};

const Renamed* find_renamed(std::string_view label) {
  for (const Renamed& row : kRenamed) {
    if (row.old == label) return &row;
  }
  return nullptr;
}

}  // namespace

std::string_view current_node_label(std::string_view label) {
  const Renamed* row = find_renamed(label);
  return row == nullptr ? std::string_view() : row->current;
}

std::string deprecated_node_label(std::string_view label) {
  const Renamed* row = find_renamed(label);
  if (row == nullptr) return {};
  return "deprecated since " + std::string(row->since) + "; use \"" + std::string(row->current) + "\" instead";
}

}  // namespace stead::kinds
