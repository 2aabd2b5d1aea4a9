#include "node/containers/downward.h"

#include <fmt/format.h>

#include <map>

#include "object/quantity.h"

namespace stead::node {
namespace {

using object::Quantity;
using object::Value;

// Go's %q for the characters that labels and annotations hold.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\x{:02x}", c);
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string map_text(const Value& map) {
  std::map<std::string, std::string> sorted;
  for (const auto& member : map.members()) {
    sorted.emplace(member.name(), quoted(member.value.as_string()));
  }
  std::string text;
  for (const auto& [key, value] : sorted) {
    if (!text.empty()) text += '\n';
    text += key + "=" + value;
  }
  return text;
}

std::string first(const std::vector<std::string>& list) { return list.empty() ? std::string() : list.front(); }

}  // namespace

Result<std::string> downward_field(const PodShape& shape, const DownwardFacts& facts, std::string_view path) {
  const Value& metadata = shape.pod->metadata();
  for (std::string_view map : {"labels", "annotations"}) {
    std::string prefix = fmt::format("metadata.{}['", map);
    if (path.starts_with(prefix) && path.ends_with("']")) {
      std::string_view key = path.substr(prefix.size(), path.size() - prefix.size() - 2);
      return std::string(metadata.at(map).at(key).as_string());
    }
    if (path == fmt::format("metadata.{}", map)) return map_text(metadata.at(map));
  }
  if (path == "metadata.name") return shape.name;
  if (path == "metadata.namespace") return shape.ns;
  if (path == "metadata.uid") return shape.uid;
  if (path == "spec.nodeName") return facts.node_name;
  if (path == "spec.serviceAccountName") return std::string(shape.spec().at("serviceAccountName").as_string());
  if (path == "status.podIP") return first(facts.pod_ips);
  if (path == "status.podIPs") return fmt::format("{}", fmt::join(facts.pod_ips, ","));
  if (path == "status.hostIP") return first(facts.host_ips);
  if (path == "status.hostIPs") return fmt::format("{}", fmt::join(facts.host_ips, ","));
  return make_error(Reason::kBadRequest, fmt::format("unsupported fieldPath: {}", path));
}

Result<std::string> downward_resource(const PodShape& shape, const DownwardFacts& facts, const Value& reference,
                                      std::string_view container) {
  std::string_view named = reference.at("containerName").as_string();
  const ContainerShape* found = shape.find(named.empty() ? container : named);
  if (found == nullptr) return make_error(Reason::kBadRequest, fmt::format("container {} not found", named));
  std::string_view path = reference.at("resource").as_string();
  size_t dot = path.find('.');
  std::string_view list = path.substr(0, dot);
  std::string_view resource = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  if (resource.empty() || (list != "limits" && list != "requests")) {
    return make_error(Reason::kBadRequest, fmt::format("unsupported container resource : {}", path));
  }
  const Value* amount = found->resources().find({list, resource});
  Quantity quantity;
  if (amount != nullptr) {
    STEAD_TRY(parsed, Quantity::parse(amount->as_string()));
    quantity = parsed;
  } else if (list == "limits") {
    if (resource == "cpu") quantity = Quantity::from_milli(facts.allocatable_milli_cpu);
    if (resource == "memory") quantity = Quantity::from_units(facts.allocatable_memory);
    if (resource == "ephemeral-storage") quantity = Quantity::from_units(facts.allocatable_storage);
  }
  Quantity divisor = Quantity::from_units(1);
  if (const Value* given = reference.find("divisor"); given != nullptr && !given->as_string().empty()) {
    STEAD_TRY(parsed, Quantity::parse(given->as_string()));
    if (!parsed.is_zero()) divisor = parsed;
  }
  int64_t whole = quantity.value();
  int64_t part = divisor.value();
  if (resource == "cpu") {
    whole = quantity.milli_value();
    part = divisor.milli_value();
  }
  if (part <= 0) part = 1;
  return std::to_string((whole + part - 1) / part);
}

}  // namespace stead::node
