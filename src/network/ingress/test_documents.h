#pragma once

// Objects for tests of this folder.

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "object/codec.h"
#include "object/object.h"

namespace stead::network::ingress {

inline object::ObjectPtr document(std::string_view yaml, int64_t revision = 1) {
  auto parsed = object::parse_yaml(yaml);
  EXPECT_TRUE(parsed.ok()) << yaml;
  return object::make_object(parsed.ok() ? std::move(*parsed) : object::Value(), revision);
}

inline object::ObjectPtr stead_class() {
  return document("{metadata: {name: stead}, spec: {controller: stead.dev/haproxy}}");
}

// An Ingress of that class; `spec` is the inside of a flow mapping.
inline object::ObjectPtr ingress(const std::string& name, const std::string& spec, int age_order = 0) {
  return document("{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: " + name +
                  ", namespace: ns, creationTimestamp: \"2026-01-01T00:00:0" + std::to_string(age_order) +
                  "Z\"}, spec: {ingressClassName: stead, " + spec + "}}");
}

inline std::string backend(const std::string& service, const std::string& port = "{number: 80}") {
  return "{service: {name: " + service + ", port: " + port + "}}";
}

inline std::string path(const std::string& text, const std::string& type, const std::string& service) {
  return "{path: \"" + text + "\", pathType: " + type + ", backend: " + backend(service) + "}";
}

inline std::string rule(const std::string& host, const std::string& paths) {
  return "{" + (host.empty() ? "" : "host: \"" + host + "\", ") + "http: {paths: [" + paths + "]}}";
}

inline object::ObjectPtr service(const std::string& name) {
  return document("{metadata: {name: " + name + ", namespace: ns}, spec: {type: ClusterIP, ports: [" +
                  "{name: http, port: 80, targetPort: 8080}]}}");
}

// Endpoints of port http at 8080; `conditions` of each, in a flow mapping.
inline object::ObjectPtr slice(const std::string& service_name,
                               const std::vector<std::pair<std::string, std::string>>& endpoints) {
  std::string text;
  for (const auto& [address, conditions] : endpoints) {
    text += (text.empty() ? "" : ", ") + ("{addresses: [" + address + "], conditions: {" + conditions + "}}");
  }
  return document(
      "{metadata: {name: " + service_name + "-a, namespace: ns, labels: {kubernetes.io/service-name: " + service_name +
      "}}, addressType: IPv4, ports: [{name: http, protocol: TCP, port: 8080}], endpoints: [" + text + "]}");
}

}  // namespace stead::network::ingress
