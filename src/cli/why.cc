// `stead why KIND/NAME`: fetches what explanations look at, and prints one.

#include <fmt/format.h>

#include <cstdio>

#include "cli/api_access.h"
#include "cli/commands.h"
#include "cli/why/explain.h"
#include "object/codec.h"

namespace stead::cli {
namespace {

using object::Value;

struct Source {
  std::string_view plural;
  std::string_view path;  // of the group version
  bool namespaced;
};

constexpr Source kSources[] = {
    {"pods", "/api/v1", true},
    {"persistentvolumeclaims", "/api/v1", true},
    {"services", "/api/v1", true},
    {"configmaps", "/api/v1", true},
    {"secrets", "/api/v1", true},
    {"events", "/api/v1", true},
    {"nodes", "/api/v1", false},
    {"persistentvolumes", "/api/v1", false},
    {"storageclasses", "/apis/storage.k8s.io/v1", false},
    {"endpointslices", "/apis/discovery.k8s.io/v1", true},
    {"statefulsets", "/apis/apps/v1", true},
    {"deployments", "/apis/apps/v1", true},
    {"replicasets", "/apis/apps/v1", true},
    {"daemonsets", "/apis/apps/v1", true},
    {"jobs", "/apis/batch/v1", true},
    {"ingresses", "/apis/networking.k8s.io/v1", true},
    {"ingressclasses", "/apis/networking.k8s.io/v1", false},
};

bool is_namespaced(std::string_view plural) {
  for (const Source& source : kSources) {
    if (source.plural == plural) return source.namespaced;
  }
  return true;
}

Result<why::ClusterView> fetch_view(const http::ClientOptions& api, const std::string& ns) {
  why::ClusterView view;
  for (const Source& source : kSources) {
    std::string path = source.namespaced ? fmt::format("{}/namespaces/{}/{}", source.path, ns, source.plural)
                                         : fmt::format("{}/{}", source.path, source.plural);
    STEAD_TRY(response, http::fetch(api, "GET", path, {{"Accept", "application/json"}}, ""));
    if (response.status == 404) continue;  // not served by this version
    if (response.status != 200) {
      return make_error(Reason::kUnavailable, fmt::format("{} answered {}", path, response.status));
    }
    STEAD_TRY(list, object::parse_json(response.body));
    auto& objects = view.lists[std::string(source.plural)];
    if (Value* items = list.find("items")) {
      for (Value& item : items->mutable_items()) objects.push_back(object::make_object(std::move(item), 0));
    }
  }
  view.last_log_line = [api](std::string_view pod_ns, std::string_view pod, std::string_view container, bool previous) {
    auto answer =
        http::fetch(api, "GET",
                    fmt::format("/api/v1/namespaces/{}/pods/{}/log?container={}&tailLines=1&limitBytes=4096{}", pod_ns,
                                pod, container, previous ? "&previous=true" : ""),
                    {}, "");
    return answer.ok() && answer->status == 200 ? answer->body : std::string();
  };
  return view;
}

}  // namespace

int run_why(const std::string& data_dir, const std::string& what, const std::string& ns) {
  size_t slash = what.find('/');
  if (slash == std::string::npos || slash + 1 == what.size()) {
    return fail(fmt::format("\"{}\" is not KIND/NAME; kinds are {}", what, why::known_kinds()));
  }
  auto plural = why::plural_of(std::string_view(what).substr(0, slash));
  std::string name = what.substr(slash + 1);
  if (!plural) {
    return fail(
        fmt::format("nothing is known of the kind \"{}\"; kinds are {}", what.substr(0, slash), why::known_kinds()));
  }
  bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos &&
               ns.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos && !ns.empty();
  if (!plain)
    return fail(
        fmt::format("\"{}\" in the namespace \"{}\": names hold lower case letters, digits, '-' and '.'", what, ns));
  Result<http::ClientOptions> api = api_of(data_dir);
  if (!api.ok()) return fail("no cluster in " + data_dir + ": " + api.error().message);
  Result<why::ClusterView> view = fetch_view(*api, ns);
  if (!view.ok()) {
    return fail(fmt::format("the API at {}:{} does not answer ({}); is `stead up` running?", api->host, api->port,
                            view.error().message));
  }
  object::ObjectPtr object = view->find(*plural, is_namespaced(*plural) ? ns : "", name);
  if (!object && *plural == "pods") {
    if (auto absent = why::explain_absent_pod(*view, ns, name)) {
      fmt::print("{}", why::screen_text(*absent));
      return 0;
    }
  }
  if (!object) {
    std::string where = is_namespaced(*plural) ? fmt::format(" in the namespace {}", ns) : std::string();
    return fail(fmt::format("{} \"{}\" not found{}", *plural, name, where));
  }
  fmt::print("{}", why::screen_text(why::explain(*view, *plural, *object)));
  return 0;
}

}  // namespace stead::cli
