#include "apiserver/authorizer.h"

#include <fmt/format.h>

#include <algorithm>

namespace stead::apiserver {
namespace {

std::string_view verb_name(client::Verb verb) {
  switch (verb) {
    case client::Verb::kGet:
      return "get";
    case client::Verb::kList:
      return "list";
    case client::Verb::kWatch:
      return "watch";
    case client::Verb::kCreate:
      return "create";
    case client::Verb::kUpdate:
      return "update";
    case client::Verb::kPatch:
      return "patch";
    case client::Verb::kDelete:
      return "delete";
    case client::Verb::kDeleteCollection:
      return "deletecollection";
  }
  return "";
}

}  // namespace

Result<void> authorize(const client::Identity& identity, const client::Request& request) {
  const auto& groups = identity.groups;
  if (std::find(groups.begin(), groups.end(), "system:masters") != groups.end()) return {};
  std::string resource = request.resource;
  if (!request.subresource.empty()) resource += "/" + request.subresource;
  std::string qualified = request.group.empty() ? request.resource : request.resource + "." + request.group;
  std::string named = request.name.empty() ? qualified : fmt::format("{} \"{}\"", qualified, request.name);
  std::string scope = request.ns.empty() ? "at the cluster scope" : fmt::format("in the namespace \"{}\"", request.ns);
  Error error = make_error(Reason::kForbidden,
                           fmt::format("{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {}",
                                       named, identity.user, verb_name(request.verb), resource, request.group, scope));
  error.group = request.group;
  error.kind = request.resource;
  error.name = request.name;
  return error;
}

}  // namespace stead::apiserver
