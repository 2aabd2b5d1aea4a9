// How long a server needs to have its cache after a restart: objects of about 3 KB in a SQLite store, then open().
//
//   cache_load_bench --data-dir DIR [--objects 150000]

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>

#include "cache/cache.h"
#include "loop/asio_loop.h"
#include "object/codec.h"
#include "store/sqlite/sqlite_store.h"

namespace stead::bench {
namespace {

using object::Value;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A pod with what one carries after it has run: about 3 KB of JSON.
Value pod(const std::string& name) {
  Value pod = Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}});
  pod.set({"metadata", "name"}, name);
  pod.set({"metadata", "namespace"}, "default");
  pod.set({"metadata", "uid"}, "6b1f0d3e-2f0e-4c39-9f0c-0a7d5a1f1b11");
  pod.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  for (const char* label : {"app", "statefulset.kubernetes.io/pod-name", "controller-revision-hash"}) {
    pod.set({"metadata", "labels", label}, name);
  }
  for (int index = 0; index < 3; ++index) {
    Value container = Value::object({{"name", "container-" + std::to_string(index)},
                                     {"image", "registry.example.com/team/application:1.2.3"},
                                     {"imagePullPolicy", "IfNotPresent"},
                                     {"terminationMessagePath", "/dev/termination-log"},
                                     {"terminationMessagePolicy", "File"}});
    container.set({"resources", "requests", "cpu"}, "100m");
    container.set({"resources", "requests", "memory"}, "128Mi");
    for (int variable = 0; variable < 4; ++variable) {
      container["env"].append(Value::object({{"name", "VARIABLE_" + std::to_string(variable)}, {"value", name}}));
    }
    pod["spec"]["containers"].append(std::move(container));
    pod["status"]["containerStatuses"].append(Value::object(
        {{"name", "container-" + std::to_string(index)},
         {"ready", true},
         {"restartCount", 0},
         {"image", "registry.example.com/team/application:1.2.3"},
         {"containerID", "containerd://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}));
  }
  for (const char* type : {"Initialized", "Ready", "ContainersReady", "PodScheduled"}) {
    pod["status"]["conditions"].append(
        Value::object({{"type", type}, {"status", "True"}, {"lastTransitionTime", "2026-01-01T00:00:00Z"}}));
  }
  pod.set({"spec", "nodeName"}, "node-17");
  pod.set({"status", "phase"}, "Running");
  return pod;
}

void fill(store::Store& store, size_t objects) {
  constexpr size_t kInFlight = 2'000;
  for (size_t first = 0; first < objects; first += kInFlight) {
    size_t last = std::min(objects, first + kInFlight);
    std::promise<void> batch;
    std::atomic<size_t> waiting = last - first;
    for (size_t index = first; index < last; ++index) {
      std::string name = "web-" + std::to_string(index);
      store::Write write{.key = "/registry//pods/default/" + name};
      write.value = std::make_shared<const std::string>(object::to_json(pod(name)));
      store.write(std::move(write), [&](const auto&) {
        if (--waiting == 0) batch.set_value();
      });
    }
    batch.get_future().wait();
  }
}

int run(const std::string& data_dir, size_t objects) {
  store::SqliteOptions options;
  options.path = data_dir + "/cache-load.db";
  {
    auto store = std::move(store::open_sqlite_store(options)).value();
    double begin = now_seconds();
    fill(*store, objects);
    printf("%zu objects of %zu bytes written in %.2f s\n", objects, object::to_json(pod("web-0")).size(),
           now_seconds() - begin);
  }
  double begin = now_seconds();
  auto store = std::move(store::open_sqlite_store(options)).value();
  double opened = now_seconds();
  loop::AsioLoop loop;
  auto cache = std::move(cache::Cache::open(*store, loop)).value();
  double loaded = now_seconds();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  printf("store open %.2f s, cache open %.2f s (%.0f objects/s), %zu objects, peak %ld MiB\n", opened - begin,
         loaded - opened, static_cast<double>(objects) / (loaded - opened), cache->snapshot("/pods").objects.size(),
         usage.ru_maxrss / 1024);
  return cache->snapshot("/pods").objects.size() == objects ? 0 : 1;
}

}  // namespace
}  // namespace stead::bench

int main(int argc, char** argv) {
  std::string data_dir;
  size_t objects = 150'000;
  for (int index = 1; index + 1 < argc; index += 2) {
    std::string name = argv[index];
    if (name == "--data-dir") data_dir = argv[index + 1];
    if (name == "--objects") objects = strtoul(argv[index + 1], nullptr, 10);
  }
  if (data_dir.empty() || objects == 0) {
    fprintf(stderr, "usage: cache_load_bench --data-dir DIR [--objects N]\n");
    return 2;
  }
  return stead::bench::run(data_dir, objects);
}
