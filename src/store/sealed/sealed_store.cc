#include "store/sealed/sealed_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "store/sealed/seal.h"

namespace stead::store {
namespace {

// The part that watches share with the store, which they may outlive.
class Seals {
 public:
  explicit Seals(SealedOptions options) : options_(std::move(options)) {}

  bool covers(std::string_view key) const {
    return std::any_of(options_.prefixes.begin(), options_.prefixes.end(),
                       [&](const std::string& prefix) { return key.starts_with(prefix); });
  }
  Bytes close(std::string_view key, const Bytes& value) const {
    return std::make_shared<const std::string>(seal(options_.keys.front(), key, *value));
  }
  Result<void> open(KeyValue& entry) const {
    if (!entry.value || !is_sealed(*entry.value)) return {};
    STEAD_TRY(value, open_sealed(options_.keys, entry.key, *entry.value));
    entry.value = std::make_shared<const std::string>(std::move(value));
    return {};
  }

 private:
  const SealedOptions options_;
};
using SealsPtr = std::shared_ptr<const Seals>;

class OpeningSink final : public WatchSink {
 public:
  OpeningSink(SealsPtr seals, std::shared_ptr<WatchSink> target)
      : seals_(std::move(seals)), target_(std::move(target)) {}

  void on_events(std::vector<WatchEvent> events) override {
    if (ended_) return;
    for (WatchEvent& event : events) {
      Result<void> opened = seals_->open(event.entry);
      if (opened.ok() && event.previous) opened = seals_->open(*event.previous);
      if (!opened.ok()) return on_end(opened.error());
    }
    target_->on_events(std::move(events));
  }
  void on_end(Error error) override {
    if (!std::exchange(ended_, true)) target_->on_end(std::move(error));
  }

 private:
  const SealsPtr seals_;
  const std::shared_ptr<WatchSink> target_;
  bool ended_ = false;
};

class SealedStore final : public Store {
 public:
  SealedStore(std::unique_ptr<Store> inner, SealsPtr seals) : seals_(std::move(seals)), inner_(std::move(inner)) {}

  void write(Write write, WriteCallback done) override {
    if (write.value && seals_->covers(write.key)) write.value = seals_->close(write.key, *write.value);
    inner_->write(std::move(write), [seals = seals_, done = std::move(done)](Result<WriteOutcome> outcome) {
      if (outcome.ok() && outcome->current) {
        Result<void> opened = seals->open(*outcome->current);
        if (!opened.ok()) return done(opened.error());
      }
      done(std::move(outcome));
    });
  }

  Result<RangeResult> range(const RangeRequest& request) override {
    STEAD_TRY(result, inner_->range(request));
    for (KeyValue& entry : result.entries) STEAD_TRY_VOID(seals_->open(entry));
    return result;
  }

  Result<std::unique_ptr<Watch>> watch(const std::string& prefix, int64_t after_revision,
                                       std::shared_ptr<WatchSink> sink) override {
    return inner_->watch(prefix, after_revision, std::make_shared<OpeningSink>(seals_, std::move(sink)));
  }

  int64_t revision() override { return inner_->revision(); }
  Result<void> compact(int64_t revision) override { return inner_->compact(revision); }

 private:
  const SealsPtr seals_;
  const std::unique_ptr<Store> inner_;
};

}  // namespace

Result<std::unique_ptr<Store>> seal_store(std::unique_ptr<Store> inner, SealedOptions options) {
  if (options.keys.empty()) return make_error(Reason::kBadRequest, "no encryption key");
  for (const SealingKey& key : options.keys) {
    if (key.name.empty() || key.name.find(':') != std::string::npos) {
      return make_error(Reason::kBadRequest, fmt::format("\"{}\" is no name of an encryption key", key.name));
    }
    if (key.bytes.size() != kSealingKeyBytes) {
      return make_error(Reason::kBadRequest, fmt::format("the encryption key \"{}\" has {} bytes, must have {}",
                                                         key.name, key.bytes.size(), kSealingKeyBytes));
    }
  }
  auto seals = std::make_shared<const Seals>(std::move(options));
  return std::unique_ptr<Store>(std::make_unique<SealedStore>(std::move(inner), std::move(seals)));
}

}  // namespace stead::store
