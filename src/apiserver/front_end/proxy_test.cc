#include "apiserver/front_end/proxy.h"

#include <gtest/gtest.h>

namespace stead::apiserver {
namespace {

TEST(Proxy, NamesWithSchemeAndPort) {
  EXPECT_EQ(parse_proxy_name("web")->name, "web");
  EXPECT_EQ(parse_proxy_name("web")->port, "");
  EXPECT_EQ(parse_proxy_name("web:8080")->port, "8080");
  auto full = parse_proxy_name("https:web:admin");
  EXPECT_TRUE(full->tls);
  EXPECT_EQ(full->name, "web");
  EXPECT_EQ(full->port, "admin");
  EXPECT_EQ(parse_proxy_name("http:web:")->port, "");
  EXPECT_FALSE(parse_proxy_name("http:web:")->tls);
  EXPECT_FALSE(parse_proxy_name("ftp:web:1").has_value());
  EXPECT_FALSE(parse_proxy_name("http:web:1:2").has_value());
}

TEST(Proxy, WhatFollowsIsPassedOnAsItWasSent) {
  EXPECT_EQ(proxied_target("/api/v1/namespaces/a/pods/p/proxy/x%2Fy/?q=%20/", true), "/x%2Fy/?q=%20/");
  EXPECT_EQ(proxied_target("/api/v1/namespaces/a/pods/p/proxy/", true), "/");
  EXPECT_EQ(proxied_target("/api/v1/namespaces/a/pods/p/proxy", true), "");
  EXPECT_EQ(proxied_target("/api/v1/namespaces/a/pods/p/proxy?a=b", true), "?a=b");
  EXPECT_EQ(proxied_target("//api/v1//nodes/n:10250/proxy//stats/summary", false), "//stats/summary");
}

}  // namespace
}  // namespace stead::apiserver
