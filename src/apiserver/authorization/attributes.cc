#include "apiserver/authorization/attributes.h"

#include <fmt/format.h>

#include "object/names.h"
#include "object/quote.h"

namespace stead::apiserver {
namespace {

using object::quote;

// The value that a field selector wants metadata.name to have; empty if it wants none.
std::string_view selected_name(std::string_view selector) {
  constexpr std::string_view kName = "metadata.name=";
  while (!selector.empty()) {
    size_t end = std::min(selector.find(','), selector.size());
    std::string_view part = selector.substr(0, end);
    selector.remove_prefix(std::min(end + 1, selector.size()));
    if (!part.starts_with(kName)) continue;
    part.remove_prefix(kName.size());
    if (part.starts_with("=")) part.remove_prefix(1);
    if (object::check_path_segment(part).empty()) return part;
  }
  return {};
}

}  // namespace

Attributes attributes_of(const client::Request& request) {
  Attributes made{client::verb_name(request.verb),
                  request.group,
                  request.version,
                  request.resource,
                  request.subresource,
                  request.ns,
                  request.name,
                  {}};
  // A namespace stands in itself, so that who administers it may read it.
  if (made.group.empty() && made.resource == "namespaces" && made.ns.empty()) made.ns = made.name;
  bool many = request.verb == client::Verb::kList || request.verb == client::Verb::kWatch ||
              request.verb == client::Verb::kDeleteCollection;
  if (many) made.field_selector = request.field_selector;
  if (many && made.name.empty()) made.name = selected_name(request.field_selector);
  return made;
}

std::string refusal_text(const client::Identity& identity, const Attributes& attributes) {
  std::string who = "User " + quote(identity.user) + " cannot " + std::string(attributes.verb);
  if (attributes.on_path()) return who + " path " + quote(attributes.path);
  std::string resource(attributes.resource);
  if (!attributes.subresource.empty()) resource.append("/").append(attributes.subresource);
  std::string scope = attributes.ns.empty() ? "at the cluster scope" : "in the namespace " + quote(attributes.ns);
  return fmt::format("{} resource {} in API group {} {}", who, quote(resource), quote(attributes.group), scope);
}

Error forbidden_error(const client::Identity& identity, const Attributes& attributes, std::string_view reason) {
  std::string text = refusal_text(identity, attributes);
  if (!reason.empty()) text.append(": ").append(reason);
  std::string what(attributes.resource);
  if (!attributes.group.empty()) what.append(".").append(attributes.group);
  if (!attributes.name.empty()) what.append(" ").append(quote(attributes.name));
  Error error =
      make_error(Reason::kForbidden, attributes.on_path() ? "forbidden: " + text : what + " is forbidden: " + text);
  error.group = attributes.group;
  error.kind = attributes.resource;
  error.name = attributes.name;
  return error;
}

}  // namespace stead::apiserver
