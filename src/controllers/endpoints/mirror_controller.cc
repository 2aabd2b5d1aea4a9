#include "controllers/endpoints/mirror_controller.h"

#include "controllers/endpoints/mirror_policy.h"
#include "controllers/endpoints/slice_policy.h"
#include "controllers/requests.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 4;

// "ns/service" of a slice that this controller made.
std::vector<std::string> index_mirrored(const object::Object& slice) {
  const Value& labels = slice.metadata().at("labels");
  if (labels.at(endpoints::kManagedByLabel).as_string() != endpoints::kMirrorController) return {};
  return {client::object_key(slice.ns(), labels.at(endpoints::kServiceNameLabel).as_string())};
}

}  // namespace

EndpointsMirrorController::EndpointsMirrorController(client::ApiTransport& transport, loop::Loop& loop,
                                                     client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      events_(events),
      informers_(informers),
      services_(informers.get(kServices)),
      endpoints_(informers.get(kEndpoints)),
      slices_(informers.get(kEndpointSlices, "mirrored", index_mirrored)),
      queue_(loop, "endpointslice-mirror", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  auto touch = [this](const ObjectPtr& before, const ObjectPtr& after) {
    const object::Object& object = after ? *after : *before;
    // A selector makes the slices somebody else's business, but for those that are left from before.
    std::string key = client::object_key(object);
    ObjectPtr service = services_.get(key);
    bool selects = service && !service->spec().at("selector").empty();
    if (!selects || !slices_.by_index("mirrored", key).empty()) queue_.add(key);
  };
  services_.on_change(touch);
  endpoints_.on_change(touch);
  slices_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    for (const std::string& key : index_mirrored(after ? *after : *before)) queue_.add(key);
  });
}

void EndpointsMirrorController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void EndpointsMirrorController::work(const std::string& key, client::WorkQueue::Finish finish) {
  client::apply_plan(
      transport_, events_,
      endpoints::decide_mirror({endpoints_.get(key), services_.get(key), slices_.by_index("mirrored", key)}),
      std::move(finish));
}

}  // namespace stead::controllers
