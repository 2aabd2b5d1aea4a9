#include "apiserver/front_end/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stead::apiserver {
namespace {

struct Check {
  std::string_view name;
  bool well = true;
  std::string_view reason;  // where it is not
};

// The store and the log are of this process: a server that answers has them. Informers are read from its own cache.
std::vector<Check> checks_of(std::string_view path, const Health& health) {
  std::vector<Check> checks = {{"ping"}, {"log"}, {"etcd"}};
  if (path != "/readyz") return checks;
  checks.push_back({"informer-sync"});
  checks.push_back({"poststarthook/start-node", health.node_started, "the node is starting"});
  checks.push_back({"shutdown"});
  return checks;
}

std::vector<std::string_view> excluded_by(const http::Request& request) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : request.query) {
    if (name == "exclude") names.emplace_back(value);
  }
  return names;
}

http::Response plain(int status, std::string body) {
  http::Response response = http::Response::text(status, std::move(body));
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Cache-Control", "no-cache, private");
  return response;
}

http::Response all_of(const http::Request& request, std::string_view path, const std::vector<Check>& checks) {
  std::vector<std::string_view> excluded = excluded_by(request);
  std::string told;
  bool well = true;
  for (const Check& check : checks) {
    auto named = std::find(excluded.begin(), excluded.end(), check.name);
    if (named != excluded.end()) {
      excluded.erase(named);
      fmt::format_to(std::back_inserter(told), "[+]{} excluded: ok\n", check.name);
    } else if (check.well) {
      fmt::format_to(std::back_inserter(told), "[+]{} ok\n", check.name);
    } else {
      well = false;
      fmt::format_to(std::back_inserter(told), "[-]{} failed: {}\n", check.name, check.reason);
    }
  }
  if (!excluded.empty()) {
    std::string names;
    for (std::string_view name : excluded)
      fmt::format_to(std::back_inserter(names), "{}\"{}\"", names.empty() ? "" : ",", name);
    fmt::format_to(std::back_inserter(told), "warn: some health checks cannot be excluded: no matches for {}\n", names);
  }
  std::string_view subject = path.substr(1);
  if (!well) return plain(500, fmt::format("{}{} check failed\n", told, subject));
  if (!request.has_query("verbose")) return plain(200, "ok");
  return plain(200, fmt::format("{}{} check passed\n", told, subject));
}

}  // namespace

std::optional<http::Response> health_response(const http::Request& request, const Health& health) {
  for (std::string_view path : {"/readyz", "/livez", "/healthz"}) {
    if (!request.path.starts_with(path)) continue;
    std::string_view rest = std::string_view(request.path).substr(path.size());
    std::vector<Check> checks = checks_of(path, health);
    if (rest.empty() || rest == "/") return all_of(request, path, checks);
    for (const Check& check : checks) {
      if (rest.substr(1) != check.name || rest[0] != '/') continue;
      if (check.well) return plain(200, "ok");
      return plain(500, fmt::format("internal server error: {}\n", check.reason));
    }
  }
  return std::nullopt;
}

}  // namespace stead::apiserver
