#include "apiserver/front_end/connect_options.h"

#include <algorithm>
#include <charconv>

namespace stead::apiserver {
namespace {

using object::Value;

void add_streams(const http::Request& request, Value& options) {
  for (std::string_view name : {"stdin", "stdout", "stderr", "tty"}) {
    if (request.has_flag(name)) options.set(name, true);
  }
  std::string_view container = request.query_value("container");
  if (!container.empty()) options.set("container", container);
}

// "80" and "80,81"; what is no port is the node's to refuse.
void add_ports(const http::Request& request, Value& options) {
  for (const auto& [name, value] : request.query) {
    if (name != "ports") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      int64_t port = 0;
      auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), port);
      if (error == std::errc() && end == one.data() + one.size()) options["ports"].append(port);
    }
  }
}

}  // namespace

Value connect_options(const Route& route, const http::Request& request, std::string_view path) {
  Value options = Value::object({{"apiVersion", "v1"}});
  const std::string& subresource = route.subresource;
  if (subresource == "proxy") {
    std::string_view kind = route.resource == "pods"       ? "PodProxyOptions"
                            : route.resource == "services" ? "ServiceProxyOptions"
                                                           : "NodeProxyOptions";
    options.set("kind", kind);
    options.set("path", path.substr(0, path.find('?')));
    return options;
  }
  if (subresource == "portforward") {
    options.set("kind", "PodPortForwardOptions");
    add_ports(request, options);
    return options;
  }
  options.set("kind", subresource == "exec" ? "PodExecOptions" : "PodAttachOptions");
  add_streams(request, options);
  if (subresource != "exec") return options;
  for (const auto& [name, value] : request.query) {
    if (name == "command") options["command"].append(value);
  }
  return options;
}

}  // namespace stead::apiserver
