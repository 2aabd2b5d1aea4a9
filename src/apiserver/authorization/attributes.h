#pragma once

// One action, as permission for it is asked.

#include <string>
#include <string_view>

#include "client/transport.h"

namespace stead::apiserver {

// Views of texts that the caller keeps alive.
struct Attributes {
  std::string_view verb;
  std::string_view group;
  std::string_view version;
  std::string_view resource;
  std::string_view subresource;
  std::string_view ns;                   // empty: the cluster scope, or all namespaces
  std::string_view name;                 // empty: no single object
  std::string_view path;                 // not empty: the action is on this path, and on no resource
  std::string_view field_selector = {};  // of a list, watch or deletecollection

  bool on_path() const { return !path.empty(); }
};

// Of a call. A list or watch of one name by field selector names that object.
Attributes attributes_of(const client::Request& request);

// `User "eve" cannot list resource "pods" in API group "" in the namespace "default"`.
std::string refusal_text(const client::Identity& identity, const Attributes& attributes);
// The 403 that clients know; `reason` is appended where there is one.
Error forbidden_error(const client::Identity& identity, const Attributes& attributes, std::string_view reason);

}  // namespace stead::apiserver
