#include "apiserver/component_statuses.h"

#include "apiserver/selection.h"

namespace stead::apiserver {
namespace {

using client::Verb;
using object::Value;

object::ObjectPtr healthy(std::string_view component) {
  Value condition = Value::object({{"type", "Healthy"}, {"status", "True"}, {"message", "ok"}});
  return object::make_object(Value::object({{"apiVersion", "v1"},
                                            {"kind", "ComponentStatus"},
                                            {"metadata", Value::object({{"name", component}})},
                                            {"conditions", Value::array({std::move(condition)})}}),
                             0);
}

}  // namespace

Result<client::Response> answer_component_statuses(const Call& call, int64_t revision) {
  if ((call.request.verb != Verb::kGet && call.request.verb != Verb::kList) || !call.request.subresource.empty()) {
    return make_error(Reason::kMethodNotAllowed, "the server does not allow this method on the requested resource");
  }
  STEAD_TRY(selection, Selection::make(call));
  client::Response response;
  for (std::string_view component : {"controller-manager", "etcd-0", "scheduler"}) {
    if (!call.request.name.empty() && component != call.request.name) continue;
    object::ObjectPtr found = healthy(component);
    if (selection.matches(*found)) response.items.push_back(std::move(found));
  }
  response.revision = revision;
  if (call.request.verb == Verb::kList) return response;
  if (response.items.empty()) return not_found_error(call, call.request.name);
  response.object = std::move(response.items.front());
  response.items.clear();
  return response;
}

}  // namespace stead::apiserver
