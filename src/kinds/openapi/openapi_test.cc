#include "kinds/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const Value& document_v2() {
  static const Value kDocument = openapi_v2(all_resources(), "v1.35.0");
  return kDocument;
}

const Value& definition(std::string_view name) { return document_v2().at({"definitions", name}); }

// Collects what every reference of `value` names.
void collect_references(const Value& value, std::set<std::string>& names) {
  for (const Value& item : value.items()) collect_references(item, names);
  for (const object::Member& member : value.members()) {
    if (member.name() == "$ref") names.emplace(member.value.as_string());
    collect_references(member.value, names);
  }
}

TEST(OpenApiV2, DescribesAKind) {
  const Value& set = definition("io.k8s.api.apps.v1.StatefulSet");
  EXPECT_EQ(set.at("type").as_string(), "object");
  const Value& kind = set.at("x-kubernetes-group-version-kind").items()[0];
  EXPECT_EQ(kind.at("group").as_string(), "apps");
  EXPECT_EQ(kind.at("version").as_string(), "v1");
  EXPECT_EQ(kind.at("kind").as_string(), "StatefulSet");
  EXPECT_EQ(set.at({"properties", "spec", "$ref"}).as_string(), "#/definitions/io.k8s.api.apps.v1.StatefulSetSpec");

  const Value& pod = definition("io.k8s.api.core.v1.PodSpec");
  const Value& volumes = pod.at({"properties", "volumes"});
  EXPECT_EQ(volumes.at("x-kubernetes-patch-strategy").as_string(), "merge,retainKeys");
  EXPECT_EQ(volumes.at("x-kubernetes-patch-merge-key").as_string(), "name");
  EXPECT_EQ(volumes.at("x-kubernetes-list-type").as_string(), "map");
  EXPECT_EQ(volumes.at("x-kubernetes-list-map-keys").items()[0].as_string(), "name");
  EXPECT_EQ(pod.at("required"), Value::array({Value("containers")}));
  EXPECT_EQ(definition("io.k8s.api.apps.v1.StatefulSetList").at("required"), Value::array({Value("items")}));
}

TEST(OpenApiV2, EveryReferenceLeadsSomewhere) {
  std::set<std::string> names;
  collect_references(document_v2(), names);
  EXPECT_GT(names.size(), 100u);
  for (const std::string& name : names) {
    ASSERT_THAT(name, StartsWith("#/definitions/"));
    EXPECT_FALSE(definition(name.substr(14)).is_null()) << name;
  }
}

TEST(OpenApiV2, OperationsCarryWhatClientsLookFor) {
  const Value& patch = document_v2().at({"paths", "/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}", "patch"});
  EXPECT_EQ(patch.at("x-kubernetes-action").as_string(), "patch");
  EXPECT_EQ(patch.at({"x-kubernetes-group-version-kind", "kind"}).as_string(), "StatefulSet");
  EXPECT_EQ(patch.at("operationId").as_string(), "patchAppsV1NamespacedStatefulSet");
  std::set<std::string_view> parameters;
  for (const Value& parameter : patch.at("parameters").items()) parameters.insert(parameter.at("name").as_string());
  EXPECT_THAT(parameters, ElementsAre("body", "dryRun", "fieldManager", "fieldValidation", "force"));
  const Value& scale =
      document_v2().at({"paths", "/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}/scale", "put"});
  EXPECT_EQ(scale.at({"x-kubernetes-group-version-kind", "kind"}).as_string(), "Scale");
  EXPECT_TRUE(document_v2().at("paths").find("/api/v1/nodes/{name}/status") != nullptr);
  EXPECT_TRUE(document_v2().at("paths").find("/api/v1/pods") != nullptr);
  EXPECT_TRUE(document_v2().at("paths").find("/api/v1/configmaps/{name}") == nullptr);
}

TEST(OpenApiV2, OperationIdsAreUnique) {
  std::set<std::string> ids;
  for (const object::Member& path : document_v2().at("paths").members()) {
    for (const object::Member& operation : path.value.members()) {
      const Value& id = operation.value.at("operationId");
      if (id.is_string()) {
        EXPECT_TRUE(ids.emplace(id.as_string()).second) << id.as_string();
      }
    }
  }
}

TEST(OpenApiV2, ProtobufHoldsTheDocument) {
  const std::string encoded = encode_openapi_v2(Value::object({
      {"swagger", Value("2.0")},
      {"definitions", Value::object({{"A", Value::object({{"type", Value("array")}, {"x-b", Value("c")}})}})},
  }));
  // swagger = 1; definitions = 9 {1: NamedSchema {name = 1, value = 2 {type = 22 {1}, vendor_extension = 31 {…}}}}
  const std::string any = std::string("\x12\x04", 2) + "\"c\"\n";
  const std::string extension = std::string("\x0a\x03", 2) + "x-b" + std::string("\x12\x06", 2) + any;
  const std::string schema =
      std::string("\xb2\x01\x07\x0a\x05", 5) + "array" + std::string("\xfa\x01\x0d", 3) + extension;
  const std::string named =
      std::string("\x0a\x01", 2) + "A" + std::string("\x12", 1) + static_cast<char>(schema.size()) + schema;
  const std::string definitions = std::string("\x0a", 1) + static_cast<char>(named.size()) + named;
  EXPECT_EQ(encoded, std::string("\x0a\x03", 2) + "2.0" + std::string("\x4a", 1) +
                         static_cast<char>(definitions.size()) + definitions);
}

TEST(OpenApiV3, IsOneDocumentPerGroupVersion) {
  std::vector<const Resource*> resources = all_resources();
  Value index = openapi_v3_index(resources, "abc");
  EXPECT_EQ(index.at({"paths", "apis/apps/v1", "serverRelativeURL"}).as_string(), "/openapi/v3/apis/apps/v1?hash=abc");
  EXPECT_FALSE(index.at({"paths", "api/v1"}).is_null());

  Value document = openapi_v3(resources, "apps", "v1", "v1.35.0");
  const Value& spec = document.at({"components", "schemas", "io.k8s.api.apps.v1.StatefulSetSpec", "properties"});
  EXPECT_EQ(spec.at({"template", "allOf"}).items()[0].at("$ref").as_string(),
            "#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec");
  EXPECT_EQ(spec.at({"replicas", "default"}).as_int(), 1);
  const Value& patch = document.at({"paths", "/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}", "patch"});
  EXPECT_FALSE(patch.at({"requestBody", "content", "application/strategic-merge-patch+json"}).is_null());
  std::set<std::string> names;
  collect_references(document, names);
  for (const std::string& name : names) {
    ASSERT_THAT(name, StartsWith("#/components/schemas/"));
    EXPECT_FALSE(document.at({"components", "schemas", std::string_view(name).substr(21)}).is_null()) << name;
  }
  EXPECT_TRUE(openapi_v3(resources, "nope", "v1", "v1.35.0").is_null());
}

}  // namespace
}  // namespace stead::kinds
