#include "kinds/descriptors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kinds/views/apps.h"
#include "kinds/views/core.h"
#include "object/codec.h"

namespace stead::kinds {
namespace {

using object::Field;
using object::ListType;
using object::MergeStrategy;
using object::Message;
using object::Type;
using object::TypeRef;
using object::Value;
using testing::ElementsAre;

const Field& field(std::string_view package, std::string_view message, std::string_view name) {
  const Message* found = find_message(package, message);
  if (found == nullptr || found->find(name) == nullptr) {
    ADD_FAILURE() << package << "." << message << "." << name << " is not declared";
    static const Field kNone;
    return kNone;
  }
  return *found->find(name);
}

bool fits(const Value& value, const TypeRef& type) {
  switch (type.type) {
    case Type::kString:
    case Type::kBytes:
    case Type::kTime:
    case Type::kMicroTime:
    case Type::kDuration:
    case Type::kQuantity:
      return value.is_string();
    case Type::kBool:
      return value.is_bool();
    case Type::kInt32:
    case Type::kInt64:
      return value.is_int();
    case Type::kDouble:
      return value.is_number();
    case Type::kIntOrString:
      return value.is_int() || value.is_string();
    case Type::kRaw:
      return true;
    case Type::kList:
      return value.is_array();
    case Type::kMap:
      return value.is_object();
    case Type::kMessage:
      if (!value.is_object()) return false;
      for (const object::Member& member : value.members()) {
        const Field* inner = type.message->find(member.name());
        if (inner == nullptr || !fits(member.value, inner->type)) return false;
      }
      return true;
  }
  return false;
}

TEST(Descriptors, HoldTheDeclaredFacts) {
  const Field& replicas = field("apps.v1", "StatefulSetSpec", "replicas");
  EXPECT_EQ(replicas.number, 1u);
  EXPECT_EQ(replicas.type.type, Type::kInt32);
  EXPECT_TRUE(replicas.pointer);
  ASSERT_NE(replicas.default_value, nullptr);
  EXPECT_EQ(replicas.default_value->as_int(), 1);
  EXPECT_TRUE(replicas.has_minimum);

  const Field& containers = field("core.v1", "PodSpec", "containers");
  EXPECT_TRUE(containers.required);
  EXPECT_EQ(containers.type.type, Type::kList);
  EXPECT_EQ(containers.type.element->message, find_message("core.v1", "Container"));
  EXPECT_EQ(containers.list_type, ListType::kMap);
  EXPECT_THAT(containers.list_map_keys, ElementsAre("name"));
  EXPECT_EQ(containers.patch_strategy, MergeStrategy::kMerge);
  EXPECT_EQ(containers.patch_merge_key, "name");

  const Field& ports = field("core.v1", "Container", "ports");
  EXPECT_EQ(ports.patch_merge_key, "containerPort");
  EXPECT_THAT(ports.list_map_keys, ElementsAre("containerPort", "protocol"));

  EXPECT_EQ(field("core.v1", "PodSpec", "volumes").patch_strategy, MergeStrategy::kMergeRetainKeys);
  EXPECT_THAT(field("core.v1", "PodSpec", "restartPolicy").enum_values, ElementsAre("Always", "OnFailure", "Never"));
  EXPECT_EQ(field("core.v1", "Secret", "data").type.element->type, Type::kBytes);
  EXPECT_FALSE(field("apps.v1", "StatefulSetStatus", "replicas").omit_empty);
  EXPECT_TRUE(field("apps.v1", "StatefulSetStatus", "replicas").schema_required);
}

TEST(Descriptors, FieldsOfAnEmbeddedMessageRememberItsNumber) {
  const Field& empty_dir = field("core.v1", "Volume", "emptyDir");
  EXPECT_EQ(empty_dir.embedded, 2u);
  EXPECT_EQ(empty_dir.number, 2u);
  EXPECT_EQ(field("core.v1", "Volume", "name").embedded, 0u);
}

TEST(Descriptors, KindsAcceptApiVersionAndKind) {
  for (const char* name : {"apiVersion", "kind"}) {
    EXPECT_EQ(field("core.v1", "Pod", name).number, 0u);
    EXPECT_EQ(field("core.v1", "Pod", name).type.type, Type::kString);
  }
}

TEST(Descriptors, AnOldVersionDiffersWhereItSaysSo) {
  const Message* old = find_message("apps.v1beta1", "StatefulSetSpec");
  ASSERT_NE(old, nullptr);
  EXPECT_EQ(old->package, "io.k8s.api.apps.v1beta1");
  EXPECT_FALSE(old->find("selector")->required);
  EXPECT_EQ(field("apps.v1beta1", "StatefulSetUpdateStrategy", "type").default_value->as_string(), "OnDelete");
  EXPECT_EQ(field("apps.v1beta2", "StatefulSetUpdateStrategy", "type").default_value->as_string(), "RollingUpdate");
  EXPECT_EQ(old->find("updateStrategy")->type.message, find_message("apps.v1beta1", "StatefulSetUpdateStrategy"));
  EXPECT_EQ(old->find("template")->type.message, find_message("core.v1", "PodTemplateSpec"));
}

TEST(Descriptors, NumbersAreUniqueAndDefaultsFit) {
  for (const Message& message : messages()) {
    std::set<std::pair<uint32_t, uint32_t>> numbers;
    for (const Field& each : message.fields) {
      std::string where = std::string(message.package) + "." + std::string(message.name) + "." + std::string(each.name);
      if (each.number != 0) {
        EXPECT_TRUE(numbers.insert({each.embedded, each.number}).second) << where;
      }
      if (each.default_value != nullptr) {
        EXPECT_TRUE(fits(*each.default_value, each.type)) << where;
      }
      if (each.list_type == ListType::kMap) {
        EXPECT_FALSE(each.list_map_keys.empty()) << where;
      }
    }
  }
}

TEST(Descriptors, EverythingIsDocumented) {
  for (const Message& message : messages()) {
    EXPECT_FALSE(message.doc.empty()) << message.package << "." << message.name;
    for (const Field& each : message.fields) {
      EXPECT_FALSE(each.doc.empty()) << message.package << "." << message.name << "." << each.name;
    }
  }
}

// A set as `kubectl apply` sends it comes out as the reference server shows it.
TEST(Descriptors, ShapeAndDefaultsCompleteAStatefulSet) {
  Value set = *object::parse_json(R"({"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"web"},"spec":{
      "selector":{"matchLabels":{"app":"web"}},"serviceName":"web",
      "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"a","image":"b",
        "ports":[{"containerPort":80}],"readinessProbe":{"httpGet":{"port":80}}}]}},
      "volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"]}}]}})");
  const Message* message = find_message("apps.v1", "StatefulSet");
  ASSERT_TRUE(object::shape(set, *message).ok());
  object::apply_defaults(set, *message);
  apps::StatefulSetView view(set);
  EXPECT_EQ(view.spec().replicas(), 1);
  EXPECT_EQ(view.spec().pod_management_policy(), "OrderedReady");
  EXPECT_EQ(view.spec().update_strategy().type(), "RollingUpdate");
  EXPECT_EQ(view.spec().update_strategy().rolling_update().partition(), 0);
  EXPECT_EQ(view.spec().revision_history_limit(), 10);
  EXPECT_EQ(view.spec().persistent_volume_claim_retention_policy().when_deleted(), "Retain");
  EXPECT_EQ(view.spec().volume_claim_templates()[0].spec().volume_mode(), "Filesystem");
  EXPECT_EQ(view.spec().volume_claim_templates()[0].status().phase(), "Pending");
  core::PodSpecView pod = view.spec().template_().spec();
  EXPECT_EQ(pod.restart_policy(), "Always");
  EXPECT_EQ(pod.dns_policy(), "ClusterFirst");
  EXPECT_EQ(pod.termination_grace_period_seconds(), 30);
  EXPECT_EQ(pod.scheduler_name(), "default-scheduler");
  EXPECT_TRUE(pod.security_context());
  core::ContainerView container = pod.containers()[0];
  EXPECT_EQ(container.termination_message_path(), "/dev/termination-log");
  EXPECT_EQ(container.ports()[0].protocol(), "TCP");
  EXPECT_EQ(container.readiness_probe().period_seconds(), 10);
  EXPECT_EQ(container.readiness_probe().http_get().scheme(), "HTTP");
  EXPECT_TRUE(container.resources());
  EXPECT_EQ(set.at("status"), Value::object({{"replicas", Value(0)}, {"availableReplicas", Value(0)}}));
}

TEST(Views, ReadTypedFieldsAndForgiveAbsentOnes) {
  Value document = Value::object({{"spec", Value::object({{"replicas", Value(3)}, {"serviceName", Value("web")}})}});
  apps::StatefulSetView set(document);
  EXPECT_EQ(set.spec().replicas(), 3);
  EXPECT_EQ(set.spec().service_name(), "web");
  EXPECT_EQ(set.spec().revision_history_limit(), std::nullopt);
  EXPECT_FALSE(set.spec().template_().spec());
  EXPECT_TRUE(set.spec().template_().spec().containers().empty());
  EXPECT_EQ(set.metadata().name(), "");

  Value pod =
      Value::object({{"metadata", Value::object({{"labels", Value::object({{"app", Value("web")}})}})},
                     {"spec", Value::object({{"containers", Value::array({Value::object({{"name", Value("a")}})})}})}});
  core::PodView view(pod);
  EXPECT_EQ(view.metadata().labels().at("app"), "web");
  ASSERT_EQ(view.spec().containers().size(), 1u);
  for (core::ContainerView container : view.spec().containers()) EXPECT_EQ(container.name(), "a");
}

}  // namespace
}  // namespace stead::kinds
