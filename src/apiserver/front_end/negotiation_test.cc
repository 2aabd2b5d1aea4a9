#include "apiserver/front_end/negotiation.h"

#include <gtest/gtest.h>

namespace stead::apiserver {
namespace {

using Shape = AcceptedForm::Shape;

struct Case {
  const char* accept;
  BodyForm body;
  Shape shape = Shape::kObject;
};

TEST(Negotiation, TheBestThatCanBeServed) {
  const Case cases[] = {
      {"", BodyForm::kJson},
      {"*/*", BodyForm::kJson},
      {"application/*", BodyForm::kJson},
      {"application/json", BodyForm::kJson},
      {"application/yaml", BodyForm::kYaml},
      {"application/vnd.kubernetes.protobuf,application/json", BodyForm::kProtobuf},
      {"application/json;q=0.5, application/yaml", BodyForm::kYaml},
      {"text/html, application/json;q=0.1", BodyForm::kJson},
      {"application/yaml;q=0, */*", BodyForm::kJson},
      {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", BodyForm::kJson, Shape::kTable},
      {"application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", BodyForm::kJson},
      {"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", BodyForm::kJson},
      {"application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
       BodyForm::kProtobuf, Shape::kPartialMetadata},
      {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", BodyForm::kJson, Shape::kPartialMetadata},
  };
  for (const Case& each : cases) {
    auto form = negotiate(each.accept);
    ASSERT_TRUE(form.ok()) << each.accept;
    EXPECT_EQ(form->body, each.body) << each.accept;
    EXPECT_EQ(form->shape, each.shape) << each.accept;
  }
}

TEST(Negotiation, NothingThatCanBeServed) {
  for (const char* accept : {"text/html", "application/json;q=0", "application/json;as=Other;g=meta.k8s.io;v=v1"}) {
    auto form = negotiate(accept);
    ASSERT_FALSE(form.ok()) << accept;
    EXPECT_EQ(form.error().reason, Reason::kNotAcceptable);
  }
  EXPECT_FALSE(negotiate("application/yaml", AnswerKind::kWatch).ok());
  EXPECT_TRUE(negotiate("application/yaml,application/json", AnswerKind::kWatch).ok());
}

TEST(Negotiation, AggregatedDiscovery) {
  EXPECT_EQ(wants_aggregated_discovery("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
                                       "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
                                       "application/json"),
            "v2");
  EXPECT_EQ(wants_aggregated_discovery("application/json;as=APIGroupDiscoveryList;v=v2beta1;g=apidiscovery.k8s.io"),
            "v2beta1");
  EXPECT_EQ(wants_aggregated_discovery("application/json, */*"), "");
  EXPECT_EQ(wants_aggregated_discovery(""), "");
  EXPECT_EQ(wants_aggregated_discovery("application/json;as=APIGroupDiscoveryList;v=v9;g=apidiscovery.k8s.io"), "");
}

}  // namespace
}  // namespace stead::apiserver
