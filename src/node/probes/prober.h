#pragma once

// Prober: runs one probe of one running container on its schedule and tells when a threshold is crossed.

#include <functional>
#include <memory>
#include <optional>

#include "loop/loop.h"
#include "node/probes/handler.h"

namespace stead::node {

enum class ProbeKind : uint8_t { kStartup, kLiveness, kReadiness };
const char* probe_name(ProbeKind kind);  // "Startup", …, as events write it

struct ProbeSpec {
  ProbeKind kind = ProbeKind::kReadiness;
  Handler handler;
  Duration initial_delay{};
  Duration period = std::chrono::seconds(10);
  std::chrono::milliseconds timeout = std::chrono::seconds(1);
  int success_threshold = 1;
  int failure_threshold = 3;
  std::optional<std::chrono::seconds> grace;  // probe-level terminationGracePeriodSeconds
};
// nullopt: the container has no such probe, or one that names no existing port (it never succeeds upstream; here the
// caller is told by the error).
Result<std::optional<ProbeSpec>> read_probe(const object::Value& container, ProbeKind kind);

// Counts runs of equal results; pure.
class ProbeCount {
 public:
  ProbeCount(int success_threshold, int failure_threshold)
      : success_threshold_(success_threshold), failure_threshold_(failure_threshold) {}
  // The verdict once as many equal results came in a row as it takes.
  std::optional<bool> add(bool success);

 private:
  int success_threshold_, failure_threshold_;
  bool last_ = false;
  int run_ = 0;
};

// Extra tries between the first and the second regular one, after 25 ms and doubling, for startup and readiness only:
// most programs listen a moment after their start, and a whole period is long to wait. Their failures do not count
// and make no event. nullopt: no more before the regular one.
std::optional<Duration> eager_delay(const ProbeSpec& spec, int eager_tries);

class Prober {
 public:
  using Run = std::function<void(const ProbeSpec&, std::function<void(HandlerAnswer)> done)>;
  using Failed = std::function<void(const HandlerAnswer&)>;
  using Verdict = std::function<void(bool success)>;

  // `run` starts one try; `failed` is called for each regular one that failed, `verdict` when a threshold is reached.
  // Nothing is called after destruction.
  Prober(loop::Loop& loop, ProbeSpec spec, Run run, Failed failed, Verdict verdict);
  ~Prober();
  // `running_for`: how long the container has been running (adopted ones are not young).
  void start(Duration running_for);
  const ProbeSpec& spec() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
