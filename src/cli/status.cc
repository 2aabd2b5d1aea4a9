#include <fmt/format.h>

#include "cli/api_access.h"
#include "cli/commands.h"
#include "kinds/meta/conditions.h"
#include "object/codec.h"

namespace stead::cli {

using object::Value;

namespace {

Result<Value> list(const http::ClientOptions& api, const std::string& path) {
  STEAD_TRY(response, http::fetch(api, "GET", path, {{"Accept", "application/json"}}, ""));
  if (response.status != 200)
    return make_error(Reason::kUnavailable, fmt::format("{} answered {}", path, response.status));
  return object::parse_json(response.body);
}

Result<void> print_cluster(const http::ClientOptions& api) {
  STEAD_TRY(nodes, list(api, "/api/v1/nodes"));
  STEAD_TRY(pods, list(api, "/api/v1/pods"));
  STEAD_TRY(sets, list(api, "/apis/apps/v1/statefulsets"));
  fmt::print("API        https://{}:{}\n", api.host, api.port);
  for (const Value& node : nodes.at("items").items()) {
    fmt::print("node       {}  {}\n", node.at({"metadata", "name"}).as_string(),
               kinds::is_condition_true(node.at("status"), "Ready") ? "Ready" : "NotReady");
  }
  size_t ready = 0;
  for (const Value& pod : pods.at("items").items()) ready += kinds::is_condition_true(pod.at("status"), "Ready");
  fmt::print("pods       {} of {} Ready\n", ready, pods.at("items").size());
  for (const Value& set : sets.at("items").items()) {
    fmt::print("set        {}/{}  {} of {} Ready\n", set.at({"metadata", "namespace"}).as_string(),
               set.at({"metadata", "name"}).as_string(), set.at({"status", "readyReplicas"}).as_int(),
               set.at({"spec", "replicas"}).as_int());
  }
  return {};
}

}  // namespace

int run_status(const std::string& data_dir) {
  Result<http::ClientOptions> api = api_of(data_dir);
  if (!api.ok()) return fail("no cluster in " + data_dir + ": " + api.error().message);
  Result<void> printed = print_cluster(*api);
  if (!printed.ok()) {
    return fail(fmt::format("the API at {}:{} does not answer ({}); is `stead up` running?", api->host, api->port,
                            printed.error().message));
  }
  return 0;
}

}  // namespace stead::cli
