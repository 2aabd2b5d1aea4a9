#include "client/work_queue.h"

#include <gtest/gtest.h>

#include "loop/simulated_loop.h"

namespace stead::client {
namespace {

class WorkQueueTest : public testing::Test {
 protected:
  loop::Simulation simulation{1};
  loop::SimulatedLoop& loop = simulation.make_loop();
  std::vector<std::string> ran;
};

TEST_F(WorkQueueTest, AKeyAddedTwiceRunsOnce) {
  WorkQueue queue(loop, "test", 4, [&](const std::string& key, WorkQueue::Finish finish) {
    ran.push_back(key);
    finish(Outcome::done());
  });
  queue.add("a");
  queue.add("a");
  queue.add("b");
  queue.start();
  simulation.run_for(std::chrono::seconds(1));
  EXPECT_EQ(ran, (std::vector<std::string>{"a", "b"}));
}

TEST_F(WorkQueueTest, AKeyNeverRunsTwiceAtOnceAndRunsAgainIfAddedMeanwhile) {
  std::vector<WorkQueue::Finish> running;
  WorkQueue queue(loop, "test", 4, [&](const std::string& key, WorkQueue::Finish finish) {
    ran.push_back(key);
    running.push_back(std::move(finish));
  });
  queue.start();
  queue.add("a");
  simulation.run_for(std::chrono::seconds(1));
  queue.add("a");
  queue.add("a");
  simulation.run_for(std::chrono::seconds(1));
  ASSERT_EQ(ran.size(), 1U);
  running[0](Outcome::done());
  simulation.run_for(std::chrono::seconds(1));
  ASSERT_EQ(ran.size(), 2U);
  running[1](Outcome::done());
  simulation.run_for(std::chrono::seconds(1));
  EXPECT_EQ(ran.size(), 2U);
}

TEST_F(WorkQueueTest, FailuresBackOffExponentiallyAndNewsDoesNotShortenTheWait) {
  std::vector<Instant> times;
  WorkQueue queue(loop, "test", 1, [&](const std::string&, WorkQueue::Finish finish) {
    times.push_back(loop.now());
    finish(Outcome::failed(make_error(Reason::kInternal, "no")));
  });
  queue.start();
  queue.add("a");
  simulation.run_for(std::chrono::milliseconds(2));
  queue.add("a");
  simulation.run_for(std::chrono::seconds(120));
  ASSERT_GT(times.size(), 8U);
  EXPECT_EQ(times[1] - times[0], std::chrono::milliseconds(5));
  EXPECT_EQ(times[2] - times[1], std::chrono::milliseconds(10));
  EXPECT_EQ(times.back() - times[times.size() - 2], std::chrono::seconds(16));
}

TEST_F(WorkQueueTest, ConcurrencyIsBoundedAndRequeueAfterRunsLater) {
  size_t now_running = 0;
  size_t most = 0;
  WorkQueue queue(loop, "test", 2, [&](const std::string& key, WorkQueue::Finish finish) {
    most = std::max(most, ++now_running);
    ran.push_back(key);
    loop.call_after(std::chrono::seconds(1), [&, finish] {
      --now_running;
      finish(ran.size() == 1 ? Outcome::again_after(std::chrono::seconds(30)) : Outcome::done());
    });
  });
  queue.start();
  for (const char* key : {"a", "b", "c", "d", "e"}) queue.add(key);
  simulation.run_for(std::chrono::seconds(20));
  EXPECT_EQ(most, 2U);
  EXPECT_EQ(ran.size(), 5U);
}

TEST_F(WorkQueueTest, ADestroyedQueueRunsNothing) {
  {
    WorkQueue queue(loop, "test", 1, [&](const std::string& key, const WorkQueue::Finish&) { ran.push_back(key); });
    queue.start();
    queue.add("a");
    queue.add_after("b", std::chrono::seconds(1));
  }
  simulation.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(ran.empty());
}

}  // namespace
}  // namespace stead::client
