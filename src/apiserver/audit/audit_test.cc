#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "apiserver/audit/audit_event.h"
#include "apiserver/audit/audit_log.h"
#include "apiserver/audit/audit_policy.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

constexpr const char* kHead = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";

Attributes on(std::string_view verb, std::string_view group, std::string_view resource,
              std::string_view subresource = "", std::string_view ns = "default", std::string_view name = "") {
  return {verb, group, "v1", resource, subresource, ns, name, {}};
}

TEST(AuditPolicy, TheFirstRuleThatFitsDecides) {
  auto policy = AuditPolicy::parse(std::string(kHead) + R"(
omitStages: [RequestReceived, ResponseStarted]
rules:
- {level: None, users: [quiet]}
- {level: None, verbs: [get, list, watch], resources: [{group: "", resources: [pods, "nodes/*"]}]}
- {level: Metadata, namespaces: [secure], resources: [{group: "", resources: ["*"], resourceNames: [one]}]}
- {level: None, nonResourceURLs: ["/version", "/openapi*"]}
- {level: None, userGroups: ["system:nodes"]}
- {level: Metadata, resources: [{group: apps}]}
)");
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  EXPECT_FALSE(policy->records_started());
  client::Identity ann{"ann", "", {}};
  EXPECT_FALSE(policy->records({"quiet", "", {}}, on("create", "apps", "deployments")));
  EXPECT_TRUE(policy->records(ann, on("create", "apps", "deployments")));
  EXPECT_FALSE(policy->records({"n", "", {"system:nodes"}}, on("create", "apps", "deployments")));
  EXPECT_FALSE(policy->records(ann, on("get", "", "pods", "", "secure", "one")));
  EXPECT_TRUE(policy->records(ann, on("delete", "", "pods", "", "secure", "one")));
  EXPECT_TRUE(policy->records(ann, on("get", "", "pods", "log", "secure", "one")));
  EXPECT_FALSE(policy->records(ann, on("get", "", "nodes", "proxy", "secure", "one")));
  EXPECT_FALSE(policy->records(ann, on("delete", "", "pods", "", "secure", "two")));
  // What no rule fits is not recorded.
  EXPECT_FALSE(policy->records(ann, on("create", "batch", "jobs")));
  EXPECT_FALSE(policy->records(ann, {"get", {}, {}, {}, {}, {}, {}, "/openapi/v2"}));
  EXPECT_TRUE(AuditPolicy::everything().records(ann, {"get", {}, {}, {}, {}, {}, {}, "/openapi/v2"}));
}

TEST(AuditPolicy, ProblemsNameTheField) {
  auto problem = [](const std::string& text) {
    auto policy = AuditPolicy::parse(text);
    return policy.ok() ? std::string("fine") : policy.error().message;
  };
  EXPECT_EQ(problem("apiVersion: audit.k8s.io/v1beta1\nkind: Policy"),
            "apiVersion: must be audit.k8s.io/v1, of kind Policy");
  EXPECT_EQ(problem(std::string(kHead) + "rules: []"), "rules: must be a list of at least one rule");
  EXPECT_EQ(problem(std::string(kHead) + "rules: [{level: Request}]"),
            "rules[0].level: \"Request\" is not supported: None or Metadata");
  EXPECT_EQ(problem(std::string(kHead) + "rules: [{level: None}, {level: None, user: [a]}]"),
            "rules[1].user: unknown field");
  EXPECT_EQ(problem(std::string(kHead) + "rules: [{level: None, users: a}]"), "rules[0].users: must be a list");
  EXPECT_EQ(problem(std::string(kHead) + "rules: [{level: None, nonResourceURLs: [/], namespaces: [a]}]"),
            "rules[0].nonResourceURLs: cannot be together with resources or namespaces");
}

TEST(AuditEvent, SaysWhoAskedForWhat) {
  AuditedRequest request;
  request.id = "id";
  request.uri = "/api/v1/namespaces/default/pods/p";
  request.source = "192.0.2.1";
  request.identity = {"ann", "", {"devs"}};
  request.impersonated = client::Identity{"bob", "", {}};
  request.verb = "get";
  request.version = "v1";
  request.resource = "pods";
  request.ns = "default";
  request.name = "p";
  request.received = WallTime(std::chrono::seconds(1));
  EXPECT_EQ(
      object::to_json(audit_event(request, "ResponseComplete", 403, WallTime(std::chrono::milliseconds(1500)))),
      R"({"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id",)"
      R"("stage":"ResponseComplete","requestURI":"/api/v1/namespaces/default/pods/p","verb":"get",)"
      R"("user":{"username":"ann","groups":["devs"]},"impersonatedUser":{"username":"bob"},)"
      R"("sourceIPs":["192.0.2.1"],"objectRef":{"resource":"pods","namespace":"default","name":"p",)"
      R"("apiVersion":"v1"},"responseStatus":{"metadata":{},"code":403},)"
      R"("requestReceivedTimestamp":"1970-01-01T00:00:01.000000Z","stageTimestamp":"1970-01-01T00:00:01.500000Z"})");
}

TEST(AuditLog, IsRotatedAndBounded) {
  std::string pattern = std::filesystem::temp_directory_path() / "stead-audit-XXXXXX";
  std::filesystem::path folder = mkdtemp(pattern.data());
  AuditLogOptions options{folder / "audit.log", 100, 2};
  for (int round = 0; round < 6; ++round) {
    auto log = open_audit_log(options);
    ASSERT_TRUE(log.ok()) << log.error().message;
    (*log)->write(std::string(60, static_cast<char>('a' + round)));
  }
  std::vector<std::string> backups;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename() != "audit.log") backups.push_back(entry.path().filename());
  }
  EXPECT_EQ(backups.size(), 2u);
  EXPECT_THAT(backups, testing::Each(testing::StartsWith("audit-")));
  std::ostringstream text;
  text << std::ifstream(folder / "audit.log").rdbuf();
  EXPECT_EQ(text.str(), std::string(60, 'f') + "\n");
  EXPECT_FALSE(open_audit_log({folder / "no" / "folder", 100, 2}).ok());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace stead::apiserver
