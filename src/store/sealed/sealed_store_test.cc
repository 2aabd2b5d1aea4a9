// What the store contract does not say: that the disk holds nothing readable, and what is told of what cannot be
// opened.

#include "store/sealed/sealed_store.h"

#include <gtest/gtest.h>

#include "loop/simulated_loop.h"
#include "store/memory/memory_store.h"
#include "store/sealed/seal.h"

namespace stead::store {
namespace {

const SealingKey kOld{"old", std::string(kSealingKeyBytes, 'o')};
const SealingKey kNew{"new", std::string(kSealingKeyBytes, 'n')};

// A store that several sealed ones stand before, one after the other.
class Borrowed final : public Store {
 public:
  explicit Borrowed(Store& store) : store_(store) {}
  void write(Write write, WriteCallback done) override { store_.write(std::move(write), std::move(done)); }
  Result<RangeResult> range(const RangeRequest& request) override { return store_.range(request); }
  Result<std::unique_ptr<Watch>> watch(const std::string& prefix, int64_t after,
                                       std::shared_ptr<WatchSink> sink) override {
    return store_.watch(prefix, after, std::move(sink));
  }
  int64_t revision() override { return store_.revision(); }
  Result<void> compact(int64_t revision) override { return store_.compact(revision); }

 private:
  Store& store_;
};

class SealedStoreTest : public testing::Test {
 protected:
  SealedStoreTest() : loop_(simulation_.make_loop()), bare_(open_memory_store(loop_)) {}

  std::unique_ptr<Store> sealed(std::vector<SealingKey> keys) {
    return std::move(*seal_store(std::make_unique<Borrowed>(*bare_), {std::move(keys), {"/secrets/"}}));
  }
  void put(Store& store, const std::string& key, const std::string& value) {
    bool done = false;
    Write write;
    write.key = key;
    write.value = std::make_shared<const std::string>(value);
    store.write(std::move(write), [&](const Result<WriteOutcome>& outcome) { done = outcome.ok(); });
    ASSERT_TRUE(simulation_.run_until([&] { return done; }, std::chrono::seconds(1)));
  }
  static std::string read(Store& store, const std::string& key) {
    Result<std::optional<KeyValue>> found = store.get(key);
    if (!found.ok()) return found.error().message;
    return *found ? *(*found)->value : "nothing";
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_;
  std::unique_ptr<Store> bare_;
};

TEST_F(SealedStoreTest, TheDiskHoldsNothingReadable) {
  auto store = sealed({kOld});
  put(*store, "/secrets/a", "hunter2");
  put(*store, "/pods/a", "plain");
  std::string stored = read(*bare_, "/secrets/a");
  EXPECT_TRUE(stored.starts_with("k8s:enc:aesgcm:v1:old:")) << stored;
  EXPECT_EQ(stored.find("hunter2"), std::string::npos);
  EXPECT_EQ(read(*bare_, "/pods/a"), "plain");
  EXPECT_EQ(read(*store, "/secrets/a"), "hunter2");
  put(*store, "/secrets/b", "hunter2");
  EXPECT_NE(read(*bare_, "/secrets/b").substr(22, 12), stored.substr(22, 12)) << "a nonce used twice";
}

TEST_F(SealedStoreTest, KeysAreExchanged) {
  put(*bare_, "/secrets/before", "plain");
  auto first = sealed({kOld});
  put(*first, "/secrets/a", "1");
  auto second = sealed({kNew, kOld});
  EXPECT_EQ(read(*second, "/secrets/before"), "plain");
  EXPECT_EQ(read(*second, "/secrets/a"), "1");
  put(*second, "/secrets/a", "2");
  EXPECT_TRUE(read(*bare_, "/secrets/a").starts_with("k8s:enc:aesgcm:v1:new:"));
  EXPECT_EQ(
      read(*sealed({kOld}), "/secrets/a"),
      "what is stored under /secrets/a is encrypted with the key \"new\", which is not among the encryption keys");
}

TEST_F(SealedStoreTest, WhatWasChangedIsRefused) {
  auto store = sealed({kOld});
  put(*store, "/secrets/a", "1");
  std::string stored = read(*bare_, "/secrets/a");
  const char* kRefusal = "cannot be decrypted with the key \"old\"";
  // In another's place, with a bit turned, under another key of the same name, cut short.
  put(*bare_, "/secrets/b", stored);
  EXPECT_NE(read(*store, "/secrets/b").find(kRefusal), std::string::npos);
  std::string turned = stored;
  turned.back() = static_cast<char>(turned.back() ^ 1);
  put(*bare_, "/secrets/a", turned);
  EXPECT_NE(read(*store, "/secrets/a").find(kRefusal), std::string::npos);
  put(*bare_, "/secrets/a", stored);
  EXPECT_NE(read(*sealed({{"old", kNew.bytes}}), "/secrets/a").find(kRefusal), std::string::npos);
  put(*bare_, "/secrets/a", stored.substr(0, 40));
  EXPECT_NE(read(*store, "/secrets/a").find("has been cut short"), std::string::npos);
}

TEST_F(SealedStoreTest, NonsenseIsNoKey) {
  EXPECT_FALSE(seal_store(nullptr, {{}, {}}).ok());
  EXPECT_EQ(seal_store(nullptr, {{{"k", "short"}}, {}}).error().message,
            "the encryption key \"k\" has 5 bytes, must have 32");
  EXPECT_FALSE(seal_store(nullptr, {{{"a:b", kOld.bytes}}, {}}).ok());
}

}  // namespace
}  // namespace stead::store
