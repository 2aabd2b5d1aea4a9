#include "node/runtime/cri_runtime_adapter.h"

#include <fmt/format.h>

#include <mutex>
#include <unordered_map>

#include "cri.grpc.pb.h"
#include "node/runtime/cri_messages.h"
#include "node/runtime/grpc_connection.h"
#include "node/runtime/kept_connection.h"
#include "node/runtime/runtime_event_stream.h"

namespace stead::node {

namespace {

namespace cri = runtime::v1;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Runtime = cri::RuntimeService::Stub;
using Images = cri::ImageService::Stub;

// The kubelet's --runtime-request-timeout; sandboxes and pulls get longer there as well.
constexpr milliseconds kCallTimeout = minutes(2);
constexpr milliseconds kSandboxTimeout = minutes(4);
constexpr milliseconds kPullTimeout = minutes(15);
constexpr milliseconds kExecSlack = seconds(5);

// Which sandbox each known container belongs to. Fed by answers, bounded by what the runtime holds.
class OwnerIndex {
 public:
  void add_sandbox(const std::string& id) { add(id, ""); }
  void add(const std::string& id, const std::string& sandbox_id) {
    std::lock_guard lock(mutex_);
    owners_[id] = sandbox_id;
  }
  void remove(const std::string& id) {
    std::lock_guard lock(mutex_);
    owners_.erase(id);
    std::erase_if(owners_, [&](const auto& entry) { return entry.second == id; });
  }
  RuntimeEvent resolve(const std::string& id) {
    std::lock_guard lock(mutex_);
    auto found = owners_.find(id);
    if (found == owners_.end()) return {"", id};
    return found->second.empty() ? RuntimeEvent{id, ""} : RuntimeEvent{found->second, id};
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> owners_;
};

class CriRuntime final : public ContainerRuntime {
 public:
  explicit CriRuntime(const std::string& socket_path)
      : channel_(open_channel(socket_path)),
        runtime_(cri::RuntimeService::NewStub(channel_)),
        images_(cri::ImageService::NewStub(channel_)),
        starts_(socket_path) {}

  Result<std::string> version() override {
    STEAD_TRY(answer, call(&Runtime::Version, cri::VersionRequest(), "Version"));
    return answer.runtime_name() + "://" + answer.runtime_version();
  }

  Result<std::string> not_ready_reason() override {
    STEAD_TRY(answer, call(&Runtime::Status, cri::StatusRequest(), "Status"));
    for (const auto& condition : answer.status().conditions()) {
      if (condition.status()) continue;
      return fmt::format(
          "container runtime {} not ready: {}=false reason:{} message:{}",
          condition.type() == "NetworkReady" ? "network" : "status check may not have completed yet and is",
          condition.type(), condition.reason(), condition.message());
    }
    return std::string();
  }

  Result<std::string> run_sandbox(const SandboxConfig& config) override {
    cri::RunPodSandboxRequest request;
    *request.mutable_config() = sandbox_message(config);
    STEAD_TRY(answer, call(&Runtime::RunPodSandbox, request, "RunPodSandbox", kSandboxTimeout));
    owners_.add_sandbox(answer.pod_sandbox_id());
    return answer.pod_sandbox_id();
  }

  Result<void> stop_sandbox(const std::string& id) override {
    cri::StopPodSandboxRequest request;
    request.set_pod_sandbox_id(id);
    return done(call(&Runtime::StopPodSandbox, request, "StopPodSandbox"));
  }

  Result<void> remove_sandbox(const std::string& id) override {
    cri::RemovePodSandboxRequest request;
    request.set_pod_sandbox_id(id);
    STEAD_TRY_VOID(call(&Runtime::RemovePodSandbox, request, "RemovePodSandbox"));
    owners_.remove(id);
    return {};
  }

  Result<std::vector<SandboxInfo>> list_sandboxes() override {
    STEAD_TRY(answer, call(&Runtime::ListPodSandbox, cri::ListPodSandboxRequest(), "ListPodSandbox"));
    std::vector<SandboxInfo> infos;
    for (const auto& item : answer.items()) {
      owners_.add_sandbox(item.id());
      infos.push_back(sandbox_info(item));
    }
    return infos;
  }

  Result<SandboxStatus> sandbox_status(const std::string& id) override {
    cri::PodSandboxStatusRequest request;
    request.set_pod_sandbox_id(id);
    STEAD_TRY(answer, call(&Runtime::PodSandboxStatus, request, "PodSandboxStatus"));
    return node::sandbox_status(answer.status());
  }

  Result<std::string> create_container(const std::string& sandbox_id, const ContainerConfig& config,
                                       const SandboxConfig& sandbox) override {
    cri::CreateContainerRequest request;
    request.set_pod_sandbox_id(sandbox_id);
    *request.mutable_config() = container_message(config);
    *request.mutable_sandbox_config() = sandbox_message(sandbox);
    STEAD_TRY(answer, call(&Runtime::CreateContainer, request, "CreateContainer"));
    owners_.add(answer.container_id(), sandbox_id);
    return answer.container_id();
  }

  Result<void> start_container(const std::string& id) override {
    cri::StartContainerRequest request;
    request.set_container_id(id);
    STEAD_TRY(channel, starts_.channel());
    Runtime stub(channel);
    return done(call_unary(stub, &Runtime::StartContainer, request, kCallTimeout, "StartContainer"));
  }

  Result<void> stop_container(const std::string& id, seconds grace) override {
    cri::StopContainerRequest request;
    request.set_container_id(id);
    request.set_timeout(grace.count());
    return done(call(&Runtime::StopContainer, request, "StopContainer", grace + kCallTimeout));
  }

  Result<void> remove_container(const std::string& id) override {
    cri::RemoveContainerRequest request;
    request.set_container_id(id);
    STEAD_TRY_VOID(call(&Runtime::RemoveContainer, request, "RemoveContainer"));
    owners_.remove(id);
    return {};
  }

  Result<std::vector<ContainerInfo>> list_containers() override {
    STEAD_TRY(answer, call(&Runtime::ListContainers, cri::ListContainersRequest(), "ListContainers"));
    std::vector<ContainerInfo> infos;
    for (const auto& container : answer.containers()) {
      owners_.add(container.id(), container.pod_sandbox_id());
      infos.push_back(container_info(container));
    }
    return infos;
  }

  // CRI's status does not name the sandbox; the index does where it knows.
  Result<ContainerStatus> container_status(const std::string& id) override {
    cri::ContainerStatusRequest request;
    request.set_container_id(id);
    STEAD_TRY(answer, call(&Runtime::ContainerStatus, request, "ContainerStatus"));
    ContainerStatus status = node::container_status(answer.status());
    status.sandbox_id = owners_.resolve(id).sandbox_id;
    return status;
  }

  Result<void> update_resources(const std::string& id, const Resources& resources) override {
    cri::UpdateContainerResourcesRequest request;
    request.set_container_id(id);
    *request.mutable_linux() = resources_message(resources);
    return done(call(&Runtime::UpdateContainerResources, request, "UpdateContainerResources"));
  }

  Result<void> reopen_log(const std::string& id) override {
    cri::ReopenContainerLogRequest request;
    request.set_container_id(id);
    return done(call(&Runtime::ReopenContainerLog, request, "ReopenContainerLog"));
  }

  // CRI counts the timeout in whole seconds, and only at CRI's own timeout does containerd 1.6 kill the process: a call
  // that ends before leaves it running. So fractions are rounded up, and the call's deadline is a second line.
  Result<ExecResult> exec_sync(const std::string& id, const std::vector<std::string>& command,
                               milliseconds timeout) override {
    cri::ExecSyncRequest request;
    request.set_container_id(id);
    for (const std::string& word : command) request.add_cmd(word);
    request.set_timeout(std::chrono::ceil<seconds>(timeout).count());
    const milliseconds deadline = timeout.count() > 0 ? seconds(request.timeout()) + kExecSlack : milliseconds(0);
    auto answer = call(&Runtime::ExecSync, request, "ExecSync", deadline);
    if (answer.ok()) return exec_result(*answer);
    if (answer.error().reason != Reason::kTimeout) return answer.error();
    ExecResult result;
    result.exit_code = -1;
    result.timed_out = true;
    result.output = answer.error().message;
    return result;
  }

  Result<std::string> exec_url(const std::string& id, const std::vector<std::string>& command, bool tty, bool in,
                               bool out, bool err) override {
    cri::ExecRequest request;
    request.set_container_id(id);
    for (const std::string& word : command) request.add_cmd(word);
    request.set_tty(tty);
    request.set_stdin(in);
    request.set_stdout(out);
    request.set_stderr(err && !tty);  // CRI refuses a terminal with a stderr of its own
    STEAD_TRY(answer, call(&Runtime::Exec, request, "Exec"));
    return answer.url();
  }

  Result<std::string> attach_url(const std::string& id, bool tty, bool in, bool out, bool err) override {
    cri::AttachRequest request;
    request.set_container_id(id);
    request.set_tty(tty);
    request.set_stdin(in);
    request.set_stdout(out);
    request.set_stderr(err && !tty);
    STEAD_TRY(answer, call(&Runtime::Attach, request, "Attach"));
    return answer.url();
  }

  Result<std::string> port_forward_url(const std::string& sandbox_id, const std::vector<int32_t>& ports) override {
    cri::PortForwardRequest request;
    request.set_pod_sandbox_id(sandbox_id);
    for (int32_t port : ports) request.add_port(port);
    STEAD_TRY(answer, call(&Runtime::PortForward, request, "PortForward"));
    return answer.url();
  }

  Result<std::vector<ContainerUsage>> container_stats() override {
    STEAD_TRY(answer, call(&Runtime::ListContainerStats, cri::ListContainerStatsRequest(), "ListContainerStats"));
    std::vector<ContainerUsage> usages;
    for (const auto& stats : answer.stats()) usages.push_back(container_usage(stats));
    return usages;
  }

  Result<std::optional<ImageInfo>> image_status(const std::string& reference) override {
    cri::ImageStatusRequest request;
    request.mutable_image()->set_image(reference);
    STEAD_TRY(answer, call(&Images::ImageStatus, request, "ImageStatus"));
    if (!answer.has_image() || answer.image().id().empty()) return std::optional<ImageInfo>();
    return std::optional<ImageInfo>(image_info(answer.image()));
  }

  Result<std::string> pull_image(const std::string& reference, const std::string& user,
                                 const std::string& password) override {
    cri::PullImageRequest request;
    request.mutable_image()->set_image(reference);
    if (!user.empty()) {
      request.mutable_auth()->set_username(user);
      request.mutable_auth()->set_password(password);
    }
    STEAD_TRY(answer, call(&Images::PullImage, request, "PullImage", kPullTimeout));
    return answer.image_ref();
  }

  Result<std::vector<ImageInfo>> list_images() override {
    STEAD_TRY(answer, call(&Images::ListImages, cri::ListImagesRequest(), "ListImages"));
    std::vector<ImageInfo> infos;
    for (const auto& image : answer.images()) infos.push_back(image_info(image));
    return infos;
  }

  Result<void> remove_image(const std::string& reference) override {
    cri::RemoveImageRequest request;
    request.mutable_image()->set_image(reference);
    return done(call(&Images::RemoveImage, request, "RemoveImage"));
  }

  std::shared_ptr<void> watch_events(std::function<void(RuntimeEvent)> handler) override {
    return follow_runtime_events(channel_, {.handler = std::move(handler),
                                            .settled = [this](const std::string& id) { return is_settled(id); },
                                            .resolve = [this](const std::string& id) { return owners_.resolve(id); }});
  }

 private:
  template <class Request, class Response>
  Result<Response> call(grpc::Status (Runtime::*method)(grpc::ClientContext*, const Request&, Response*),
                        const Request& request, const char* name, milliseconds timeout = kCallTimeout) {
    return call_unary(*runtime_, method, request, timeout, name);
  }

  template <class Request, class Response>
  Result<Response> call(grpc::Status (Images::*method)(grpc::ClientContext*, const Request&, Response*),
                        const Request& request, const char* name, milliseconds timeout = kCallTimeout) {
    return call_unary(*images_, method, request, timeout, name);
  }

  template <class Response>
  static Result<void> done(const Result<Response>& answer) {
    if (!answer.ok()) return answer.error();
    return {};
  }

  // An event says that `id` ended. Gone, unreachable or recorded as ended: nothing is left to wait for. "Created" is
  // what CRI still says of a program that ended before its start was recorded.
  bool is_settled(const std::string& id) {
    const RuntimeEvent event = owners_.resolve(id);
    if (event.container_id.empty()) {
      auto status = sandbox_status(id);
      return !status.ok() || !status->ready;
    }
    auto status = container_status(id);
    return !status.ok() || (status->state != ContainerState::kRunning && status->state != ContainerState::kCreated);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Runtime> runtime_;
  const std::unique_ptr<Images> images_;
  KeptConnection starts_;
  OwnerIndex owners_;
};

}  // namespace

std::unique_ptr<ContainerRuntime> make_cri_runtime(const std::string& socket_path) {
  return std::make_unique<CriRuntime>(socket_path);
}

}  // namespace stead::node
