#pragma once

// The interface behind the variables `authorizer` and `authorizer.requestResource`.

#include <memory>
#include <optional>
#include <string>

#include "cel/value.h"

namespace stead::cel {

// One question that an expression builds up and asks with check(verb).
struct AuthorizationQuestion {
  std::string verb;
  std::string path;  // of a non-resource question; empty for a resource
  std::string group;
  std::string resource;
  std::string subresource;
  std::string ns;
  std::string name;
  // Texts of the selectors as the expression gave them; nullopt: no such requirement.
  std::optional<std::string> field_selector;
  std::optional<std::string> label_selector;
  // Asks for this service account instead of the request's user; empty name: the user.
  std::string service_account_namespace;
  std::string service_account_name;
};

struct AuthorizationAnswer {
  bool allowed = false;
  std::string reason;
  std::string error;  // empty: none
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual AuthorizationAnswer check(const AuthorizationQuestion& question) const = 0;
};

// `authorizer` must outlive every Value reached from these.
Value authorizer_value(const Authorizer& authorizer);
// `prefilled`: group, resource, subresource, namespace and name of the request.
Value resource_check_value(const Authorizer& authorizer, AuthorizationQuestion prefilled);

}  // namespace stead::cel
