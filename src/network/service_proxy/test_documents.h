#pragma once

// Services and EndpointSlices for tests, in YAML.

#include <string>

#include "object/codec.h"
#include "object/object.h"

namespace stead::network::service_proxy {

inline object::Value document(const std::string& yaml) {
  auto parsed = object::parse_yaml(yaml);
  STEAD_CHECK(parsed.ok(), yaml);
  return std::move(*parsed);
}

// `spec`: YAML in flow style, without its braces.
inline object::Value service_document(const std::string& name, const std::string& spec) {
  return document("{metadata: {namespace: default, name: " + name + "}, spec: {" + spec + "}}");
}

// `endpoints`: a YAML list in flow style.
inline object::Value slice_document(const std::string& service, const std::string& ports, const std::string& endpoints,
                                    const std::string& suffix = "-1") {
  return document("{metadata: {namespace: default, name: " + service + suffix +
                  ", labels: {kubernetes.io/service-name: " + service + "}}, addressType: IPv4, ports: [" + ports +
                  "], endpoints: [" + endpoints + "]}");
}

}  // namespace stead::network::service_proxy
