#include "node/images/image_puller.h"

#include <fmt/format.h>

#include "node/background.h"
#include "node/runtime/image_name.h"
#include "object/base64.h"
#include "object/codec.h"

namespace stead::node {
namespace {

using object::Value;

void add_logins(std::vector<RegistryLogin>& logins, const Value& auths) {
  for (const auto& member : auths.members()) {
    RegistryLogin login;
    login.registry = member.name();
    login.user = member.value.at("username").as_string();
    login.password = member.value.at("password").as_string();
    auto pair = object::decode_base64(member.value.at("auth").as_string());
    if (login.user.empty() && pair.ok()) {
      size_t colon = pair->find(':');
      if (colon == std::string::npos) continue;
      login.user = pair->substr(0, colon);
      login.password = pair->substr(colon + 1);
    }
    if (!login.user.empty()) logins.push_back(std::move(login));
  }
}

std::string registry_host(std::string_view text) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  }
  std::string host(text.substr(0, text.find('/')));
  return host == "index.docker.io" || host == "registry-1.docker.io" ? "docker.io" : host;
}

std::string image_host(const std::string& image) {
  size_t slash = image.find('/');
  if (slash == std::string::npos) return "docker.io";
  std::string first = image.substr(0, slash);
  bool is_host = first.find_first_of(".:") != std::string::npos || first == "localhost";
  return is_host ? registry_host(first) : "docker.io";
}

// The registry was not reached, as against having refused.
bool unreachable(const Error& error) {
  if (error.reason == Reason::kUnavailable || error.reason == Reason::kTimeout) return true;
  for (std::string_view sign : {"dial tcp", "no such host", "connection refused", "i/o timeout",
                                "network is unreachable", "TLS handshake timeout", "failed to do request",
                                "context deadline exceeded", "no route to host", "server misbehaving"}) {
    if (error.message.find(sign) != std::string::npos) return true;
  }
  return false;
}

std::string seconds_text(Duration span) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  return ms < 1000 ? fmt::format("{}ms", ms) : fmt::format("{:.3f}s", static_cast<double>(ms) / 1000);
}

}  // namespace

std::vector<RegistryLogin> read_logins(const std::vector<object::ObjectPtr>& secrets) {
  std::vector<RegistryLogin> logins;
  for (const auto& secret : secrets) {
    for (std::string_view key : {".dockerconfigjson", ".dockercfg"}) {
      auto bytes = object::decode_base64(secret->document().at({"data", key}).as_string());
      if (!bytes.ok() || bytes->empty()) continue;
      auto config = object::parse_json(*bytes);
      if (config.ok()) add_logins(logins, key == ".dockercfg" ? *config : config->at("auths"));
    }
  }
  return logins;
}

const RegistryLogin* login_for(const std::vector<RegistryLogin>& logins, const std::string& image) {
  std::string host = image_host(image);
  for (const RegistryLogin& login : logins) {
    if (registry_host(login.registry) == host) return &login;
  }
  return nullptr;
}

std::string pull_policy(const Value& container) {
  std::string_view policy = container.at("imagePullPolicy").as_string();
  if (!policy.empty()) return std::string(policy);
  std::string_view image = container.at("image").as_string();
  if (image.find('@') != std::string_view::npos) return "IfNotPresent";
  size_t colon = image.find(':', image.find_last_of('/') == std::string_view::npos ? 0 : image.find_last_of('/'));
  bool latest = colon == std::string_view::npos || image.substr(colon + 1) == "latest";
  return latest ? "Always" : "IfNotPresent";
}

struct ImagePuller::State : std::enable_shared_from_this<ImagePuller::State> {
  struct Pull {
    Request request;
    std::function<void(PullOutcome)> done;
    std::optional<ImageInfo> present;
    Instant asked_at{};
  };
  using PullPtr = std::shared_ptr<Pull>;
  struct Failure {
    BackOff back_off = kubelet_back_off();
    Instant until{};
    std::string message;
  };

  State(loop::Loop& the_loop, loop::WorkerPool& the_pool, ContainerRuntime& the_runtime, size_t the_parallel_max)
      : loop(the_loop), pool(the_pool), runtime(the_runtime), parallel_max(the_parallel_max) {}

  loop::Loop& loop;
  loop::WorkerPool& pool;
  ContainerRuntime& runtime;
  const size_t parallel_max;
  size_t pulling = 0;
  std::deque<PullPtr> waiting;
  std::map<std::pair<std::string, std::string>, Failure> failures;  // by pod uid and image

  template <class Work, class Done>
  void background(Work work, Done done) {
    in_background(pool, loop, std::move(work), [weak = weak_from_this(), done = std::move(done)](auto result) mutable {
      if (auto self = weak.lock()) done(*self, std::move(result));
    });
  }

  void ensure(PullPtr pull) {
    pull->asked_at = loop.now();
    auto name = normal_image_name(pull->request.image);
    if (!name.ok()) {
      loop.post([weak = weak_from_this(), pull, why = name.error().message] {
        if (auto self = weak.lock()) self->refuse_name(pull, why);
      });
      return;
    }
    background([&runtime = runtime, image = pull->request.image] { return runtime.image_status(image); },
               [pull](State& self, Result<std::optional<ImageInfo>> found) { self.decide(pull, std::move(found)); });
  }

  void refuse_name(const PullPtr& pull, const std::string& why) {
    const std::string& image = pull->request.image;
    std::string message = fmt::format("Failed to apply default image tag \"{}\": couldn't parse image name \"{}\": {}",
                                      image, image, why);
    pull->request.record("Warning", "InspectFailed", message);
    fail(pull, "InvalidImageName", message);
  }

  void decide(const PullPtr& pull, Result<std::optional<ImageInfo>> found) {
    const Request& request = pull->request;
    if (!found.ok()) {
      std::string message = fmt::format("Failed to inspect image \"{}\": {}", request.image, found.error().message);
      request.record("Warning", "InspectFailed", message);
      return fail(pull, "ImageInspectError", message);
    }
    pull->present = std::move(*found);
    if (pull->present && request.policy != "Always") {
      request.record("Normal", "Pulled",
                     fmt::format("Container image \"{}\" already present on machine and can be accessed by the pod",
                                 request.image));
      return succeed(pull);
    }
    if (request.policy == "Never") {
      std::string message =
          fmt::format("Container image \"{}\" is not present with pull policy of Never", request.image);
      request.record("Warning", "ErrImageNeverPull", message);
      return fail(pull, "ErrImageNeverPull", message);
    }
    auto failed = failures.find({request.pod_uid, request.image});
    if (failed != failures.end() && failed->second.until > loop.now()) {
      request.record("Normal", "BackOff", fmt::format("Back-off pulling image \"{}\"", request.image));
      PullOutcome outcome;
      outcome.reason = "ImagePullBackOff";
      outcome.message =
          fmt::format("Back-off pulling image \"{}\": ErrImagePull: {}", request.image, failed->second.message);
      outcome.retry_at = failed->second.until;
      return pull->done(std::move(outcome));
    }
    waiting.push_back(pull);
    next();
  }

  void next() {
    while (pulling < parallel_max && !waiting.empty()) {
      PullPtr pull = waiting.front();
      waiting.pop_front();
      ++pulling;
      start(pull);
    }
  }

  void start(const PullPtr& pull) {
    const Request& request = pull->request;
    request.record("Normal", "Pulling", fmt::format("Pulling image \"{}\"", request.image));
    Instant started = loop.now();
    const RegistryLogin* login = login_for(request.logins, request.image);
    auto work = [&runtime = runtime, image = request.image, user = login != nullptr ? login->user : std::string(),
                 password = login != nullptr ? login->password : std::string()]() -> Result<std::optional<ImageInfo>> {
      STEAD_TRY_VOID(runtime.pull_image(image, user, password));
      return runtime.image_status(image);
    };
    background(std::move(work), [pull, started](State& self, Result<std::optional<ImageInfo>> pulled) {
      --self.pulling;
      self.pulled(pull, started, std::move(pulled));
      self.next();
    });
  }

  void pulled(const PullPtr& pull, Instant started, Result<std::optional<ImageInfo>> result) {
    const Request& request = pull->request;
    std::pair key{request.pod_uid, request.image};
    if (result.ok()) {
      failures.erase(key);
      pull->present = std::move(*result);
      request.record("Normal", "Pulled",
                     fmt::format("Successfully pulled image \"{}\" in {} ({} including waiting). Image size: {} bytes.",
                                 request.image, seconds_text(loop.now() - started),
                                 seconds_text(loop.now() - pull->asked_at), pull->present ? pull->present->bytes : 0));
      return succeed(pull);
    }
    const Error& error = result.error();
    if (pull->present && unreachable(error)) {
      request.record("Warning", "RegistryUnreachable",
                     fmt::format("Using the image \"{}\" that is present on the machine, as its registry cannot be "
                                 "reached: {}",
                                 request.image, error.message));
      return succeed(pull);
    }
    request.record("Warning", "Failed", fmt::format("Failed to pull image \"{}\": {}", request.image, error.message));
    Failure& failure = failures[key];
    failure.until = loop.now() + failure.back_off.next(loop.now());
    failure.message = error.message;
    PullOutcome outcome;
    outcome.reason = "ErrImagePull";
    outcome.message = error.message;
    // The wait is shown as ImagePullBackOff by the next try, which finds the back-off running.
    outcome.retry_at = loop.now() + std::chrono::seconds(1);
    pull->done(std::move(outcome));
  }

  void succeed(const PullPtr& pull) {
    PullOutcome outcome;
    outcome.ok = true;
    outcome.image = pull->present;
    pull->done(std::move(outcome));
  }

  void fail(const PullPtr& pull, const char* reason, std::string message) {
    PullOutcome outcome;
    outcome.reason = reason;
    outcome.message = std::move(message);
    outcome.retry_at = loop.now() + std::chrono::seconds(10);
    pull->done(std::move(outcome));
  }
};

ImagePuller::ImagePuller(loop::Loop& loop, loop::WorkerPool& pool, ContainerRuntime& runtime, size_t parallel_max)
    : state_(std::make_shared<State>(loop, pool, runtime, parallel_max)) {}

ImagePuller::~ImagePuller() = default;

void ImagePuller::ensure(Request request, std::function<void(PullOutcome)> done) {
  auto pull = std::make_shared<State::Pull>();
  pull->request = std::move(request);
  pull->done = std::move(done);
  state_->ensure(std::move(pull));
}

void ImagePuller::forget_pod(const std::string& pod_uid) {
  std::erase_if(state_->failures, [&](const auto& entry) { return entry.first.first == pod_uid; });
}

}  // namespace stead::node
