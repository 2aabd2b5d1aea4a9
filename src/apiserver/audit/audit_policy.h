#pragma once

// Which requests are recorded: the rules of an audit.k8s.io/v1 Policy, of which the first that fits decides. Levels
// None and Metadata only. Pure, any thread.

#include <string>
#include <vector>

#include "apiserver/authorization/attributes.h"
#include "client/transport.h"
#include "object/value.h"

namespace stead::apiserver {

class AuditPolicy {
 public:
  // Everything is recorded.
  static AuditPolicy everything();
  // From the text of a Policy, YAML or JSON. kBadRequest names the field that is wrong or not supported.
  static Result<AuditPolicy> parse(std::string_view text);

  bool records(const client::Identity& identity, const Attributes& attributes) const;
  // Whether the beginning of a streamed answer is recorded too, not only its end.
  bool records_started() const { return records_started_; }

 private:
  struct ResourceRule {
    std::string group;
    std::vector<std::string> resources, names;
  };
  struct Rule {
    bool records = false;
    std::vector<std::string> users, groups, verbs, namespaces, paths;
    std::vector<ResourceRule> resources;
  };
  static Result<Rule> read_rule(const object::Value& rule, const std::string& path);
  static bool fits(const Rule& rule, const client::Identity& identity, const Attributes& attributes);

  std::vector<Rule> rules_;
  bool records_started_ = true;
};

}  // namespace stead::apiserver
