#include "apiserver/front_end/health.h"

#include <gtest/gtest.h>

#include "http/target.h"

namespace stead::apiserver {
namespace {

struct Told {
  int status = 0;
  std::string body;
};

Told ask(const std::string& target, bool started = true) {
  http::Request request;
  request.method = "GET";
  request.target = target;
  EXPECT_TRUE(http::parse_target(request));
  auto response = health_response(request, {.node_started = started});
  return response ? Told{response->status, *response->body.at(0)} : Told{};
}

TEST(Health, IsOneWordUnlessMoreIsAsked) {
  for (const char* path : {"/readyz", "/livez", "/healthz", "/readyz/ping", "/livez/etcd", "/readyz/shutdown"}) {
    EXPECT_EQ(ask(path).body, "ok") << path;
    EXPECT_EQ(ask(path).status, 200) << path;
  }
  EXPECT_EQ(ask("/livez?verbose").body, "[+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n");
}

TEST(Health, TellsWhatFails) {
  Told told = ask("/readyz", false);
  EXPECT_EQ(told.status, 500);
  EXPECT_EQ(told.body,
            "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]informer-sync ok\n[-]poststarthook/start-node failed: the node is "
            "starting\n[+]shutdown ok\nreadyz check failed\n");
  EXPECT_EQ(ask("/readyz/poststarthook/start-node", false).status, 500);
  EXPECT_EQ(ask("/livez", false).status, 200);
}

TEST(Health, LeavesOutWhatIsExcluded) {
  EXPECT_EQ(ask("/readyz?exclude=poststarthook/start-node", false).status, 200);
  EXPECT_EQ(ask("/livez?verbose&exclude=etcd&exclude=nope").body,
            "[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "
            "\"nope\"\nlivez check passed\n");
}

TEST(Health, KnowsNoOtherPath) {
  for (const char* path : {"/readyz/nope", "/readyzping", "/livez/shutdown", "/"})
    EXPECT_EQ(ask(path).status, 0) << path;
}

}  // namespace
}  // namespace stead::apiserver
