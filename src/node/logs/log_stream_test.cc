#include "node/logs/log_stream.h"

#include <gtest/gtest.h>

#include "loop/simulated_loop.h"
#include "node/logs/test_log_directory.h"
#include "node/runtime/fake_runtime.h"
#include "node/test_exchange.h"

namespace stead::node {
namespace {

// Does the work at once, on the caller's thread.
class InlinePool final : public loop::WorkerPool {
 public:
  void run(loop::Task work) override { work(); }
};

class LogStreamTest : public testing::Test {
 protected:
  LogStreamTest()
      : loop_(simulation_.make_loop()),
        runtime_(loop_, {}),
        scope_(std::make_shared<StreamScope>(pool_, runtime_)),
        exchange_(std::make_shared<TestExchange>()) {
    std::string sandbox = *runtime_.run_sandbox({});
    ContainerConfig config;
    config.name = "app";
    container_ = *runtime_.create_container(sandbox, config, {});
    EXPECT_TRUE(runtime_.start_container(container_).ok());
  }
  ~LogStreamTest() override { exchange_->close(); }

  void begin(LogOptions options, bool live = true) {
    LogSource source{.directory = logs_.path(), .attempt = 0, .container_id = live ? container_ : ""};
    auto stream = std::make_shared<LogStream>(exchange_, scope_, source, options);
    stream_ = stream;
    stream->begin([](const Error& error) { return http::Response::text(400, error.message); });
  }
  bool run_until_text(const std::string& text) {
    return exchange_->run_until([&] { return exchange_->text == text; });
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_;
  TestLogDirectory logs_;
  InlinePool pool_;
  FakeRuntime runtime_;
  std::shared_ptr<StreamScope> scope_;
  std::shared_ptr<TestExchange> exchange_;
  std::string container_;
  std::weak_ptr<LogStream> stream_;
};

const LogOptions kFollow{.follow = true};

TEST_F(LogStreamTest, EndsAtTheEndUnlessFollowed) {
  logs_.append("0.log", {"F one", "P tw"});
  begin({});
  ASSERT_TRUE(exchange_->run_to_end());
  EXPECT_EQ(exchange_->status, 200);
  EXPECT_EQ(exchange_->text, "one\ntw");
}

TEST_F(LogStreamTest, FollowsUntilTheContainerHasEnded) {
  begin(kFollow);
  exchange_->run_posted();
  logs_.append("0.log", {"F one"});
  ASSERT_TRUE(run_until_text("one\n"));
  logs_.append("0.log", {"F two"});
  ASSERT_TRUE(run_until_text("one\ntwo\n"));
  logs_.rename("0.log", "0.log.20260102-030405");
  logs_.append("0.log", {"F three"});
  ASSERT_TRUE(run_until_text("one\ntwo\nthree\n"));
  EXPECT_FALSE(exchange_->finished);
  logs_.append("0.log", {"F last"});
  logs_.append_raw("0.log", "2026-01-02T03:04:05Z stdout F words");
  ASSERT_TRUE(runtime_.kill_container(container_, 1));
  stream_.lock()->container_changed();
  ASSERT_TRUE(exchange_->run_to_end());
  EXPECT_EQ(exchange_->text, "one\ntwo\nthree\nlast\nwords\n");
}

TEST_F(LogStreamTest, SeesAnEndThatWasBefore) {
  logs_.append("0.log", {"F one"});
  ASSERT_TRUE(runtime_.kill_container(container_, 1));
  begin(kFollow);
  ASSERT_TRUE(exchange_->run_to_end());
  EXPECT_EQ(exchange_->text, "one\n");
}

TEST_F(LogStreamTest, DoesNotWaitForAnEndedContainer) {
  logs_.append("0.log", {"F one"});
  begin(kFollow, false);
  ASSERT_TRUE(exchange_->run_to_end());
}

TEST_F(LogStreamTest, StopsWithItsClient) {
  begin(kFollow);
  exchange_->run_posted();
  ASSERT_FALSE(stream_.expired());
  exchange_->close();
  exchange_->run_posted();
  EXPECT_TRUE(stream_.expired());
}

TEST_F(LogStreamTest, StopsWithTheNode) {
  begin(kFollow);
  exchange_->run_posted();
  scope_->close();
  stream_.lock()->container_changed();
  ASSERT_TRUE(exchange_->run_to_end());
}

TEST_F(LogStreamTest, WaitsForASlowClient) {
  logs_.append("0.log", std::vector<std::string>(1000, "F " + std::string(1000, 'x')));
  exchange_->queued = 1 << 20;
  begin({});
  exchange_->run_posted();
  EXPECT_EQ(exchange_->writes, 0);
  exchange_->drain();
  ASSERT_TRUE(exchange_->run_to_end());
  EXPECT_EQ(exchange_->text.size(), 1000u * 1001);
  EXPECT_GT(exchange_->writes, 3);
}

TEST_F(LogStreamTest, AnswersThatThereIsNone) {
  LogSource source{.directory = logs_.path(), .attempt = 3, .or_earlier = true};
  source.missing = make_error(Reason::kBadRequest, "none");
  std::make_shared<LogStream>(exchange_, scope_, source, LogOptions{})->begin([](const Error& error) {
    return http::Response::text(400, error.message);
  });
  ASSERT_TRUE(exchange_->run_to_end());
  EXPECT_EQ(exchange_->status, 400);
  EXPECT_EQ(exchange_->text, "none");
}

}  // namespace
}  // namespace stead::node
