#include "kinds/meta/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> metadata_problems(std::string_view metadata) {
  return problems("", "ConfigMap", load("", "ConfigMap", "v1", "metadata: " + std::string(metadata)));
}

TEST(Metadata, NamesTheFieldAndTheRule) {
  EXPECT_THAT(metadata_problems("{name: a, namespace: ns, finalizers: [a/b], labels: {a: b}}"), IsEmpty());
  EXPECT_THAT(metadata_problems("{namespace: ns}"),
              ElementsAre("metadata.name: Required value: name or generateName is required"));
  EXPECT_THAT(metadata_problems("{name: A, namespace: ns}"),
              ElementsAre(HasSubstr("metadata.name: Invalid value: \"A\"")));
  EXPECT_THAT(metadata_problems("{name: a, generateName: a-, namespace: ns}"), IsEmpty());
  EXPECT_THAT(metadata_problems("{name: a}"), ElementsAre("metadata.namespace: Required value"));
  EXPECT_THAT(metadata_problems("{name: a, namespace: ns, labels: {a: '-'}}"),
              ElementsAre(HasSubstr("metadata.labels: Invalid value: \"-\"")));
  EXPECT_THAT(metadata_problems("{name: a, namespace: ns, finalizers: [mine]}"),
              ElementsAre("metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer name "
                          "nor is it fully qualified"));
  EXPECT_THAT(metadata_problems("{name: a, namespace: ns, ownerReferences: [{apiVersion: v1, kind: Pod, name: p}]}"),
              ElementsAre("metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"));
  EXPECT_THAT(
      metadata_problems("{name: a, namespace: ns, ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: u, "
                        "controller: true}, {apiVersion: v1, kind: Node, name: m, uid: v, controller: true}]}"),
      ElementsAre(HasSubstr("references for Pod/p and Node/m")));
  // Each broken rule is said on its own.
  EXPECT_THAT(
      metadata_problems("{name: a, namespace: ns, labels: {'" + std::string(64, 'k') + "-': a}}"),
      ElementsAre(HasSubstr("name part must be no more than 63 characters"), HasSubstr("name part must consist")));
  EXPECT_THAT(metadata_problems("{name: a, namespace: ns, annotations: {a: " + std::string(256 * 1024, 'x') + "}}"),
              ElementsAre(HasSubstr("metadata.annotations: Too long")));
}

TEST(Metadata, IdentityStaysAcrossUpdates) {
  Value old = load("", "ConfigMap", "v1", "metadata: {name: a, namespace: ns, uid: u}");
  Value other = old;
  other.set({"metadata", "uid"}, "v");
  EXPECT_THAT(update_problems("", "ConfigMap", other, old),
              ElementsAre("metadata.uid: Invalid value: \"v\": field is immutable"));
  old.set({"metadata", "deletionTimestamp"}, "2026-01-01T00:00:00Z");
  Value late = old;
  late.set({"metadata", "finalizers"}, Value::array({"a/b"}));
  EXPECT_THAT(update_problems("", "ConfigMap", late, old),
              ElementsAre(HasSubstr("metadata.finalizers: Forbidden: no new finalizers can be added")));
}

}  // namespace
}  // namespace stead::kinds
