// The verbs, through an in-process transport, over the memory store in virtual time.

#include "apiserver/api_server.h"

#include <gtest/gtest.h>

#include "client/informer.h"
#include "loop/simulated_loop.h"
#include "object/codec.h"
#include "store/memory/memory_store.h"

namespace stead::apiserver {
namespace {

using client::PatchType;
using client::Request;
using client::Verb;

Value json(std::string_view text) {
  Result<Value> value = object::parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Value();
}

class ApiServerTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open_memory_store(api_loop_);
    cache_ = std::move(*cache::Cache::open(*store_, api_loop_));
    server_ = std::move(*ApiServer::make(*store_, *cache_, api_loop_, simulation_.random(), {}));
    transport_ = server_->transport({"tester", "", {"system:masters"}}, loop_);
    ASSERT_TRUE(create("", "namespaces", "", R"({"metadata":{"name":"default"}})").ok());
  }

  Result<Response> call(Request request) {
    std::optional<Result<Response>> answer;
    transport_->call(std::move(request), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
    if (!answer) return make_error(Reason::kTimeout, "no answer");
    return std::move(*answer);
  }

  static Request request(Verb verb, std::string group, std::string resource, std::string ns, std::string name = {}) {
    Request made;
    made.verb = verb;
    made.group = std::move(group);
    made.resource = std::move(resource);
    made.ns = std::move(ns);
    made.name = std::move(name);
    return made;
  }

  Result<Response> create(std::string group, std::string resource, std::string ns, std::string_view body) {
    Request made = request(Verb::kCreate, std::move(group), std::move(resource), std::move(ns));
    made.body = json(body);
    return call(std::move(made));
  }

  Result<Response> create_pod(const std::string& name, const std::string& more = {}) {
    return create(
        "", "pods", "default",
        R"({"metadata":{"name":")" + name + R"("},"spec":{)" + more + R"("containers":[{"name":"a","image":"b:1"}]}})");
  }

  Result<Response> patch(const std::string& resource, const std::string& name, PatchType type, std::string_view body,
                         const std::string& subresource = {}) {
    Request made = request(Verb::kPatch, "", resource, "default", name);
    made.patch_type = type;
    made.subresource = subresource;
    made.body = json(body);
    return call(std::move(made));
  }

  Result<Response> remove(const std::string& resource, const std::string& name, std::string_view options = "{}") {
    Request made = request(Verb::kDelete, "", resource, "default", name);
    made.body = json(options);
    return call(std::move(made));
  }

  Result<Response> get(const std::string& resource, const std::string& name) {
    return call(request(Verb::kGet, "", resource, "default", name));
  }

  loop::Simulation simulation_{7};
  loop::SimulatedLoop& api_loop_ = simulation_.make_loop();
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<client::ApiTransport> transport_;
};

TEST_F(ApiServerTest, CreateFillsServerOwnedMetadataAndRefusesASecond) {
  auto made = create("", "configmaps", "default", R"({"metadata":{"name":"a"},"data":{"k":"v"}})");
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(made->created);
  EXPECT_EQ(made->object->uid().size(), 36U);
  EXPECT_FALSE(made->object->metadata().at("creationTimestamp").as_string().empty());
  EXPECT_EQ(made->object->metadata().at("resourceVersion").as_string(), std::to_string(made->object->revision()));
  auto again = create("", "configmaps", "default", R"({"metadata":{"name":"a"}})");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason, Reason::kAlreadyExists);
  EXPECT_EQ(again.error().message, "configmaps \"a\" already exists");
}

TEST_F(ApiServerTest, GenerateNameAddsFiveCharacters) {
  auto made = create("", "configmaps", "default", R"({"metadata":{"generateName":"a-"}})");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->object->name().size(), 7U);
  EXPECT_TRUE(made->object->name().starts_with("a-"));
}

TEST_F(ApiServerTest, CreateNeedsItsNamespace) {
  auto made = create("", "configmaps", "nowhere", R"({"metadata":{"name":"a"}})");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().message, "namespaces \"nowhere\" not found");
  auto other = create("", "configmaps", "default", R"({"metadata":{"name":"a","namespace":"other"}})");
  EXPECT_EQ(other.error().reason, Reason::kBadRequest);
}

TEST_F(ApiServerTest, DryRunStoresNothing) {
  Request made = request(Verb::kCreate, "", "configmaps", "default");
  made.body = json(R"({"metadata":{"name":"a"}})");
  made.dry_run = true;
  EXPECT_TRUE(call(made).ok());
  EXPECT_EQ(get("configmaps", "a").error().reason, Reason::kNotFound);
}

TEST_F(ApiServerTest, UnknownFieldsAreRefusedWhenStrictAndWarnedOfOtherwise) {
  Request made = request(Verb::kCreate, "", "configmaps", "default");
  made.body = json(R"({"metadata":{"name":"a"},"dta":{}})");
  made.field_validation = "Strict";
  auto strict = call(made);
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().reason, Reason::kBadRequest);
  EXPECT_NE(strict.error().message.find("unknown field \"dta\""), std::string::npos) << strict.error().message;
  made.field_validation.clear();
  auto warned = call(made);
  ASSERT_TRUE(warned.ok());
  EXPECT_EQ(warned->warnings, (std::vector<std::string>{"unknown field \"dta\""}));
}

TEST_F(ApiServerTest, UpdateOfAnOldRevisionConflictsAndOneWithoutDoesNot) {
  auto made = create("", "configmaps", "default", R"({"metadata":{"name":"a"},"data":{"k":"1"}})");
  Value first = made->object->document();
  Request update = request(Verb::kUpdate, "", "configmaps", "default", "a");
  update.body = first;
  update.body.set({"data", "k"}, "2");
  auto second = call(update);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_GT(second->object->revision(), made->object->revision());
  auto stale = call(update);
  ASSERT_FALSE(stale.ok());
  EXPECT_EQ(stale.error().reason, Reason::kConflict);
  update.body["metadata"].erase("resourceVersion");
  update.body.set({"data", "k"}, "3");
  EXPECT_TRUE(call(update).ok());
}

TEST_F(ApiServerTest, AnUpdateThatChangesNothingKeepsTheRevision) {
  auto made = create("", "configmaps", "default", R"({"metadata":{"name":"a"},"data":{"k":"1"}})");
  Request update = request(Verb::kUpdate, "", "configmaps", "default", "a");
  update.body = made->object->document();
  auto same = call(update);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->object->revision(), made->object->revision());
}

TEST_F(ApiServerTest, StatusAndSpecAreWrittenApart) {
  ASSERT_TRUE(
      create("apps", "statefulsets", "default",
             R"({"metadata":{"name":"s"},"spec":{"serviceName":"x","selector":{"matchLabels":{"a":"b"}},"template":{
                     "metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"d"}]}}},"status":{"replicas":9}})")
          .ok());
  Request read = request(Verb::kGet, "apps", "statefulsets", "default", "s");
  EXPECT_EQ(call(read)->object->status().at("replicas").as_int(), 0);
  EXPECT_EQ(call(read)->object->metadata().at("generation").as_int(), 1);
  Request write = request(Verb::kPatch, "apps", "statefulsets", "default", "s");
  write.subresource = "status";
  write.body = json(R"({"status":{"replicas":2},"spec":{"replicas":7}})");
  ASSERT_TRUE(call(write).ok());
  EXPECT_EQ(call(read)->object->status().at("replicas").as_int(), 2);
  EXPECT_EQ(call(read)->object->spec().at("replicas").as_int(), 1);
  EXPECT_EQ(call(read)->object->metadata().at("generation").as_int(), 1);
  write.subresource.clear();
  ASSERT_TRUE(call(write).ok());
  EXPECT_EQ(call(read)->object->spec().at("replicas").as_int(), 7);
  EXPECT_EQ(call(read)->object->metadata().at("generation").as_int(), 2);
}

TEST_F(ApiServerTest, ScaleReadsAndWritesReplicas) {
  ASSERT_TRUE(
      create("apps", "statefulsets", "default",
             R"({"metadata":{"name":"s"},"spec":{"serviceName":"x","selector":{"matchLabels":{"a":"b"}},"template":{
                     "metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"d"}]}}}})")
          .ok());
  Request scale = request(Verb::kPatch, "apps", "statefulsets", "default", "s");
  scale.subresource = "scale";
  scale.body = json(R"({"spec":{"replicas":5}})");
  auto scaled = call(scale);
  ASSERT_TRUE(scaled.ok()) << scaled.error().message;
  EXPECT_EQ(scaled->object->document().at("kind").as_string(), "Scale");
  EXPECT_EQ(scaled->object->document().at({"status", "selector"}).as_string(), "a=b");
  scale.body = json(R"({"spec":{"replicas":-1}})");
  EXPECT_EQ(call(scale).error().reason, Reason::kInvalid);
}

TEST_F(ApiServerTest, APodWithoutNodeGoesAtOnceAndOneWithANodeIsMarkedFirst) {
  ASSERT_TRUE(create_pod("free").ok());
  auto gone = remove("pods", "free");
  ASSERT_TRUE(gone.ok());
  EXPECT_TRUE(gone->deleted);

  ASSERT_TRUE(create_pod("bound", R"("nodeName":"n1","terminationGracePeriodSeconds":7,)").ok());
  auto marked = remove("pods", "bound");
  ASSERT_TRUE(marked.ok());
  EXPECT_FALSE(marked->deleted);
  auto pod = get("pods", "bound");
  EXPECT_EQ(pod->object->metadata().at("deletionGracePeriodSeconds").as_int(), 7);
  EXPECT_TRUE(pod->object->deleting());
  // A longer grace does not buy time; none at all ends it.
  ASSERT_TRUE(remove("pods", "bound", R"({"gracePeriodSeconds":60})").ok());
  EXPECT_EQ(get("pods", "bound")->object->metadata().at("deletionGracePeriodSeconds").as_int(), 7);
  ASSERT_TRUE(remove("pods", "bound", R"({"gracePeriodSeconds":0})")->deleted);
  EXPECT_EQ(get("pods", "bound").error().reason, Reason::kNotFound);
}

TEST_F(ApiServerTest, FinalizersHoldAnObjectUntilTheLastIsGone) {
  ASSERT_TRUE(
      create("", "configmaps", "default", R"({"metadata":{"name":"a","finalizers":["x.dev/one","x.dev/two"]}})").ok());
  EXPECT_FALSE(remove("configmaps", "a")->deleted);
  EXPECT_TRUE(get("configmaps", "a")->object->deleting());
  auto one = patch("configmaps", "a", PatchType::kMerge, R"({"metadata":{"finalizers":["x.dev/two"]}})");
  EXPECT_FALSE(one->deleted);
  auto none = patch("configmaps", "a", PatchType::kMerge, R"({"metadata":{"finalizers":null}})");
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_TRUE(none->deleted);
  EXPECT_EQ(get("configmaps", "a").error().reason, Reason::kNotFound);
}

TEST_F(ApiServerTest, DeletePreconditionsAreHeld) {
  auto made = create("", "configmaps", "default", R"({"metadata":{"name":"a"}})");
  auto refused = remove("configmaps", "a", R"({"preconditions":{"uid":"other"}})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kConflict);
  std::string uid(made->object->uid());
  EXPECT_TRUE(remove("configmaps", "a", R"({"preconditions":{"uid":")" + uid + R"("}})").ok());
}

TEST_F(ApiServerTest, BindingGivesAPodItsNodeOnce) {
  ASSERT_TRUE(create_pod("p").ok());
  Request bind = request(Verb::kCreate, "", "pods", "default", "p");
  bind.subresource = "binding";
  bind.body = json(R"({"target":{"kind":"Node","name":"n1"}})");
  ASSERT_TRUE(call(bind).ok());
  EXPECT_EQ(get("pods", "p")->object->spec().at("nodeName").as_string(), "n1");
  auto again = call(bind);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason, Reason::kConflict);
}

TEST_F(ApiServerTest, ListsSelectAndContinueOverOneSnapshot) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(create("", "configmaps", "default",
                       R"({"metadata":{"name":"c)" + std::to_string(i) + R"(","labels":{"odd":")" +
                           (i % 2 == 1 ? "yes" : "no") + R"("}}})")
                    .ok());
  }
  Request list = request(Verb::kList, "", "configmaps", "default");
  list.label_selector = "odd=yes";
  EXPECT_EQ(call(list)->items.size(), 5U);
  list.label_selector.clear();
  list.field_selector = "metadata.name=c3";
  EXPECT_EQ(call(list)->items.size(), 1U);
  list.field_selector = "data.k=v";
  EXPECT_EQ(call(list).error().reason, Reason::kBadRequest);
  list.field_selector.clear();
  list.limit = 4;
  auto page = call(list);
  ASSERT_EQ(page->items.size(), 4U);
  ASSERT_FALSE(page->continue_token.empty());
  // What changes between pages does not show.
  ASSERT_TRUE(remove("configmaps", "c7").ok());
  std::vector<std::string> names;
  for (const auto& item : page->items) names.emplace_back(item->name());
  while (!page->continue_token.empty()) {
    list.continue_token = page->continue_token;
    page = call(list);
    ASSERT_TRUE(page.ok()) << page.error().message;
    for (const auto& item : page->items) names.emplace_back(item->name());
  }
  EXPECT_EQ(names.size(), 10U);
  list.continue_token = "nonsense!";
  EXPECT_EQ(call(list).error().reason, Reason::kBadRequest);
}

class Recorder final : public client::WatchSink {
 public:
  void on_events(std::vector<client::WatchEvent> events) override {
    for (const auto& event : events) {
      static constexpr std::string_view kTypes[] = {"+", "~", "-", "."};
      seen.push_back(std::string(kTypes[static_cast<int>(event.type)]) +
                     (event.object ? std::string(event.object->name()) : ""));
    }
  }
  void on_end(Error error) override { ended = error.reason; }
  std::vector<std::string> seen;
  std::optional<Reason> ended;
};

TEST_F(ApiServerTest, WatchesSeeWhatTheirSelectionSees) {
  ASSERT_TRUE(create("", "configmaps", "default", R"({"metadata":{"name":"a","labels":{"in":"yes"}}})").ok());
  Request watch = request(Verb::kWatch, "", "configmaps", "default");
  watch.label_selector = "in=yes";
  auto recorder = std::make_shared<Recorder>();
  auto handle = transport_->watch(watch, recorder);
  simulation_.run_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(create("", "configmaps", "default", R"({"metadata":{"name":"b"}})").ok());
  ASSERT_TRUE(patch("configmaps", "b", PatchType::kMerge, R"({"metadata":{"labels":{"in":"yes"}}})").ok());
  ASSERT_TRUE(patch("configmaps", "b", PatchType::kMerge, R"({"data":{"k":"v"}})").ok());
  ASSERT_TRUE(patch("configmaps", "b", PatchType::kMerge, R"({"metadata":{"labels":{"in":"no"}}})").ok());
  ASSERT_TRUE(remove("configmaps", "a").ok());
  EXPECT_EQ(recorder->seen, (std::vector<std::string>{"+a", "+b", "~b", "-b", "-a"}));
  handle.reset();
  ASSERT_TRUE(create("", "configmaps", "default", R"({"metadata":{"name":"c","labels":{"in":"yes"}}})").ok());
  EXPECT_EQ(recorder->seen.size(), 5U);
}

TEST_F(ApiServerTest, OldVersionsAreAcceptedWithTheirOwnDefaultsAndAWarning) {
  Request made = request(Verb::kCreate, "apps", "statefulsets", "default");
  made.version = "v1beta1";
  made.body =
      json(R"({"apiVersion":"apps/v1beta1","kind":"StatefulSet","metadata":{"name":"s"},"spec":{"serviceName":"x",
      "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"d"}]}}}})");
  auto stored = call(made);
  ASSERT_TRUE(stored.ok()) << stored.error().message;
  ASSERT_EQ(stored->warnings.size(), 1U);
  EXPECT_NE(stored->warnings[0].find("apps/v1"), std::string::npos);
  EXPECT_EQ(stored->object->spec().at({"updateStrategy", "type"}).as_string(), "OnDelete");
  EXPECT_EQ(stored->object->spec().at({"selector", "matchLabels", "a"}).as_string(), "b");
}

TEST_F(ApiServerTest, AnOldVersionOfAnotherGroupIsTheSameObject) {
  Request old = request(Verb::kCreate, "extensions", "deployments", "default");
  old.version = "v1beta1";
  old.body = json(R"({"apiVersion":"extensions/v1beta1","kind":"Deployment","metadata":{"name":"web"},"spec":{
    "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"a","image":"b"}]}}}})");
  Result<Response> created = call(old);
  ASSERT_TRUE(created.ok()) << created.error().message;
  ASSERT_EQ(created->warnings.size(), 1u);
  EXPECT_EQ(created->warnings[0],
            "extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 Deployment");
  Result<Response> current = call(request(Verb::kGet, "apps", "deployments", "default", "web"));
  ASSERT_TRUE(current.ok());
  EXPECT_EQ(current->object->document().at("apiVersion").as_string(), "apps/v1");
  EXPECT_EQ(current->object->uid(), created->object->uid());
  old.body = json(R"({"metadata":{"name":"web"},"spec":{"template":{}}})");
  Result<Response> wrong = call(old);
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("Deployment.extensions \"web\" is invalid"), std::string::npos)
      << wrong.error().message;
  old.version = "v1";
  EXPECT_EQ(call(old).error().reason, Reason::kNotFound);
}

TEST_F(ApiServerTest, ServicesGetAddressesOfTheirOwn) {
  const char* body = R"({"metadata":{"generateName":"s"},"spec":{"ports":[{"port":80}]}})";
  auto one = create("", "services", "default", body);
  auto two = create("", "services", "default", body);
  ASSERT_TRUE(one.ok() && two.ok());
  std::string first(one->object->spec().at("clusterIP").as_string());
  EXPECT_TRUE(first.starts_with("10.43."));
  EXPECT_NE(first, two->object->spec().at("clusterIP").as_string());
  auto taken = create("", "services", "default",
                      R"({"metadata":{"name":"t"},"spec":{"clusterIP":")" + first + R"(","ports":[{"port":80}]}})");
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().reason, Reason::kInvalid);
  auto outside = create("", "services", "default",
                        R"({"metadata":{"name":"t"},"spec":{"clusterIP":"10.99.0.1","ports":[{"port":80}]}})");
  EXPECT_EQ(outside.error().reason, Reason::kInvalid);
}

TEST_F(ApiServerTest, AStrangerMayDoNothing) {
  auto stranger = server_->transport({"eve", "", {"system:authenticated"}}, loop_);
  std::optional<Result<Response>> answer;
  stranger->call(request(Verb::kList, "", "pods", "default"),
                 [&](Result<Response> response) { answer = std::move(response); });
  simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(1));
  ASSERT_TRUE(answer && !answer->ok());
  EXPECT_EQ(
      answer->error().message,
      "pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"");
}

// Rights from roles: read where they were given, refused where not, and gone with the binding.
TEST_F(ApiServerTest, RolesGrantAndTheirEndTakesAway) {
  auto ann = server_->transport({"ann", "", {"system:authenticated"}}, loop_);
  auto as_ann = [&](Request made) {
    std::optional<Result<Response>> answer;
    ann->call(std::move(made), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(1));
    return answer ? std::move(*answer) : Result<Response>(make_error(Reason::kTimeout, "no answer"));
  };
  Request list = request(Verb::kList, "", "pods", "default");
  constexpr std::string_view kGroup = "rbac.authorization.k8s.io";
  ASSERT_TRUE(create(std::string(kGroup), "roles", "default",
                     R"({"metadata":{"name":"r"},"rules":[{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}]})")
                  .ok());
  EXPECT_EQ(as_ann(list).error().reason, Reason::kForbidden);
  ASSERT_TRUE(create(std::string(kGroup), "rolebindings", "default",
                     R"({"metadata":{"name":"b"},"subjects":[{"kind":"User","name":"ann"}],
                         "roleRef":{"kind":"Role","name":"r"}})")
                  .ok());
  EXPECT_TRUE(as_ann(list).ok());
  EXPECT_EQ(as_ann(request(Verb::kList, "", "pods", "")).error().reason, Reason::kForbidden);
  EXPECT_EQ(as_ann(request(Verb::kList, "", "secrets", "default")).error().reason, Reason::kForbidden);
  Request end = request(Verb::kDelete, std::string(kGroup), "roles", "default", "r");
  end.body = json("{}");
  ASSERT_TRUE(call(end).ok());
  EXPECT_EQ(as_ann(list).error().message,
            "pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace "
            "\"default\": RBAC: role.rbac.authorization.k8s.io \"r\" not found");
}

TEST_F(ApiServerTest, NobodyGrantsWhatTheyDoNotHold) {
  const std::string kGroup = "rbac.authorization.k8s.io";
  constexpr std::string_view kRoles =
      R"({"metadata":{"name":"roles"},"rules":[{"verbs":["*"],"apiGroups":["rbac.authorization.k8s.io"],
          "resources":["roles","rolebindings"]},{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]})";
  ASSERT_TRUE(create(kGroup, "clusterroles", "", kRoles).ok());
  ASSERT_TRUE(create(kGroup, "rolebindings", "default",
                     R"({"metadata":{"name":"b"},"subjects":[{"kind":"User","name":"ann"}],
                         "roleRef":{"kind":"ClusterRole","name":"roles"}})")
                  .ok());
  Request take = request(Verb::kPatch, kGroup, "clusterroles", "", "roles");
  // Without the verbs that stand above rights.
  take.body = json(R"({"rules":[{"verbs":["create","update","patch"],"apiGroups":["rbac.authorization.k8s.io"],
          "resources":["roles","rolebindings"]},{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]})");
  ASSERT_TRUE(call(take).ok());
  auto ann = server_->transport({"ann", "", {"system:authenticated"}}, loop_);
  auto as_ann = [&](const std::string& resource, std::string_view body) {
    Request made = request(Verb::kCreate, kGroup, resource, "default");
    made.body = json(body);
    std::optional<Result<Response>> answer;
    ann->call(std::move(made), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(1));
    return answer ? std::move(*answer) : Result<Response>(make_error(Reason::kTimeout, "no answer"));
  };
  EXPECT_TRUE(as_ann("roles", R"({"metadata":{"name":"small"},"rules":[
      {"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["x"]}]})")
                  .ok());
  auto more = as_ann("roles", R"({"metadata":{"name":"more"},"rules":[
      {"verbs":["list","get"],"apiGroups":[""],"resources":["pods"]}]})");
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(
      more.error().message,
      "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"ann\" (groups=[\"system:authenticated\"]) is "
      "attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], "
      "Verbs:[\"list\"]}");
  auto gone = as_ann("rolebindings", R"({"metadata":{"name":"c"},"roleRef":{"kind":"Role","name":"none"}})");
  EXPECT_EQ(gone.error().reason, Reason::kNotFound);
  EXPECT_TRUE(
      as_ann("rolebindings", R"({"metadata":{"name":"d"},"roleRef":{"kind":"ClusterRole","name":"roles"}})").ok());
}

// From the token of a pod to what its bearer is, as long as the pod lives.
TEST_F(ApiServerTest, BoundTokensHoldAsLongAsTheirPod) {
  ASSERT_TRUE(create("", "serviceaccounts", "default", R"({"metadata":{"name":"default"}})").ok());
  ASSERT_TRUE(create_pod("p").ok());
  Request ask = request(Verb::kCreate, "", "serviceaccounts", "default", "default");
  ask.subresource = "token";
  ask.body = json(R"({"spec":{"expirationSeconds":600,"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}}})");
  auto given = call(ask);
  ASSERT_TRUE(given.ok()) << given.error().message;
  std::string token(given->object->status().at("token").as_string());
  auto review = [&](const std::string& of, std::string_view audiences = "[]") {
    auto answered = create("authentication.k8s.io", "tokenreviews", "",
                           R"({"spec":{"token":")" + of + R"(","audiences":)" + std::string(audiences) + "}}");
    EXPECT_TRUE(answered.ok()) << answered.error().message;
    return answered->object->status();
  };
  Value status = review(token);
  EXPECT_TRUE(status.at("authenticated").as_bool()) << object::to_json(status);
  EXPECT_EQ(status.at({"user", "username"}).as_string(), "system:serviceaccount:default:default");
  EXPECT_EQ(status.at({"user", "groups"}).items()[1].as_string(), "system:serviceaccounts:default");
  EXPECT_EQ(status.at({"user", "extra", "authentication.kubernetes.io/pod-name"}).items()[0].as_string(), "p");
  EXPECT_FALSE(review(token, R"(["other"])").at("authenticated").as_bool());
  std::string forged = token;
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'a' ? 'b' : 'a';
  EXPECT_FALSE(review(forged).at("authenticated").as_bool());
  EXPECT_TRUE(review(token).at("authenticated").as_bool());
  simulation_.run_for(std::chrono::seconds(601));
  EXPECT_EQ(review(token).at("error").as_string(), "service account token has expired");
  std::string second(call(ask)->object->status().at("token").as_string());
  EXPECT_TRUE(review(second).at("authenticated").as_bool());
  ASSERT_TRUE(remove("pods", "p").ok());
  EXPECT_EQ(review(second).at("error").as_string(), "pod \"p\" of the token has been deleted");
  ask.body = json(R"({"spec":{"expirationSeconds":5}})");
  EXPECT_EQ(call(ask).error().reason, Reason::kInvalid);
  ask.name = "nobody";
  EXPECT_EQ(call(ask).error().reason, Reason::kNotFound);
}

TEST_F(ApiServerTest, PodsGetWhatTheirAccountBrings) {
  ASSERT_TRUE(
      create("", "serviceaccounts", "default", R"({"metadata":{"name":"a"},"imagePullSecrets":[{"name":"s"}]})").ok());
  ASSERT_TRUE(
      create("", "serviceaccounts", "default", R"({"metadata":{"name":"quiet"},"automountServiceAccountToken":false})")
          .ok());
  auto made = create_pod("p", R"("serviceAccountName":"a",)");
  ASSERT_TRUE(made.ok()) << made.error().message;
  const Value& spec = made->object->spec();
  EXPECT_EQ(spec.at("imagePullSecrets").items()[0].at("name").as_string(), "s");
  ASSERT_EQ(spec.at("volumes").size(), 1U);
  std::string_view volume = spec.at("volumes").items()[0].at("name").as_string();
  EXPECT_TRUE(volume.starts_with("kube-api-access-"));
  const Value& mount = spec.at("containers").items()[0].at("volumeMounts").items()[0];
  EXPECT_EQ(mount.at("name").as_string(), volume);
  EXPECT_EQ(mount.at("mountPath").as_string(), "/var/run/secrets/kubernetes.io/serviceaccount");
  EXPECT_TRUE(create_pod("q", R"("serviceAccountName":"quiet",)")->object->spec().at("volumes").empty());
  EXPECT_FALSE(create_pod("r", R"("serviceAccountName":"quiet","automountServiceAccountToken":true,)")
                   ->object->spec()
                   .at("volumes")
                   .empty());
  auto nobody = create_pod("s", R"("serviceAccountName":"nobody",)");
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().message,
            "pods \"s\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not "
            "found");
  auto secret = create("", "secrets", "default", R"({"metadata":{"name":"t","annotations":{
      "kubernetes.io/service-account.name":"a"}},"type":"kubernetes.io/service-account-token"})");
  ASSERT_TRUE(secret.ok()) << secret.error().message;
  EXPECT_FALSE(secret->object->document().at({"data", "token"}).as_string().empty());
}

TEST_F(ApiServerTest, ReviewsAnswerAndAreNotKept) {
  const std::string kGroup = "authorization.k8s.io";
  auto asked = create(kGroup, "subjectaccessreviews", "",
                      R"({"spec":{"user":"ann","resourceAttributes":{"verb":"get","resource":"pods"}}})");
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  EXPECT_FALSE(asked->object->status().at("allowed").as_bool(true));
  asked = create(kGroup, "selfsubjectaccessreviews", "",
                 R"({"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}})");
  EXPECT_TRUE(asked->object->status().at("allowed").as_bool());
  asked = create(kGroup, "subjectaccessreviews", "", R"({"spec":{}})");
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().causes.size(), 2U);
  asked = create(kGroup, "localsubjectaccessreviews", "default",
                 R"({"spec":{"user":"ann","resourceAttributes":{"verb":"get","resource":"pods","namespace":"x"}}})");
  EXPECT_FALSE(asked.ok());
  asked = create(kGroup, "selfsubjectrulesreviews", "", R"({"spec":{"namespace":"default"}})");
  EXPECT_FALSE(asked->object->status().at("resourceRules").empty());
  asked = create("authentication.k8s.io", "selfsubjectreviews", "", "{}");
  EXPECT_EQ(asked->object->status().at({"userInfo", "username"}).as_string(), "tester");
  Request list = request(Verb::kList, kGroup, "subjectaccessreviews", "");
  EXPECT_EQ(call(list).error().reason, Reason::kMethodNotAllowed);
}

TEST_F(ApiServerTest, InformersFollowWithoutLosingAChange) {
  client::Informer informer(*transport_, loop_, {"", "configmaps"});
  informer.start();
  simulation_.run_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(informer.synced());
  ASSERT_TRUE(create("", "configmaps", "default", R"({"metadata":{"name":"a"}})").ok());
  // The event of a write comes before its answer.
  ASSERT_NE(informer.get("default", "a"), nullptr);
  ASSERT_TRUE(remove("configmaps", "a").ok());
  EXPECT_EQ(informer.get("default", "a"), nullptr);
}

}  // namespace
}  // namespace stead::apiserver
