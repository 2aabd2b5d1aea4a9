#pragma once

// ImagePuller: makes sure that an image is there before a container is made of it: pull policies, bounded parallel
// pulls, back-off per pod and image, and the events and waiting reasons that the kubelet gives. One loop.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "node/back_off.h"
#include "node/runtime/runtime.h"
#include "object/object.h"

namespace stead::node {

struct RegistryLogin {
  std::string registry;  // as in .dockerconfigjson: "https://index.docker.io/v1/", "registry.example:5000"
  std::string user;
  std::string password;
};
// The logins of Secrets of type kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg. Pure; what cannot be
// read is left out.
std::vector<RegistryLogin> read_logins(const std::vector<object::ObjectPtr>& secrets);
// The login for an image reference; nullptr: none fits.
const RegistryLogin* login_for(const std::vector<RegistryLogin>& logins, const std::string& image);

// "Always" where nothing is said and the tag is latest or missing, else "IfNotPresent" (API defaulting).
std::string pull_policy(const object::Value& container);

struct PullOutcome {
  bool ok = false;
  std::optional<ImageInfo> image;
  std::string reason;  // ErrImagePull, ImagePullBackOff, ErrImageNeverPull, InvalidImageName, ImageInspectError
  std::string message;
  Instant retry_at{};
};

class ImagePuller {
 public:
  ImagePuller(loop::Loop& loop, loop::WorkerPool& pool, ContainerRuntime& runtime, size_t parallel_max);
  ~ImagePuller();

  struct Request {
    std::string image;
    std::string policy;
    std::string pod_uid;
    std::vector<RegistryLogin> logins;
    // type, reason, message
    std::function<void(const char*, const char*, std::string)> record;
  };
  // `done` runs once, later, unless the puller dies first.
  void ensure(Request request, std::function<void(PullOutcome)> done);
  void forget_pod(const std::string& pod_uid);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
