#include <gtest/gtest.h>

#include "controllers/service_accounts/token_secret_policy.h"
#include "object/codec.h"

namespace stead::controllers::service_accounts {
namespace {

constexpr WallTime kMade = WallTime(std::chrono::seconds(1'000'000));

ObjectPtr object(const std::string& json) { return object::make_object(*object::parse_json(json), 1); }

ObjectPtr secret(const std::string& account_uid, const std::string& type = "kubernetes.io/service-account-token") {
  std::string uid = account_uid.empty() ? "" : R"(,"kubernetes.io/service-account.uid":")" + account_uid + "\"";
  return object(R"({"type":")" + type + R"(","data":{"token":"dA=="},"metadata":{"name":"s","namespace":"n","uid":"u",
      "creationTimestamp":"1970-01-12T13:46:40Z","annotations":{"kubernetes.io/service-account.name":"a")" +
                uid + "}}}");
}

bool deletes(const client::Plan& plan) {
  return plan.steps.size() == 1 && plan.steps[0].request.verb == client::Verb::kDelete;
}

TEST(TokenSecret, StaysWithItsAccount) {
  ObjectPtr account = object(R"({"metadata":{"name":"a","namespace":"n","uid":"1"}})");
  EXPECT_TRUE(decide(*secret("1"), account, kMade).steps.empty());
  EXPECT_TRUE(deletes(decide(*secret("2"), account, kMade)));
  EXPECT_TRUE(deletes(decide(*secret("1"), nullptr, kMade)));
  EXPECT_TRUE(decide(*secret("1", "Opaque"), nullptr, kMade).steps.empty());
}

TEST(TokenSecret, GetsATokenOnceItsAccountIsThere) {
  ObjectPtr account = object(R"({"metadata":{"name":"a","namespace":"n","uid":"1"}})");
  Value bare = secret("")->document();
  bare.erase("data");
  client::Plan plan = decide(*object::make_object(bare, 2), account, kMade);
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].request.body.at({"metadata", "annotations", "kubernetes.io/service-account.uid"}).as_string(),
            "1");
}

TEST(TokenSecret, WaitsForAnAccountThatIsAboutToBeMade) {
  client::Plan plan = decide(*secret(""), nullptr, kMade + std::chrono::seconds(4));
  EXPECT_TRUE(plan.steps.empty());
  EXPECT_EQ(plan.look_again, Duration(std::chrono::seconds(6)));
  EXPECT_TRUE(deletes(decide(*secret(""), nullptr, kMade + std::chrono::seconds(10))));
}

}  // namespace
}  // namespace stead::controllers::service_accounts
