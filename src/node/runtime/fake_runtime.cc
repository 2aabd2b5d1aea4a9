#include "node/runtime/fake_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace stead::node {

namespace {

Error not_found(std::string_view what, const std::string& id) {
  return make_error(Reason::kNotFound, fmt::format("no {} \"{}\"", what, id));
}

struct Container {
  ContainerStatus status;
  FakeProgram program;
  Resources resources;
};

struct Subscriber {
  std::function<void(RuntimeEvent)> handler;
};

}  // namespace

// Shared with the tasks posted to the loop, which hold it weakly.
struct FakeRuntime::State : std::enable_shared_from_this<FakeRuntime::State> {
  State(loop::Loop& on, FakeRuntimeOptions with) : loop(on), options(std::move(with)) {}

  Result<void> admit(std::string_view call, std::string_view subject) {
    {
      std::lock_guard lock(mutex);
      if (!available) return make_error(Reason::kUnavailable, "the container runtime cannot be reached");
    }
    return options.on_call ? options.on_call(call, subject) : Result<void>();
  }

  // The functions below need the mutex held.

  void tell(RuntimeEvent event) {
    if (!available) return;
    for (const auto& weak : subscribers) {
      loop.post([weak, event] {
        if (auto subscriber = weak.lock()) subscriber->handler(event);
      });
    }
  }

  void finish(Container& container, int32_t exit_code, const std::string& reason) {
    ContainerStatus& status = container.status;
    if (status.state != ContainerState::kRunning) return;
    status.state = ContainerState::kExited;
    status.finished_at = loop.wall_now();
    status.exit_code = exit_code;
    status.reason = !reason.empty() ? reason : exit_code == 0 ? "Completed" : "Error";
    --running;
    tell({status.sandbox_id, status.id});
  }

  void stop_containers_of(const std::string& sandbox_id, std::optional<int32_t> exit_code) {
    for (auto& [id, container] : containers) {
      if (container.status.sandbox_id != sandbox_id) continue;
      finish(container, exit_code.value_or(container.program.exit_code_on_stop), "");
    }
  }

  std::string next_address() {
    const uint32_t host = 2 + addresses_given % 253;
    const uint32_t subnet = addresses_given / 253;
    ++addresses_given;
    const size_t dot = options.address_prefix.rfind('.');
    const int third = std::atoi(options.address_prefix.c_str() + dot + 1);
    return fmt::format("{}.{}.{}", options.address_prefix.substr(0, dot), third + subnet, host);
  }

  std::string next_id(std::string_view kind) { return fmt::format("{}-{:08}", kind, ++ids_given); }

  void schedule_end(const Container& container) {
    loop.call_after(*container.program.runs_for, [weak = weak_from_this(), id = container.status.id] {
      auto self = weak.lock();
      if (!self) return;
      std::lock_guard lock(self->mutex);
      auto found = self->containers.find(id);
      if (found == self->containers.end()) return;
      self->finish(found->second, found->second.program.exit_code, found->second.program.reason);
    });
  }

  loop::Loop& loop;
  const FakeRuntimeOptions options;
  mutable std::mutex mutex;
  bool available = true;
  size_t running = 0;
  uint32_t addresses_given = 0;
  uint64_t ids_given = 0;
  std::map<std::string, SandboxStatus> sandboxes;
  std::map<std::string, Container> containers;
  std::set<std::string> images_absent = options.images_absent;
  std::set<std::string> images_used;
  std::vector<std::weak_ptr<Subscriber>> subscribers;
};

FakeRuntime::FakeRuntime(loop::Loop& loop, FakeRuntimeOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

FakeRuntime::~FakeRuntime() = default;

bool FakeRuntime::kill_container(const std::string& id, int32_t exit_code, const std::string& reason) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->containers.find(id);
  if (found == state_->containers.end() || found->second.status.state != ContainerState::kRunning) return false;
  state_->finish(found->second, exit_code, reason);
  return true;
}

bool FakeRuntime::crash_sandbox(const std::string& id) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->sandboxes.find(id);
  if (found == state_->sandboxes.end() || !found->second.ready) return false;
  found->second.ready = false;
  state_->stop_containers_of(id, 137);
  state_->tell({id, ""});
  return true;
}

void FakeRuntime::crash_machine() {
  std::lock_guard lock(state_->mutex);
  for (auto& [id, sandbox] : state_->sandboxes) sandbox.ready = false;
  for (auto& [id, container] : state_->containers) state_->finish(container, 255, "Unknown");
  state_->tell({});
}

void FakeRuntime::set_available(bool available) {
  std::lock_guard lock(state_->mutex);
  const bool back = available && !state_->available;
  state_->available = available;
  if (back) state_->tell({});
}

size_t FakeRuntime::running_containers() const {
  std::lock_guard lock(state_->mutex);
  return state_->running;
}

Result<std::string> FakeRuntime::version() {
  STEAD_TRY_VOID(state_->admit("version", ""));
  return std::string("simulated://1");
}

Result<std::string> FakeRuntime::not_ready_reason() {
  STEAD_TRY_VOID(state_->admit("not_ready_reason", ""));
  return std::string();
}

Result<std::string> FakeRuntime::run_sandbox(const SandboxConfig& config) {
  STEAD_TRY_VOID(state_->admit("run_sandbox", config.name));
  std::lock_guard lock(state_->mutex);
  // A real runtime reserves the name of a sandbox: uid and attempt are part of it.
  for (const auto& [id, other] : state_->sandboxes) {
    if (other.uid == config.uid && other.attempt == config.attempt && other.name == config.name) {
      return make_error(Reason::kAlreadyExists,
                        fmt::format("sandbox of pod \"{}\" is reserved for {}", config.name, id));
    }
  }
  SandboxStatus status;
  status.id = state_->next_id("sandbox");
  status.ready = true;
  status.created_at = state_->loop.wall_now();
  status.name = config.name;
  status.ns = config.ns;
  status.uid = config.uid;
  status.attempt = config.attempt;
  status.labels = config.labels;
  status.annotations = config.annotations;
  if (!config.security.host_network) status.ip = state_->next_address();
  const std::string id = status.id;
  state_->sandboxes.emplace(id, std::move(status));
  state_->tell({id, ""});
  return id;
}

Result<void> FakeRuntime::stop_sandbox(const std::string& id) {
  STEAD_TRY_VOID(state_->admit("stop_sandbox", id));
  std::lock_guard lock(state_->mutex);
  auto found = state_->sandboxes.find(id);
  if (found == state_->sandboxes.end() || !found->second.ready) return {};  // CRI: stopping is idempotent
  found->second.ready = false;
  state_->stop_containers_of(id, 137);
  state_->tell({id, ""});
  return {};
}

Result<void> FakeRuntime::remove_sandbox(const std::string& id) {
  STEAD_TRY_VOID(state_->admit("remove_sandbox", id));
  std::lock_guard lock(state_->mutex);
  state_->stop_containers_of(id, 137);
  std::erase_if(state_->containers, [&](const auto& entry) { return entry.second.status.sandbox_id == id; });
  state_->sandboxes.erase(id);
  return {};
}

Result<std::vector<SandboxInfo>> FakeRuntime::list_sandboxes() {
  STEAD_TRY_VOID(state_->admit("list_sandboxes", ""));
  std::lock_guard lock(state_->mutex);
  std::vector<SandboxInfo> infos;
  for (const auto& [id, sandbox] : state_->sandboxes) infos.push_back(sandbox);
  return infos;
}

Result<SandboxStatus> FakeRuntime::sandbox_status(const std::string& id) {
  STEAD_TRY_VOID(state_->admit("sandbox_status", id));
  std::lock_guard lock(state_->mutex);
  auto found = state_->sandboxes.find(id);
  if (found == state_->sandboxes.end()) return not_found("sandbox", id);
  return found->second;
}

Result<std::string> FakeRuntime::create_container(const std::string& sandbox_id, const ContainerConfig& config,
                                                  const SandboxConfig& sandbox) {
  STEAD_TRY_VOID(state_->admit("create_container", config.name));
  FakeProgram program = state_->options.program ? state_->options.program(sandbox, config) : FakeProgram{};
  std::lock_guard lock(state_->mutex);
  if (!state_->sandboxes.contains(sandbox_id)) return not_found("sandbox", sandbox_id);
  if (state_->images_absent.contains(config.image)) return not_found("image", config.image);
  for (const auto& [id, other] : state_->containers) {
    if (other.status.sandbox_id == sandbox_id && other.status.name == config.name &&
        other.status.attempt == config.attempt) {
      return make_error(Reason::kAlreadyExists, fmt::format("container \"{}\" is reserved for {}", config.name, id));
    }
  }
  Container container;
  container.program = std::move(program);
  container.resources = config.resources;
  ContainerStatus& status = container.status;
  status.id = state_->next_id("container");
  status.sandbox_id = sandbox_id;
  status.name = config.name;
  status.attempt = config.attempt;
  status.image = config.image;
  status.image_ref = config.image;
  status.state = ContainerState::kCreated;
  status.created_at = state_->loop.wall_now();
  status.labels = config.labels;
  status.annotations = config.annotations;
  status.log_path = sandbox.log_directory + "/" + config.log_path;
  const std::string id = status.id;
  state_->images_used.insert(config.image);
  state_->containers.emplace(id, std::move(container));
  return id;
}

Result<void> FakeRuntime::start_container(const std::string& id) {
  STEAD_TRY_VOID(state_->admit("start_container", id));
  std::lock_guard lock(state_->mutex);
  auto found = state_->containers.find(id);
  if (found == state_->containers.end()) return not_found("container", id);
  Container& container = found->second;
  if (container.status.state != ContainerState::kCreated) {
    return make_error(Reason::kInternal, fmt::format("container \"{}\" was started before", id));
  }
  auto sandbox = state_->sandboxes.find(container.status.sandbox_id);
  if (sandbox == state_->sandboxes.end() || !sandbox->second.ready) {
    return make_error(Reason::kInternal, fmt::format("sandbox of container \"{}\" is not running", id));
  }
  container.status.state = ContainerState::kRunning;
  container.status.started_at = state_->loop.wall_now();
  ++state_->running;
  state_->tell({container.status.sandbox_id, id});
  if (container.program.runs_for) state_->schedule_end(container);
  return {};
}

Result<void> FakeRuntime::stop_container(const std::string& id, std::chrono::seconds) {
  STEAD_TRY_VOID(state_->admit("stop_container", id));
  std::lock_guard lock(state_->mutex);
  auto found = state_->containers.find(id);
  if (found == state_->containers.end()) return not_found("container", id);
  state_->finish(found->second, found->second.program.exit_code_on_stop, "");
  return {};
}

Result<void> FakeRuntime::remove_container(const std::string& id) {
  STEAD_TRY_VOID(state_->admit("remove_container", id));
  std::lock_guard lock(state_->mutex);
  auto found = state_->containers.find(id);
  if (found == state_->containers.end()) return {};
  state_->finish(found->second, 137, "");
  state_->containers.erase(found);
  return {};
}

Result<std::vector<ContainerInfo>> FakeRuntime::list_containers() {
  STEAD_TRY_VOID(state_->admit("list_containers", ""));
  std::lock_guard lock(state_->mutex);
  std::vector<ContainerInfo> infos;
  for (const auto& [id, container] : state_->containers) infos.push_back(container.status);
  return infos;
}

Result<ContainerStatus> FakeRuntime::container_status(const std::string& id) {
  STEAD_TRY_VOID(state_->admit("container_status", id));
  std::lock_guard lock(state_->mutex);
  auto found = state_->containers.find(id);
  if (found == state_->containers.end()) return not_found("container", id);
  return found->second.status;
}

Result<void> FakeRuntime::update_resources(const std::string& id, const Resources& resources) {
  STEAD_TRY_VOID(state_->admit("update_resources", id));
  std::lock_guard lock(state_->mutex);
  auto found = state_->containers.find(id);
  if (found == state_->containers.end()) return not_found("container", id);
  if (found->second.status.state != ContainerState::kRunning) {
    return make_error(Reason::kInternal, fmt::format("container \"{}\" is not running", id));
  }
  found->second.resources = resources;
  return {};
}

Resources FakeRuntime::resources_of(const std::string& id) const {
  std::lock_guard lock(state_->mutex);
  auto found = state_->containers.find(id);
  return found == state_->containers.end() ? Resources() : found->second.resources;
}

Result<void> FakeRuntime::reopen_log(const std::string& id) { return state_->admit("reopen_log", id); }

Result<ExecResult> FakeRuntime::exec_sync(const std::string& id, const std::vector<std::string>& command,
                                          std::chrono::milliseconds) {
  STEAD_TRY_VOID(state_->admit("exec_sync", id));
  STEAD_TRY(status, container_status(id));
  if (status.state != ContainerState::kRunning) {
    return make_error(Reason::kInternal, fmt::format("container \"{}\" is not running", id));
  }
  return state_->options.exec ? state_->options.exec(status, command) : ExecResult{};
}

Result<std::string> FakeRuntime::exec_url(const std::string&, const std::vector<std::string>&, bool, bool, bool, bool) {
  return make_error(Reason::kNotImplemented, "the simulated runtime has no streams");
}

Result<std::string> FakeRuntime::attach_url(const std::string&, bool, bool, bool, bool) {
  return make_error(Reason::kNotImplemented, "the simulated runtime has no streams");
}

Result<std::string> FakeRuntime::port_forward_url(const std::string&, const std::vector<int32_t>&) {
  return make_error(Reason::kNotImplemented, "the simulated runtime has no streams");
}

Result<std::vector<ContainerUsage>> FakeRuntime::container_stats() {
  STEAD_TRY_VOID(state_->admit("container_stats", ""));
  std::lock_guard lock(state_->mutex);
  std::vector<ContainerUsage> usages;
  for (const auto& [id, container] : state_->containers) {
    if (container.status.state != ContainerState::kRunning) continue;
    usages.push_back({id, container.status.name, container.status.labels, 0, 1 << 20});
  }
  return usages;
}

Result<std::optional<ImageInfo>> FakeRuntime::image_status(const std::string& reference) {
  STEAD_TRY_VOID(state_->admit("image_status", reference));
  std::lock_guard lock(state_->mutex);
  if (state_->images_absent.contains(reference)) return std::optional<ImageInfo>();
  ImageInfo info;
  info.id = reference;
  info.tags = {reference};
  info.bytes = 1 << 20;
  return std::optional<ImageInfo>(std::move(info));
}

Result<std::string> FakeRuntime::pull_image(const std::string& reference, const std::string&, const std::string&) {
  STEAD_TRY_VOID(state_->admit("pull_image", reference));
  std::lock_guard lock(state_->mutex);
  state_->images_absent.erase(reference);
  state_->images_used.insert(reference);
  return reference;
}

Result<std::vector<ImageInfo>> FakeRuntime::list_images() {
  STEAD_TRY_VOID(state_->admit("list_images", ""));
  std::lock_guard lock(state_->mutex);
  std::vector<ImageInfo> images;
  for (const auto& reference : state_->images_used) {
    ImageInfo info;
    info.id = reference;
    info.tags = {reference};
    info.bytes = 1 << 20;
    images.push_back(std::move(info));
  }
  return images;
}

Result<void> FakeRuntime::remove_image(const std::string& reference) {
  STEAD_TRY_VOID(state_->admit("remove_image", reference));
  std::lock_guard lock(state_->mutex);
  state_->images_absent.insert(reference);
  state_->images_used.erase(reference);
  return {};
}

std::shared_ptr<void> FakeRuntime::watch_events(std::function<void(RuntimeEvent)> handler) {
  auto subscriber = std::make_shared<Subscriber>(Subscriber{std::move(handler)});
  std::lock_guard lock(state_->mutex);
  std::erase_if(state_->subscribers, [](const auto& weak) { return weak.expired(); });
  state_->subscribers.push_back(subscriber);
  if (state_->available) {
    state_->loop.post([weak = std::weak_ptr(subscriber)] {
      if (auto alive = weak.lock()) alive->handler({});
    });
  }
  return subscriber;
}

}  // namespace stead::node
