#include "controllers/pod_batch.h"

#include <algorithm>

#include "controllers/requests.h"

namespace stead::controllers {
namespace {

using client::ObjectPtr;
using client::Response;

bool namespace_is_terminating(const Error& error) {
  return std::any_of(error.causes.begin(), error.causes.end(),
                     [](const Cause& cause) { return cause.reason == "NamespaceTerminating"; });
}

struct Execution : std::enable_shared_from_this<Execution> {
  Execution(client::ApiTransport& the_transport, client::EventRecorder& the_events,
            std::shared_ptr<Expectations> the_expectations, PodBatch the_batch,
            std::function<void(std::optional<Error>)> the_done)
      : transport(the_transport),
        events(the_events),
        expectations(std::move(the_expectations)),
        batch(std::move(the_batch)),
        owner_uid(batch.owner->uid()),
        done(std::move(the_done)) {}

  client::ApiTransport& transport;
  client::EventRecorder& events;
  std::shared_ptr<Expectations> expectations;
  PodBatch batch;
  std::string owner_uid;
  std::function<void(std::optional<Error>)> done;
  size_t next_creation = 0;
  size_t width = 1;
  size_t under_way = 0;
  std::optional<Error> failure;

  void start() {
    if (batch.deletions.empty()) return start_creations();
    under_way = batch.deletions.size();
    for (const ObjectPtr& pod : batch.deletions) {
      transport.call(delete_request(kPods, *pod), [self = shared_from_this(), pod](const Result<Response>& response) {
        self->deleted(*pod, response);
      });
    }
  }

  void deleted(const object::Object& pod, const Result<Response>& response) {
    std::string name(pod.name());
    if (response.ok()) {
      record("Normal", "SuccessfulDelete", "Deleted pod: " + name);
    } else {
      expectations->deletion_settled(owner_uid, std::string(pod.uid()));
      // Not found, or another pod of that name: the one we meant is gone.
      bool gone = response.error().reason == Reason::kNotFound || response.error().reason == Reason::kConflict;
      if (!gone) {
        record("Warning", "FailedDelete", "Error deleting: " + response.error().message);
        failure = response.error();
      }
    }
    if (--under_way == 0) start_creations();
  }

  void start_creations() {
    size_t left = batch.creations.size() - next_creation;
    if (left == 0 || failure) return finish(left);
    under_way = std::min(width, left);
    width *= 2;
    size_t end = next_creation + under_way;
    while (next_creation < end) {
      transport.call(create_request(kPods, std::move(batch.creations[next_creation++])),
                     [self = shared_from_this()](const Result<Response>& response) { self->created(response); });
    }
  }

  void created(const Result<Response>& response) {
    if (response.ok()) {
      record("Normal", "SuccessfulCreate", "Created pod: " + std::string(response->object->name()));
    } else {
      expectations->creation_settled(owner_uid);
      if (!namespace_is_terminating(response.error())) {
        record("Warning", "FailedCreate", "Error creating: " + response.error().message);
        failure = response.error();
      }
    }
    if (--under_way == 0) start_creations();
  }

  void finish(size_t never_sent) {
    for (size_t i = 0; i < never_sent; ++i) expectations->creation_settled(owner_uid);
    done(std::move(failure));
  }

  void record(std::string type, std::string reason, std::string message) {
    events.record({batch.owner, std::move(type), std::move(reason), std::move(message), ""});
  }
};

}  // namespace

void run_pod_batch(client::ApiTransport& transport, client::EventRecorder& events, loop::Loop& loop,
                   std::shared_ptr<Expectations> expectations, PodBatch batch,
                   std::function<void(std::optional<Error>)> done) {
  if (batch.creations.size() > kPodBatchMax) batch.creations.resize(kPodBatchMax);
  if (batch.deletions.size() > kPodBatchMax) batch.deletions.resize(kPodBatchMax);
  std::vector<std::string> deletions;
  for (const ObjectPtr& pod : batch.deletions) deletions.emplace_back(pod->uid());
  expectations->expect(std::string(batch.owner->uid()), batch.creations.size(), deletions, loop.now());
  std::make_shared<Execution>(transport, events, std::move(expectations), std::move(batch), std::move(done))->start();
}

}  // namespace stead::controllers
