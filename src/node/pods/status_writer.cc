#include "node/pods/status_writer.h"

#include "base/log.h"
#include "node/pods/pod_status.h"

namespace stead::node {
namespace {
constexpr Duration kRetryFirst = std::chrono::milliseconds(50);
constexpr Duration kRetryMax = std::chrono::seconds(10);
}  // namespace

struct StatusWriter::State : std::enable_shared_from_this<StatusWriter::State> {
  State(client::ApiTransport& the_transport, loop::Loop& the_loop) : transport(the_transport), loop(the_loop) {}

  client::ApiTransport& transport;
  loop::Loop& loop;
  object::ObjectPtr current;
  object::Value desired;
  object::Value asked, done;  // the patch under way; the last one that succeeded
  bool writing = false;
  bool stopped = false;
  Duration retry{};

  void see(const object::ObjectPtr& pod) {
    if (!pod || (current && current->uid() == pod->uid() && current->revision() >= pod->revision())) return;
    current = pod;
    done = {};
  }

  void send() {
    if (writing || stopped || !current || desired.is_null()) return;
    object::Value patch = status_patch(*current, current->status(), desired);
    // A server that does not take a field over as asked is not asked again for the same.
    if (patch.is_null() || patch == done) return;
    writing = true;
    asked = patch;
    client::Request request;
    request.verb = client::Verb::kPatch;
    request.resource = "pods";
    request.subresource = "status";
    request.ns = current->ns();
    request.name = current->name();
    request.patch_type = client::PatchType::kStrategicMerge;
    request.body = std::move(patch);
    transport.call(std::move(request), [weak = weak_from_this()](Result<client::Response> response) {
      if (auto self = weak.lock()) self->answered(response);
    });
  }

  void answered(const Result<client::Response>& response) {
    if (response.ok()) {
      writing = false;
      retry = Duration(0);
      see(response->object);
      done = std::move(asked);
      return send();
    }
    if (response.error().reason == Reason::kNotFound) {
      writing = false;
      stopped = true;
      return;
    }
    log::debug("node", "status of {}/{}: {}", current->ns(), current->name(), response.error().message);
    retry = retry == Duration(0) ? kRetryFirst : std::min(retry * 2, kRetryMax);
    loop.call_after(retry, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self) return;
      self->writing = false;
      self->send();
    });
  }
};

StatusWriter::StatusWriter(client::ApiTransport& transport, loop::Loop& loop)
    : state_(std::make_shared<State>(transport, loop)) {}

StatusWriter::~StatusWriter() { state_->stopped = true; }

void StatusWriter::observe(const object::ObjectPtr& pod) {
  state_->see(pod);
  state_->send();
}

void StatusWriter::write(object::Value desired) {
  state_->desired = std::move(desired);
  state_->send();
}

object::ObjectPtr StatusWriter::newest() const { return state_->current; }

void StatusWriter::stop() { state_->stopped = true; }

}  // namespace stead::node
