#include "http/target.h"

#include <gtest/gtest.h>

namespace stead::http {
namespace {

Request parsed(const std::string& target, const std::string& method = "GET") {
  Request request;
  request.method = method;
  request.target = target;
  EXPECT_TRUE(parse_target(request)) << target;
  return request;
}

bool refused(const std::string& target) {
  Request request;
  request.method = "GET";
  request.target = target;
  return !parse_target(request);
}

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(Target, PathAndQueryAreDecoded) {
  Request request = parsed("/api/v1/pods%2Fx?labelSelector=app%3Dweb%2Cx&watch&a=1&a=2+3&&=v");
  EXPECT_EQ(request.path, "/api/v1/pods/x");
  EXPECT_EQ(request.query, (Query{{"labelSelector", "app=web,x"}, {"watch", ""}, {"a", "1"}, {"a", "2 3"}, {"", "v"}}));
  EXPECT_TRUE(request.has_query("watch"));
  EXPECT_FALSE(request.has_query("nothing"));
  EXPECT_EQ(request.query_value("a"), "1");
  EXPECT_EQ(parsed("/a+b").path, "/a+b");  // plus is a space in queries only
}

TEST(Target, AbsoluteAndAsteriskForms) {
  EXPECT_EQ(parsed("https://host:1/x?y=z").path, "/x");
  EXPECT_EQ(parsed("http://host").path, "/");
  EXPECT_EQ(parsed("http://host?y=z").query, (Query{{"y", "z"}}));
  EXPECT_EQ(parsed("*", "OPTIONS").path, "*");
}

TEST(Target, WhatIsRefused) {
  for (const char* target : {"", "x", "host:443", "?a=b", "*", "/%", "/%2", "/%g0", "/?a=%", "/?%zz=1", "/%00"}) {
    EXPECT_TRUE(refused(target)) << target;
  }
}

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("aZ09-._~ /ü"), "aZ09-._~%20%2F%C3%BC");
  EXPECT_EQ(percent_decode("%c3%BC+", false), "ü+");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("%4", false), std::nullopt);
}

TEST(RequestTest, HeadersAreFoundInAnyCase) {
  Request request;
  request.headers = {{"Content-Type", "a"}, {"content-type", "b"}};
  EXPECT_EQ(request.header("CONTENT-TYPE"), "a");
  EXPECT_EQ(request.header("Accept"), "");
}

}  // namespace
}  // namespace stead::http
