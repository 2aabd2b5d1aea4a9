#pragma once

// A container runtime in memory, for tests and simulated nodes. It outlives the node part that drives it, as a real
// runtime outlives a crash of the kubelet. Containers are programs of two numbers: how long they run and how they
// end. Every method may be called from any thread; events and program ends are tasks of the given loop.
//
//   container:  kCreated --start--> kRunning --program's end, stop, kill_container, crash_sandbox--> kExited
//   sandbox:    ready --stop, crash_sandbox--> not ready
//
// Blocking calls take no virtual time: a simulation cannot wait inside a task. What takes time in a real runtime
// (a start, a slow stop) is modelled by `on_call`, which a test may also use to block a real thread.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "loop/loop.h"
#include "node/runtime/runtime.h"

namespace stead::node {

// What a container does once started. The default runs until it is stopped.
struct FakeProgram {
  std::optional<Duration> runs_for;
  int32_t exit_code = 0;
  std::string reason;             // empty: "Completed" for exit code 0, "Error" for others
  int32_t exit_code_on_stop = 0;  // what SIGTERM makes of it; 137 for a program that has to be killed
};

struct FakeRuntimeOptions {
  // Sandboxes get addresses <address_prefix>.2, .3 … .254, then the next /24 ("10.42.0" → "10.42.1").
  std::string address_prefix = "10.42.0";
  std::function<FakeProgram(const SandboxConfig&, const ContainerConfig&)> program;
  // exec_sync's answer; null: exit code 0, no output.
  std::function<ExecResult(const ContainerStatus&, const std::vector<std::string>&)> exec;
  // Called before every call with its name ("run_sandbox", "start_container" …) and subject (pod or container name,
  // id, image). A returned error is the call's answer.
  std::function<Result<void>(std::string_view call, std::string_view subject)> on_call;
  // Images that image_status does not know until they are pulled. Everything else is present.
  std::set<std::string> images_absent;
};

class FakeRuntime final : public ContainerRuntime {
 public:
  // `loop` outlives the runtime.
  FakeRuntime(loop::Loop& loop, FakeRuntimeOptions options);
  ~FakeRuntime() override;

  // The program of container `id` ends now. False: no such running container.
  bool kill_container(const std::string& id, int32_t exit_code, const std::string& reason = "");
  // The sandbox and all its containers die now, as in a crash of the pause process.
  bool crash_sandbox(const std::string& id);
  // The machine restarts: nothing runs any more, records stay.
  void crash_machine();
  // While unavailable every call fails with kUnavailable and no event is delivered; containers live on. Becoming
  // available sends the empty event.
  void set_available(bool available);
  size_t running_containers() const;
  // What container `id` was last held to.
  Resources resources_of(const std::string& id) const;

  Result<std::string> version() override;
  Result<std::string> not_ready_reason() override;
  Result<std::string> run_sandbox(const SandboxConfig& config) override;
  Result<void> stop_sandbox(const std::string& id) override;
  Result<void> remove_sandbox(const std::string& id) override;
  Result<std::vector<SandboxInfo>> list_sandboxes() override;
  Result<SandboxStatus> sandbox_status(const std::string& id) override;
  Result<std::string> create_container(const std::string& sandbox_id, const ContainerConfig& config,
                                       const SandboxConfig& sandbox) override;
  Result<void> start_container(const std::string& id) override;
  Result<void> stop_container(const std::string& id, std::chrono::seconds grace) override;
  Result<void> remove_container(const std::string& id) override;
  Result<std::vector<ContainerInfo>> list_containers() override;
  Result<ContainerStatus> container_status(const std::string& id) override;
  Result<void> update_resources(const std::string& id, const Resources& resources) override;
  Result<void> reopen_log(const std::string& id) override;
  Result<ExecResult> exec_sync(const std::string& id, const std::vector<std::string>& command,
                               std::chrono::milliseconds timeout) override;
  // There is no streaming server: the three URLs fail with kNotImplemented.
  Result<std::string> exec_url(const std::string& id, const std::vector<std::string>& command, bool tty, bool in,
                               bool out, bool err) override;
  Result<std::string> attach_url(const std::string& id, bool tty, bool in, bool out, bool err) override;
  Result<std::string> port_forward_url(const std::string& sandbox_id, const std::vector<int32_t>& ports) override;
  Result<std::vector<ContainerUsage>> container_stats() override;
  Result<std::optional<ImageInfo>> image_status(const std::string& reference) override;
  Result<std::string> pull_image(const std::string& reference, const std::string& user,
                                 const std::string& password) override;
  Result<std::vector<ImageInfo>> list_images() override;
  Result<void> remove_image(const std::string& reference) override;
  std::shared_ptr<void> watch_events(std::function<void(RuntimeEvent)> handler) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
