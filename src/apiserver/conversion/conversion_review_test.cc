#include "apiserver/conversion/conversion_review.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::Value;

ConversionQuestion question(std::string review_version = "v1") {
  Value document = *object::parse_json(
      R"({"apiVersion":"a.b/v1","kind":"Tab","metadata":{"name":"x","namespace":"n","uid":"u","generation":3,
          "labels":{"a":"b"}},"one":1})");
  return {std::move(review_version), "uid-1", "a.b/v2", {object::make_object(std::move(document), 5)}};
}

std::string answer(const std::string& response, const std::string& version = "v1") {
  return R"({"apiVersion":"apiextensions.k8s.io/)" + version + R"(","kind":"ConversionReview","response":)" + response +
         "}";
}
std::string with_objects(const std::string& objects) {
  return answer(R"({"uid":"uid-1","result":{"status":"Success"},"convertedObjects":[)" + objects + "]}");
}

TEST(ConversionReviewTest, SaysWhatIsWanted) {
  Value review = make_conversion_review(question());
  EXPECT_EQ(review.at("apiVersion").as_string(), "apiextensions.k8s.io/v1");
  EXPECT_EQ(review.at("kind").as_string(), "ConversionReview");
  EXPECT_EQ(review.at({"request", "uid"}).as_string(), "uid-1");
  EXPECT_EQ(review.at({"request", "desiredAPIVersion"}).as_string(), "a.b/v2");
  EXPECT_EQ(review.at({"request", "objects"}).items()[0].at("one").as_int(), 1);
}

TEST(ConversionReviewTest, KeepsTheMetadataButForLabelsAndAnnotations) {
  auto made = read_conversion(
      with_objects(R"({"apiVersion":"a.b/v2","kind":"Tab","metadata":{"name":"x","namespace":"n","uid":"u",
        "generation":9,"finalizers":["f"],"annotations":{"c":"d"}},"two":2})"),
      question());
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(object::to_json(made->front()),
            R"({"apiVersion":"a.b/v2","kind":"Tab","metadata":{"name":"x","namespace":"n","uid":"u","generation":3,)"
            R"("annotations":{"c":"d"}},"two":2})");
}

TEST(ConversionReviewTest, RefusesWhatIsNoAnswer) {
  const std::string fine = R"("metadata":{"name":"x","namespace":"n","uid":"u"}})";
  const struct {
    std::string text;
    std::string said;
  } kCases[] = {
      {"no", "failed: expected a ConversionReview"},
      {answer("null"), "failed: no response provided"},
      {answer(R"({"uid":"other","result":{"status":"Success"}})"),
       "failed: expected response.uid=\"uid-1\", got \"other\""},
      {answer(R"({"uid":"uid-1","result":{"status":"Success"}})", "v1beta1"),
       "failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got "
       "apiextensions.k8s.io/v1beta1, Kind=ConversionReview"},
      {answer(R"({"uid":"uid-1","result":{"status":"Failed","message":"because"}})"), "failed: because"},
      {answer(R"({"uid":"uid-1","result":{}})"), "failed: response.result.status was '', not 'Success'"},
      {with_objects(""), "returned 0 objects, expected 1"},
      {with_objects(R"({"apiVersion":"a.b/v3","kind":"Tab",)" + fine),
       "returned invalid object at index 0: invalid groupVersion (expected a.b/v2, received a.b/v3)"},
      {with_objects(R"({"apiVersion":"a.b/v2","kind":"Tub",)" + fine),
       "returned invalid object at index 0: invalid kind (expected Tab, received Tub)"},
      {with_objects(R"({"apiVersion":"a.b/v2","kind":"Tab","metadata":{"name":"y","namespace":"n","uid":"u"}})"),
       "returned invalid object: must have the same name: x != y"},
      {with_objects(R"({"apiVersion":"a.b/v2","kind":"Tab","metadata":{"name":"x","namespace":"n","uid":"v"}})"),
       "returned invalid object: must have the same UID: u != v"},
      {with_objects(R"({"apiVersion":"a.b/v2","kind":"Tab","metadata":{"name":"x","namespace":"n","uid":"u",)"
                    R"("labels":{"a":1}}})"),
       "returned invalid metadata: metadata.labels[a] must be a string"},
      {with_objects(R"({"apiVersion":"a.b/v2","kind":"Tab","metadata":{"name":"x","namespace":"n","uid":"u",)"
                    R"("labels":{"a":"not a label!"}}})"),
       "returned invalid metadata: metadata.labels"},
  };
  for (const auto& [text, said] : kCases) {
    auto made = read_conversion(text, question());
    ASSERT_FALSE(made.ok()) << text;
    EXPECT_TRUE(made.error().message.starts_with("conversion webhook for a.b/v1, Kind=Tab " + said))
        << made.error().message;
  }
}

TEST(ConversionReviewTest, TheOldReviewIsNotHeldToItsUid) {
  std::string text = answer(
      R"({"result":{"status":"Success"},"convertedObjects":[{"apiVersion":"a.b/v2","kind":"Tab",
        "metadata":{"name":"x","namespace":"n","uid":"u"}}]})",
      "v1beta1");
  EXPECT_TRUE(read_conversion(text, question("v1beta1")).ok());
  EXPECT_EQ(known_review_version(*object::parse_json(R"(["v3","v1beta1","v1"])")), "v1beta1");
  EXPECT_EQ(known_review_version(*object::parse_json(R"(["v3"])")), "");
}

}  // namespace
}  // namespace stead::apiserver
