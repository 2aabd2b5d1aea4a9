#pragma once

// What a namespace needs. Pure.
//
//   Active ── deleted ──▶ Terminating ── pods gone, then all else ──▶ empty ── finalized ──▶ gone

#include <string>
#include <vector>

#include "base/clock.h"
#include "client/informer.h"
#include "client/plan.h"

namespace stead::controllers::namespaces {

using client::ObjectPtr;
using client::ResourceRef;

struct Content {
  ObjectPtr object;
  ResourceRef resource;
};

struct Observed {
  ObjectPtr ns;
  std::vector<Content> contents;  // read for a namespace that is being deleted
  ObjectPtr service_account;      // "default"; null if there is none
  ObjectPtr root_ca;              // ConfigMap "kube-root-ca.crt"; null if there is none
};

// The plans are independent of each other.
std::vector<client::Plan> decide(const Observed& observed, const std::string& root_ca_pem, WallTime now);

// default, kube-system, kube-public, kube-node-lease.
std::vector<client::Request> standard_namespaces();

}  // namespace stead::controllers::namespaces
