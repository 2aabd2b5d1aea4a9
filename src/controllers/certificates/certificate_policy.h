#pragma once

// What becomes of certificate signing requests: which are approved without a person, what is signed for how long, and
// which are forgotten. Pure.

#include <chrono>
#include <optional>
#include <string>

#include "client/plan.h"
#include "http/x509.h"
#include "object/object.h"

namespace stead::controllers::certificates {

using client::ObjectPtr;

// A request as the policies need it.
struct Reading {
  std::string signer;
  std::string user;
  std::vector<std::string> groups;
  std::vector<std::string> usages;
  http::RequestFacts facts;
  // Of facts.common_name "system:node:NAME"; empty for other names.
  std::string node;
  bool approved = false;
  bool denied = false;
  bool failed = false;
  bool issued = false;
  std::chrono::seconds wanted{0};  // expirationSeconds; 0: not said
};
// kBadRequest: the request cannot be read.
Result<Reading> read(const object::Object& request);

struct Verdict {
  enum class Kind : uint8_t { kNone, kApprove, kDeny, kWait } kind = Kind::kNone;
  std::string reason;
  std::string message;
};

// kNone: a person decides. Clients of nodes: a machine with a join token becomes a node whose name no Ready node has; a
// node renews its own. Serving certificates of nodes: the node's own, for addresses that its Node object has (kWait
// until it has them). `node` may be null.
Verdict approve(const Reading& reading, const ObjectPtr& node);

// Why the signer named does not sign this; empty: it does. Signers that are not ours never reach this.
std::string violation(const Reading& reading);
bool is_ours(const std::string& signer);

http::SigningTerms terms(const Reading& reading, std::chrono::seconds longest);

// When the request may be forgotten: an hour after its end was decided, a day after it was made.
WallTime forget_at(const object::Object& request);

}  // namespace stead::controllers::certificates
