#include "node/eviction/storage_watch.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "node/containers/container_plan.h"

namespace stead::node {
namespace {

// Of the time between two walks, at most a twentieth is spent walking.
constexpr int kRestPerWork = 20;

using Layers = std::map<std::string, std::map<std::string, uint64_t>>;  // pod uid → container → bytes

Layers read_layers(ContainerRuntime& runtime) {
  Layers layers;
  auto usages = runtime.container_stats();
  if (!usages.ok()) {
    log::debug("node", "what containers wrote: {}", usages.error().message);
    return layers;
  }
  for (const ContainerUsage& usage : *usages) {
    auto uid = usage.labels.find(kLabelPodUid);
    if (uid != usage.labels.end()) layers[uid->second][usage.name] += usage.writable_layer_bytes;
  }
  return layers;
}

using Findings = std::vector<std::pair<std::string, std::string>>;

Findings measure(NodeFiles& files, ContainerRuntime& runtime, const std::vector<StorageSubject>& subjects) {
  bool layers_wanted =
      std::any_of(subjects.begin(), subjects.end(), [](const auto& one) { return one.limits.counts_containers(); });
  Layers layers = layers_wanted ? read_layers(runtime) : Layers();
  Findings findings;
  for (const StorageSubject& subject : subjects) {
    StorageUse use;
    // Without limits of the pod's containers only limited volumes matter.
    std::vector<std::string> volumes = subject.limits.disk_volumes;
    if (!subject.limits.counts_containers()) {
      volumes.clear();
      for (const StorageLimit& limit : subject.limits.volumes) volumes.push_back(limit.name);
    }
    for (const std::string& volume : volumes) use.volumes[volume] = files.bytes_below(subject.paths.volume(volume));
    if (subject.limits.counts_containers()) {
      use.layers = layers[subject.uid];
      for (const auto& [container, bytes] : use.layers) {
        use.logs[container] = files.bytes_below(subject.paths.log_directory + "/" + container);
      }
    }
    std::string message = storage_excess(subject.limits, use);
    if (!message.empty()) findings.emplace_back(subject.uid, std::move(message));
  }
  return findings;
}

}  // namespace

struct StorageWatch::State : std::enable_shared_from_this<State> {
  State(const NodeContext& the_context, Subjects the_subjects, Excess the_excess)
      : context(the_context), subjects(std::move(the_subjects)), excess(std::move(the_excess)) {}

  NodeContext context;
  Subjects subjects;
  Excess excess;

  void later(Duration delay) {
    context.loop.call_after(delay, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->check();
    });
  }

  void check() {
    std::vector<StorageSubject> wanted = subjects();
    if (wanted.empty()) return later(context.options.storage_check_period);
    Instant began = context.loop.now();
    in_background(
        context.pool, context.loop,
        [&files = context.files, &runtime = context.runtime, wanted = std::move(wanted)] {
          return measure(files, runtime, wanted);
        },
        [weak = weak_from_this(), began](const Findings& findings) {
          auto self = weak.lock();
          if (!self) return;
          for (const auto& [uid, message] : findings) self->excess(uid, message);
          Duration took = self->context.loop.now() - began;
          self->later(std::max(self->context.options.storage_check_period, took * kRestPerWork));
        });
  }
};

StorageWatch::StorageWatch(const NodeContext& context, Subjects subjects, Excess excess)
    : state_(std::make_shared<State>(context, std::move(subjects), std::move(excess))) {}

StorageWatch::~StorageWatch() = default;

void StorageWatch::start() { state_->later(state_->context.options.storage_check_period); }

}  // namespace stead::node
