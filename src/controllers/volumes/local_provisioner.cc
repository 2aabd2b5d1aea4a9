#include "controllers/volumes/local_provisioner.h"

#include "base/log.h"
#include "client/plan.h"
#include "controllers/requests.h"
#include "controllers/volumes/local_provisioner_policy.h"
#include "controllers/volumes/names.h"
#include "kinds/semantics/volume_fit.h"

namespace stead::controllers {
namespace {

// Many at once: what takes the time is waiting for durable commits, which are made together.
constexpr size_t kWorkers = 64;

}  // namespace

LocalProvisioner::LocalProvisioner(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                                   client::InformerSet& informers, VolumeDirectories& directories)
    : transport_(transport),
      events_(events),
      informers_(informers),
      directories_(directories),
      claims_(informers.get(kClaims)),
      volumes_(informers.get(kVolumes)),
      classes_(informers.get(kStorageClasses)),
      nodes_(informers.get(kNodes)),
      claim_queue_(loop, "provisioner", kWorkers,
                   [this](auto& key, auto finish) { provision(key, std::move(finish)); }),
      volume_queue_(loop, "provisioner-removal", kWorkers,
                    [this](auto& key, auto finish) { remove(key, std::move(finish)); }) {
  claims_.on_change([this](const ObjectPtr&, const ObjectPtr& after) {
    if (after) claim_queue_.add(client::object_key(*after));
  });
  volumes_.on_change([this](const ObjectPtr&, const ObjectPtr& after) {
    if (after) volume_queue_.add(client::object_key(*after));
  });
  // The first node, or a class made after its claims.
  auto retry = [this](const ObjectPtr& before, const ObjectPtr&) {
    if (before) return;
    for (const ObjectPtr& claim : claims_.list()) {
      if (claim->spec().at("volumeName").as_string().empty()) claim_queue_.add(client::object_key(*claim));
    }
  };
  nodes_.on_change(retry);
  classes_.on_change(retry);
}

void LocalProvisioner::start() {
  informers_.when_synced([this] {
    create_standard_class();
    claim_queue_.start();
    volume_queue_.start();
  });
}

void LocalProvisioner::create_standard_class() {
  if (classes_.get("standard")) return;
  transport_.call(create_request(kStorageClasses, volumes::standard_storage_class()),
                  [](const Result<client::Response>& response) {
                    if (response.ok() || response.error().reason == Reason::kAlreadyExists) return;
                    log::warning("provisioner", "storage class standard: {}", response.error().message);
                  });
}

ObjectPtr LocalProvisioner::node_for(const object::Object& claim) const {
  std::string_view selected = claim.metadata().at({"annotations", volumes::kSelectedNode}).as_string();
  if (!selected.empty()) return nodes_.get(selected);
  return volumes::choose_volume_node(claim.name(), nodes_.list());
}

void LocalProvisioner::provision(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr claim = claims_.get(key);
  if (!claim) return finish(client::Outcome::done());
  ObjectPtr storage_class = classes_.get(kinds::storage_class_of(*claim));
  if (!volumes::wants_local_volume(*claim, storage_class.get())) return finish(client::Outcome::done());
  if (volumes_.get(volumes::local_volume_name(*claim))) return finish(client::Outcome::done());
  std::string failed = "failed to provision volume with StorageClass \"" + std::string(storage_class->name()) + "\": ";
  std::string obstacle = volumes::local_volume_obstacle(*claim);
  if (!obstacle.empty()) {
    events_.record({claim, "Warning", "ProvisioningFailed", failed + obstacle, ""});
    return finish(client::Outcome::done());
  }
  ObjectPtr node = node_for(*claim);
  if (!node) return finish(client::Outcome::done());  // its arrival is an event
  directories_.create(volumes::local_volume_name(*claim), std::string(node->name()),
                      [this, claim, storage_class, node, failed, finish](Result<std::string> path) {
                        if (path.ok()) {
                          return store_volume(claim, volumes::make_local_volume(*claim, *storage_class, *node, *path),
                                              finish);
                        }
                        events_.record({claim, "Warning", "ProvisioningFailed", failed + path.error().message, ""});
                        finish(client::Outcome::failed(path.error()));
                      });
}

void LocalProvisioner::store_volume(const ObjectPtr& claim, Value volume, client::WorkQueue::Finish finish) {
  std::string name(volume.at({"metadata", "name"}).as_string());
  client::Plan plan;
  plan.steps.push_back({.request = create_request(kVolumes, std::move(volume)),
                        .tolerated = {Reason::kAlreadyExists},
                        .event_on_success = client::Event{claim, "Normal", "ProvisioningSucceeded",
                                                          "Successfully provisioned volume " + name, ""}});
  client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
}

// Empty: there is no such node any more.
std::string LocalProvisioner::node_of(const object::Object& volume) const {
  std::string_view wanted = volumes::volume_host(volume);
  for (const ObjectPtr& node : nodes_.list()) {
    if (volumes::host_name_of(*node) == wanted) return std::string(node->name());
  }
  return {};
}

void LocalProvisioner::remove(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr volume = volumes_.get(key);
  if (!volume) return finish(client::Outcome::done());
  volumes::LocalRemoval removal = volumes::decide_local_removal(*volume);
  if (removal.plan.steps.empty()) return finish(client::Outcome::done());
  if (!removal.directory) return client::apply_plan(transport_, events_, std::move(removal.plan), std::move(finish));
  std::string node = node_of(*volume);
  if (node.empty()) {
    log::warning("provisioner", "volume {}: its node is no longer in the cluster, the directory is left to it", key);
    return client::apply_plan(transport_, events_, std::move(removal.plan), std::move(finish));
  }
  std::string path(volume->spec().at({"local", "path"}).as_string());
  directories_.remove(std::string(volume->name()), node, path,
                      [this, volume, plan = std::move(removal.plan), finish](const Result<void>& removed) {
                        if (removed.ok()) return client::apply_plan(transport_, events_, plan, finish);
                        events_.record({volume, "Warning", "VolumeFailedDelete", removed.error().message, ""});
                        finish(client::Outcome::failed(removed.error()));
                      });
}

}  // namespace stead::controllers
