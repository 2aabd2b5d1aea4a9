#include "controllers/certificates/certificate_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kinds/meta/conditions.h"
#include "object/base64.h"
#include "object/time.h"

namespace stead::controllers::certificates {
namespace {

using object::Value;

constexpr std::string_view kClient = "kubernetes.io/kube-apiserver-client";
constexpr std::string_view kNodeClient = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr std::string_view kNodeServing = "kubernetes.io/kubelet-serving";
constexpr std::string_view kNodePrefix = "system:node:";
constexpr std::string_view kNodes = "system:nodes";
constexpr std::string_view kBootstrappers = "system:bootstrappers";

std::vector<std::string> texts(const Value& list) {
  std::vector<std::string> all;
  for (const Value& item : list.items()) all.emplace_back(item.as_string());
  return all;
}

bool holds(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// All of `required`, and of others only `allowed`.
bool usages_are(const Reading& reading, std::initializer_list<std::string_view> required,
                std::initializer_list<std::string_view> allowed) {
  std::set<std::string_view> seen(reading.usages.begin(), reading.usages.end());
  for (std::string_view one : required) {
    if (seen.erase(one) == 0) return false;
  }
  for (std::string_view one : allowed) seen.erase(one);
  return seen.empty();
}

bool has_names(const Reading& reading) {
  return !reading.facts.dns_names.empty() || !reading.facts.ip_addresses.empty() || reading.facts.other_names;
}

std::string node_subject_violation(const Reading& reading) {
  if (reading.facts.organizations != std::vector<std::string>{std::string(kNodes)}) {
    return "subject organization is not system:nodes";
  }
  return reading.node.empty() ? "subject common name does not begin with system:node:" : "";
}

Verdict approve_client(const Reading& reading, const ObjectPtr& node) {
  bool own = reading.user == reading.facts.common_name && holds(reading.groups, kNodes);
  if (own) return {Verdict::Kind::kApprove, "AutoApproved", "a node renews its own client certificate"};
  if (!holds(reading.groups, kBootstrappers)) return {};
  if (node && kinds::is_condition_true(node->status(), "Ready")) {
    return {Verdict::Kind::kDeny, "NodeNameTaken",
            fmt::format("a node named \"{}\" is there and Ready: give this machine another name with --node-name, or "
                        "delete that node first",
                        reading.node)};
  }
  return {Verdict::Kind::kApprove, "AutoApproved", "a machine with a join token asks for its client certificate"};
}

Verdict approve_serving(const Reading& reading, const ObjectPtr& node) {
  if (reading.user != reading.facts.common_name || !holds(reading.groups, kNodes)) return {};
  if (!node || node->status().at("addresses").empty()) return {Verdict::Kind::kWait, "", ""};
  std::vector<std::string> own = {reading.node};
  for (const Value& address : node->status().at("addresses").items())
    own.emplace_back(address.at("address").as_string());
  std::vector<std::string> asked = reading.facts.dns_names;
  asked.insert(asked.end(), reading.facts.ip_addresses.begin(), reading.facts.ip_addresses.end());
  for (const std::string& name : asked) {
    if (!holds(own, name)) {
      return {Verdict::Kind::kDeny, "ForeignName",
              fmt::format("\"{}\" is no address of node \"{}\"", name, reading.node)};
    }
  }
  return {Verdict::Kind::kApprove, "AutoApproved", "a node asks for its serving certificate"};
}

}  // namespace

Result<Reading> read(const object::Object& request) {
  Reading reading;
  const Value& spec = request.spec();
  reading.signer = spec.at("signerName").as_string();
  reading.user = spec.at("username").as_string();
  reading.groups = texts(spec.at("groups"));
  reading.usages = texts(spec.at("usages"));
  reading.wanted = std::chrono::seconds(spec.at("expirationSeconds").as_int());
  for (const Value& condition : request.status().at("conditions").items()) {
    std::string_view type = condition.at("type").as_string();
    reading.approved |= type == "Approved";
    reading.denied |= type == "Denied";
    reading.failed |= type == "Failed";
  }
  reading.issued = !request.status().at("certificate").as_string().empty();
  STEAD_TRY(pem, object::decode_base64(spec.at("request").as_string()));
  STEAD_TRY(facts, http::read_request(pem));
  reading.facts = std::move(facts);
  const std::string& name = reading.facts.common_name;
  if (name.starts_with(kNodePrefix)) reading.node = name.substr(kNodePrefix.size());
  return reading;
}

Verdict approve(const Reading& reading, const ObjectPtr& node) {
  if (reading.approved || reading.denied || !violation(reading).empty()) return {};
  if (reading.signer == kNodeClient) return approve_client(reading, node);
  if (reading.signer == kNodeServing) return approve_serving(reading, node);
  return {};
}

bool is_ours(const std::string& signer) { return signer == kClient || signer == kNodeClient || signer == kNodeServing; }

std::string violation(const Reading& reading) {
  if (reading.signer == kClient) {
    return usages_are(reading, {"client auth"}, {"digital signature", "key encipherment"})
               ? ""
               : "usages must include \"client auth\", and of others only \"digital signature\" and \"key "
                 "encipherment\"";
  }
  std::string subject = node_subject_violation(reading);
  if (!subject.empty()) return subject;
  if (reading.signer == kNodeClient) {
    if (has_names(reading)) return "a client certificate of a node has no alternative names";
    return usages_are(reading, {"client auth", "digital signature"}, {"key encipherment"})
               ? ""
               : "usages must be \"digital signature\" and \"client auth\", with or without \"key encipherment\"";
  }
  if (reading.facts.dns_names.empty() && reading.facts.ip_addresses.empty()) {
    return "a serving certificate needs a DNS name or an IP address";
  }
  if (reading.facts.other_names) return "only DNS names and IP addresses may be alternative names";
  return usages_are(reading, {"server auth", "digital signature"}, {"key encipherment"})
             ? ""
             : "usages must be \"digital signature\" and \"server auth\", with or without \"key encipherment\"";
}

http::SigningTerms terms(const Reading& reading, std::chrono::seconds longest) {
  http::SigningTerms made;
  made.client = holds(reading.usages, "client auth");
  made.server = holds(reading.usages, "server auth");
  made.key_encipherment = holds(reading.usages, "key encipherment");
  made.valid_for = reading.wanted.count() > 0 ? std::min(reading.wanted, longest) : longest;
  return made;
}

WallTime forget_at(const object::Object& request) {
  WallTime made = object::parse_time(request.metadata().at("creationTimestamp").as_string()).value_or(WallTime{});
  WallTime end = made + std::chrono::hours(24);
  for (const Value& condition : request.status().at("conditions").items()) {
    std::optional<WallTime> decided = object::parse_time(condition.at("lastUpdateTime").as_string());
    if (decided) end = std::min(end, *decided + std::chrono::hours(1));
  }
  return end;
}

}  // namespace stead::controllers::certificates
