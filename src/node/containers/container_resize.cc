// The part of ContainerRunner that changes the resources of a running instance (KEP-1287).

#include <fmt/format.h>

#include <algorithm>

#include "node/containers/container_runner.h"
#include "node/pods/pod_resize.h"
#include "object/quantity.h"

namespace stead::node {
namespace {

using object::Value;

constexpr Duration kRetryFirst = std::chrono::seconds(2);
constexpr Duration kRetryMax = std::chrono::minutes(1);

int64_t memory_limit(const Value& resources) {
  auto parsed = object::Quantity::parse(resources.at({"limits", "memory"}).as_string());
  return parsed.ok() ? parsed->value() : 0;
}

// A limit below what is in use would have the container killed.
Result<void> check_memory(ContainerRuntime& runtime, const std::string& id, const std::string& name, int64_t limit) {
  STEAD_TRY(usages, runtime.container_stats());
  for (const ContainerUsage& usage : usages) {
    if (usage.container_id != id || usage.memory_working_set_bytes <= static_cast<uint64_t>(limit)) continue;
    return make_error(Reason::kConflict,
                      fmt::format("attempting to set container \"{}\" memory limit ({}) below current usage ({})", name,
                                  limit, usage.memory_working_set_bytes));
  }
  return {};
}

}  // namespace

bool ContainerRunner::has_allocation() const {
  return !is_resizable(shape().kind) || !is_alive(phase_) || same_resources(actual_, shape().resources());
}

void ContainerRunner::resize() {
  if (has_allocation()) return resize_error_.clear();
  if (phase_ != ContainerPhase::kRunning || resizing_ || resize_restarts(shape(), actual_)) return;
  const Value& wanted = shape().resources();
  if (same_resources(resize_refused_, wanted) && context_.loop.now() < resize_not_before_) return;
  resizing_ = true;
  Resources next = container_resources(host_.shape(), shape(), context_.options.machine.memory_bytes);
  int64_t before = memory_limit(actual_);
  bool shrinks = next.memory_limit_bytes > 0 && (before == 0 || next.memory_limit_bytes < before);
  auto work = [&runtime = context_.runtime, id = id_, name = shape().name, next, shrinks]() -> Result<void> {
    if (shrinks) STEAD_TRY_VOID(check_memory(runtime, id, name, next.memory_limit_bytes));
    return runtime.update_resources(id, next);
  };
  in_background(context_.pool, context_.loop, std::move(work),
                [weak = weak_from_this(), generation = generation_, wanted](const Result<void>& done) {
                  auto self = weak.lock();
                  if (!self) return;
                  self->resizing_ = false;
                  if (self->generation_ == generation) self->resized(wanted, done);
                });
}

void ContainerRunner::resized(const Value& wanted, const Result<void>& done) {
  if (done.ok()) {
    actual_ = wanted;
    resize_refused_ = Value();
    resize_retry_ = Duration(0);
    resize_error_.clear();
  } else {
    resize_error_ = done.error().message;
    resize_refused_ = wanted;
    resize_retry_ = resize_retry_ == Duration(0) ? kRetryFirst : std::min(resize_retry_ * 2, kRetryMax);
    resize_not_before_ = context_.loop.now() + resize_retry_;
    context_.loop.call_at(resize_not_before_, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->host_.container_changed();
    });
  }
  host_.container_changed();
}

}  // namespace stead::node
