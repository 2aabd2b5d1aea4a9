#include "node/probes/prober.h"

#include <algorithm>

namespace stead::node {
namespace {
constexpr Duration kEagerFirst = std::chrono::milliseconds(25);
}

const char* probe_name(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup:
      return "Startup";
    case ProbeKind::kLiveness:
      return "Liveness";
    case ProbeKind::kReadiness:
      return "Readiness";
  }
  return "";
}

Result<std::optional<ProbeSpec>> read_probe(const object::Value& container, ProbeKind kind) {
  constexpr std::string_view kFields[] = {"startupProbe", "livenessProbe", "readinessProbe"};
  const object::Value* probe = container.find(kFields[static_cast<size_t>(kind)]);
  if (probe == nullptr) return std::optional<ProbeSpec>();
  ProbeSpec spec;
  spec.kind = kind;
  STEAD_TRY(handler, read_handler(*probe, container));
  spec.handler = std::move(handler);
  spec.initial_delay = std::chrono::seconds(probe->at("initialDelaySeconds").as_int());
  spec.period = std::chrono::seconds(std::max<int64_t>(1, probe->at("periodSeconds").as_int(10)));
  spec.timeout = std::chrono::seconds(std::max<int64_t>(1, probe->at("timeoutSeconds").as_int(1)));
  spec.success_threshold = static_cast<int>(std::max<int64_t>(1, probe->at("successThreshold").as_int(1)));
  spec.failure_threshold = static_cast<int>(std::max<int64_t>(1, probe->at("failureThreshold").as_int(3)));
  if (const object::Value* grace = probe->find("terminationGracePeriodSeconds")) {
    spec.grace = std::chrono::seconds(grace->as_int());
  }
  return std::optional(std::move(spec));
}

std::optional<bool> ProbeCount::add(bool success) {
  run_ = run_ > 0 && last_ == success ? run_ + 1 : 1;
  last_ = success;
  if (run_ < (success ? success_threshold_ : failure_threshold_)) return std::nullopt;
  return success;
}

std::optional<Duration> eager_delay(const ProbeSpec& spec, int eager_tries) {
  if (spec.kind == ProbeKind::kLiveness || eager_tries > 16) return std::nullopt;
  Duration delay = kEagerFirst * (int64_t{1} << eager_tries);
  // The tries together take twice the last delay.
  if (delay * 2 >= spec.period) return std::nullopt;
  return delay;
}

struct Prober::State : std::enable_shared_from_this<Prober::State> {
  State(loop::Loop& the_loop, ProbeSpec the_spec, Run the_run, Failed the_failed, Verdict the_verdict)
      : loop(the_loop),
        spec(std::move(the_spec)),
        run(std::move(the_run)),
        failed(std::move(the_failed)),
        verdict(std::move(the_verdict)),
        count(spec.success_threshold, spec.failure_threshold) {}

  loop::Loop& loop;
  ProbeSpec spec;
  Run run;
  Failed failed;
  Verdict verdict;
  ProbeCount count;
  bool closed = false;
  bool eager = true;
  int eager_tries = 0;
  Instant regular_at{};

  void schedule(Instant when, bool regular) {
    loop.call_at(when, [weak = weak_from_this(), regular] {
      auto self = weak.lock();
      if (self && !self->closed) self->try_once(regular);
    });
  }

  void try_once(bool regular) {
    if (regular) regular_at = loop.now() + spec.period;
    run(spec, [weak = weak_from_this(), regular](HandlerAnswer answer) {
      auto self = weak.lock();
      if (self && !self->closed) self->take(answer, regular);
    });
  }

  void take(const HandlerAnswer& answer, bool regular) {
    Instant now = loop.now();
    std::optional<Duration> soon;
    if (answer.success) {
      eager = false;
    } else if (eager) {
      soon = eager_delay(spec, eager_tries++);
      if (!soon) eager = false;
    }
    schedule(soon ? std::min(now + *soon, std::max(now, regular_at)) : std::max(now, regular_at), !soon);
    // verdict() may destroy the Prober: nothing after it.
    auto self = shared_from_this();
    if (!answer.success) {
      if (!regular) return;
      failed(answer);
      if (closed) return;
    }
    if (auto reached = count.add(answer.success)) verdict(*reached);
  }
};

Prober::Prober(loop::Loop& loop, ProbeSpec spec, Run run, Failed failed, Verdict verdict)
    : state_(std::make_shared<State>(loop, std::move(spec), std::move(run), std::move(failed), std::move(verdict))) {}

Prober::~Prober() { state_->closed = true; }

void Prober::start(Duration running_for) {
  state_->schedule(state_->loop.now() + std::max(Duration(0), state_->spec.initial_delay - running_for), true);
}

const ProbeSpec& Prober::spec() const { return state_->spec; }

}  // namespace stead::node
