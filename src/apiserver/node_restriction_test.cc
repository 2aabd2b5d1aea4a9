// What nodes may do, through in-process transports in their names.

#include "apiserver/node_restriction.h"

#include <gtest/gtest.h>

#include "apiserver/api_server.h"
#include "loop/simulated_loop.h"
#include "object/codec.h"
#include "store/memory/memory_store.h"

namespace stead::apiserver {
namespace {

using client::Request;
using client::Verb;

class NodeRestrictionTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open_memory_store(api_loop_);
    cache_ = std::move(*cache::Cache::open(*store_, api_loop_));
    server_ = std::move(*ApiServer::make(*store_, *cache_, api_loop_, simulation_.random(), {}));
    for (const char* user : {"admin", "n1", "n2"}) {
      bool admin = user == std::string("admin");
      client::Identity identity{admin ? user : std::string("system:node:") + user, "", {}};
      identity.groups.emplace_back(admin ? "system:masters" : "system:nodes");
      transports_[user] = server_->transport(std::move(identity), loop_);
    }
    make("namespaces", "", R"({"metadata":{"name":"default"}})");
    make("serviceaccounts", "default", R"({"metadata":{"name":"app"}})");
    for (const char* name : {"mine", "others"}) {
      make("secrets", "default", R"({"metadata":{"name":")" + std::string(name) + R"("}})");
      make("configmaps", "default", R"({"metadata":{"name":")" + std::string(name) + R"("}})");
    }
    make("persistentvolumes", "", R"({"metadata":{"name":"pv"},"spec":{"capacity":{"storage":"1Gi"},
        "accessModes":["ReadWriteOnce"],"hostPath":{"path":"/x"}}})");
    make("persistentvolumeclaims", "default", R"({"metadata":{"name":"data"},"spec":{"volumeName":"pv",
        "storageClassName":"","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})");
    make("pods", "default", R"({"metadata":{"name":"p"},"spec":{"nodeName":"n1","serviceAccountName":"app",
        "containers":[{"name":"a","image":"b:1","envFrom":[{"configMapRef":{"name":"mine"}}]}],
        "volumes":[{"name":"s","secret":{"secretName":"mine"}},
                   {"name":"d","persistentVolumeClaim":{"claimName":"data"}}]}})");
  }

  Result<Response> call(const std::string& who, Request request) {
    std::optional<Result<Response>> answer;
    transports_[who]->call(std::move(request), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
    if (!answer) return make_error(Reason::kTimeout, "no answer");
    return std::move(*answer);
  }
  static Request request(Verb verb, const std::string& resource, const std::string& ns, const std::string& name,
                         std::string_view body = "{}", const std::string& subresource = {}) {
    Request made;
    made.verb = verb;
    made.resource = resource;
    if (resource == "leases") made.group = "coordination.k8s.io";
    made.ns = ns;
    made.name = name;
    made.subresource = subresource;
    made.body = *object::parse_json(body);
    return made;
  }
  void make(const std::string& resource, const std::string& ns, std::string_view body) {
    auto made = call("admin", request(Verb::kCreate, resource, ns, "", body));
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  // "" where it may, else the refusal.
  std::string refusal(const std::string& who, Request request) {
    auto answer = call(who, std::move(request));
    if (answer.ok()) return {};
    return (answer.error().reason == Reason::kForbidden ? "" : "not Forbidden: ") + answer.error().message;
  }
  std::string read(const std::string& who, const std::string& resource, const std::string& name) {
    bool global = resource == "persistentvolumes" || resource == "nodes";
    return refusal(who, request(Verb::kGet, resource, global ? "" : "default", name));
  }

  loop::Simulation simulation_{7};
  loop::SimulatedLoop& api_loop_ = simulation_.make_loop();
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<ApiServer> server_;
  std::map<std::string, std::unique_ptr<client::ApiTransport>> transports_;
};

TEST_F(NodeRestrictionTest, ANodeReadsWhatItsPodsNeed) {
  for (const auto& [resource, name] :
       std::vector<std::pair<std::string, std::string>>{{"secrets", "mine"},
                                                        {"configmaps", "mine"},
                                                        {"persistentvolumeclaims", "data"},
                                                        {"persistentvolumes", "pv"}}) {
    EXPECT_EQ(read("n1", resource, name), "");
    std::string refused = read("n2", resource, name);
    EXPECT_NE(refused.find("no relationship found between node 'n2' and this object"), std::string::npos) << refused;
  }
  EXPECT_EQ(
      read("n1", "secrets", "others"),
      "secrets \"others\" is forbidden: User \"system:node:n1\" cannot get resource \"secrets\" in API group \"\" "
      "in the namespace \"default\": no relationship found between node 'n1' and this object");
  EXPECT_NE(read("n1", "configmaps", "others"), "");
  Request list = request(Verb::kList, "secrets", "default", "");
  EXPECT_NE(refusal("n1", list), "");
  list.field_selector = "metadata.name=mine";
  EXPECT_EQ(refusal("n1", list), "");
  EXPECT_NE(refusal("n1", request(Verb::kDelete, "secrets", "default", "mine")), "");
}

TEST_F(NodeRestrictionTest, ANodeSeesItsOwnPods) {
  Request list = request(Verb::kList, "pods", "", "");
  EXPECT_NE(refusal("n1", list), "");
  list.field_selector = "spec.nodeName=n2";
  EXPECT_NE(refusal("n1", list), "");
  list.field_selector = "spec.nodeName=n1";
  EXPECT_EQ(refusal("n1", list), "");
  EXPECT_EQ(read("n1", "pods", "p"), "");
  EXPECT_NE(read("n2", "pods", "p"), "");
}

TEST_F(NodeRestrictionTest, ANodeWritesItsOwnPodsOnly) {
  auto status = [&](const std::string& who, std::string_view body) {
    return refusal(who, request(Verb::kPatch, "pods", "default", "p", body, "status"));
  };
  EXPECT_EQ(status("n1", R"({"status":{"message":"m"}})"), "");
  EXPECT_EQ(
      status("n2", R"({"status":{"message":"n"}})"),
      "pods \"p\" is forbidden: node \"n2\" can only update pod status for pods with spec.nodeName set to itself");
  EXPECT_NE(refusal("n1", request(Verb::kPatch, "pods", "default", "p", R"({"metadata":{"labels":{"a":"b"}}})")), "");
  EXPECT_NE(refusal("n1", request(Verb::kCreate, "pods", "default", "",
                                  R"({"metadata":{"name":"q"},"spec":{"nodeName":"n1","containers":[
                                  {"name":"a","image":"b:1"}]}})"))
                .find("can only create mirror pods"),
            std::string::npos);
  EXPECT_EQ(refusal("n2", request(Verb::kCreate, "pods", "default", "p", R"({"metadata":{"name":"p"}})", "eviction")),
            "pods \"p\" is forbidden: node \"n2\" can only evict pods with spec.nodeName set to itself");
  EXPECT_EQ(refusal("n2", request(Verb::kDelete, "pods", "default", "p")),
            "pods \"p\" is forbidden: node \"n2\" can only delete pods with spec.nodeName set to itself");
  // A pod of another life is no longer there, whoever asks.
  EXPECT_TRUE(refusal("n2", request(Verb::kDelete, "pods", "default", "p", R"({"preconditions":{"uid":"x"}})"))
                  .starts_with("not Forbidden"));
  EXPECT_EQ(refusal("n1", request(Verb::kDelete, "pods", "default", "p", R"({"gracePeriodSeconds":0})")), "");
}

TEST_F(NodeRestrictionTest, ANodeIsItself) {
  auto create = [&](const std::string& body) { return refusal("n1", request(Verb::kCreate, "nodes", "", "", body)); };
  EXPECT_EQ(create(R"({"metadata":{"name":"n2"}})"),
            "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"");
  EXPECT_EQ(
      create(R"({"metadata":{"name":"n1","labels":{"node-role.kubernetes.io/x":"","a":"b"}}})"),
      "nodes \"n1\" is forbidden: node \"n1\" is not allowed to set the following labels: node-role.kubernetes.io/x");
  EXPECT_EQ(create(R"({"metadata":{"name":"n1","labels":{"kubernetes.io/os":"linux","disk":"ssd"}}})"), "");
  make("nodes", "", R"({"metadata":{"name":"n2"}})");
  auto patch = [&](const std::string& name, std::string_view body) {
    return refusal("n1", request(Verb::kPatch, "nodes", "", name, body));
  };
  EXPECT_EQ(patch("n1", R"({"metadata":{"labels":{"disk":"hdd"}}})"), "");
  EXPECT_NE(patch("n1", R"({"metadata":{"labels":{"x.node-restriction.kubernetes.io/a":"b"}}})"), "");
  EXPECT_NE(patch("n1", R"({"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}})"), "");
  EXPECT_NE(patch("n2", R"({"metadata":{"labels":{"disk":"hdd"}}})"), "");
  EXPECT_EQ(read("n1", "nodes", "n1"), "");
  EXPECT_NE(read("n1", "nodes", "n2"), "");
  make("namespaces", "", R"({"metadata":{"name":"kube-node-lease"}})");
  auto lease = [&](const std::string& ns, const std::string& name) {
    return refusal("n1", request(Verb::kCreate, "leases", ns, "", R"({"metadata":{"name":")" + name + R"("}})"));
  };
  EXPECT_EQ(lease("kube-node-lease", "n1"), "");
  EXPECT_NE(lease("kube-node-lease", "n2"), "");
  EXPECT_NE(lease("default", "n1"), "");
}

TEST_F(NodeRestrictionTest, ANodeAsksForTokensOfItsPods) {
  std::string uid(call("admin", request(Verb::kGet, "pods", "default", "p"))->object->uid());
  auto ask = [&](const std::string& who, const std::string& account, const std::string& reference) {
    return refusal(who, request(Verb::kCreate, "serviceaccounts", "default", account,
                                R"({"spec":{"expirationSeconds":600)" + reference + "}}", "token"));
  };
  std::string bound = R"(,"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p","uid":")";
  EXPECT_EQ(ask("n1", "app", bound + uid + "\"}"), "");
  EXPECT_EQ(ask("n1", "app", ""), "serviceaccounts \"app\" is forbidden: node requested token not bound to a pod");
  EXPECT_EQ(ask("n1", "app", bound + "\"}"),
            "serviceaccounts \"app\" is forbidden: node requested token with a pod binding without a uid");
  EXPECT_TRUE(ask("n1", "app", bound + "x\"}").starts_with("not Forbidden: the UID in the bound object reference (x)"));
  EXPECT_NE(ask("n2", "app", bound + uid + "\"}").find("no relationship"), std::string::npos);
  EXPECT_NE(ask("n1", "default", bound + uid + "\"}").find("no relationship"), std::string::npos);
}

}  // namespace
}  // namespace stead::apiserver
