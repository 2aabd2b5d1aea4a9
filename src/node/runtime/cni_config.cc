#include "node/runtime/cni_config.h"

#include <fmt/format.h>

namespace stead::node {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string cni_conflist(const CniConfigOptions& options) {
  return fmt::format(R"({{
  "cniVersion": "0.4.0",
  "name": "stead",
  "plugins": [
    {{
      "type": "ptp",
      "ipMasq": false,
      "mtu": {mtu},
      "ipam": {{
        "type": "host-local",
        "dataDir": {data_dir},
        "ranges": [[{{"subnet": {range}}}]],
        "routes": [{{"dst": "0.0.0.0/0"}}]
      }}
    }},
    {{
      "type": "portmap",
      "capabilities": {{"portMappings": true}}
    }}
  ]
}}
)",
                     fmt::arg("mtu", options.mtu), fmt::arg("data_dir", quoted(options.ipam_data_dir)),
                     fmt::arg("range", quoted(options.pod_range)));
}

}  // namespace stead::node
