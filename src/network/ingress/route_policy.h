#pragma once

// From Ingresses and what they name to a Balancer, and what is wrong with them. Pure.

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "network/ingress/balancer.h"
#include "object/object.h"

namespace stead::network::ingress {

// spec.controller of the IngressClasses that are ours.
inline constexpr std::string_view kControllerName = "stead.dev/haproxy";

// How the policy looks at the cluster. Functions give null, or nothing, for what there is not.
struct Observed {
  std::vector<object::ObjectPtr> ingresses;
  std::vector<object::ObjectPtr> classes;
  std::function<object::ObjectPtr(const std::string& key)> service;              // "ns/name"
  std::function<std::vector<object::ObjectPtr>(const std::string& key)> slices;  // of the service "ns/name"
  std::function<object::ObjectPtr(const std::string& key)> secret;               // "ns/name"
  std::function<Result<std::string>(const object::Object& secret)> certificate;  // as read_certificate()
};

// Something that keeps an Ingress from being served as it says.
struct Problem {
  std::string reason;  // of an Event
  std::string message;
  auto operator<=>(const Problem&) const = default;
};

struct Decision {
  Balancer balancer;
  struct Served {
    object::ObjectPtr ingress;
    std::vector<Problem> problems;
  };
  std::vector<Served> served;      // the Ingresses of our classes, oldest first
  std::set<std::string> services;  // "ns/name" that were looked up
  std::set<std::string> secrets;
};

Decision decide(const Observed& observed);

// Whether an Ingress is of one of our classes: by spec.ingressClassName, or where that is absent by the annotation
// kubernetes.io/ingress.class.
bool is_ours(const object::Object& ingress, const std::vector<object::ObjectPtr>& classes);

// The certificates and the key of a Secret of type kubernetes.io/tls as one PEM text. kInvalid tells what is wrong with
// them, by the rules of the TLS library that HAProxy uses too.
Result<std::string> read_certificate(const object::Object& secret);

}  // namespace stead::network::ingress
