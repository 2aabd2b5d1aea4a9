// The part of PodWorker that resizes the pod in place: asks the node for room, and follows the containers.

#include "kinds/meta/conditions.h"
#include "node/pods/pod_worker.h"

namespace stead::node {
namespace {

using object::Value;

int64_t generation_of(const PodShape& shape) { return shape.pod->metadata().at("generation").as_int(); }

}  // namespace

// What an earlier life of the node part had allocated and told.
void PodWorker::recall_resize() {
  recall_allocation(shape_);
  const Value& status = shape_.pod->status();
  if (const Value* pending = kinds::find_condition(status, "PodResizePending")) {
    resize_.pending_reason = pending->at("reason").as_string();
    resize_.pending_message = pending->at("message").as_string();
    resize_.pending_generation = pending->at("observedGeneration").as_int();
  }
  if (const Value* progress = kinds::find_condition(status, "PodResizeInProgress")) {
    resize_.in_progress = true;
    resize_.in_progress_generation = progress->at("observedGeneration").as_int();
  }
  if (wants_resize(shape_)) host_.resize_wanted(*this);
}

void PodWorker::ask_for_resize() {
  if (wants_resize(shape_) && wish_ == PodWish::kRun) return host_.resize_wanted(*this);
  resize_.pending_reason.clear();
  resize_.pending_message.clear();
}

bool PodWorker::holds_room() const {
  std::string_view phase = shape_.pod->status().at("phase").as_string();
  return phase != "Succeeded" && phase != "Failed";
}

bool PodWorker::wants_room() const { return wish_ == PodWish::kRun && holds_room() && wants_resize(shape_); }

void PodWorker::answer_resize(const ResizeVerdict& verdict) {
  int64_t generation = generation_of(shape_);
  if (verdict.reason.empty()) {
    allocate_wanted(shape_);
    resize_ = {};
    resize_.in_progress = true;
    resize_.in_progress_generation = generation;
    volumes_stale_ = true;  // files may show the resources
    record("Normal", "ResizeStarted", resize_message("Pod resize started", shape_, generation, ""));
    return reconcile();
  }
  bool news = resize_.pending_reason != verdict.reason || resize_.pending_generation != generation;
  if (!news && resize_.pending_message == verdict.message) return;
  resize_.pending_reason = verdict.reason;
  resize_.pending_message = verdict.message;
  resize_.pending_generation = generation;
  if (news) {
    record("Warning", verdict.reason == "Infeasible" ? "ResizeInfeasible" : "ResizeDeferred",
           resize_message("Pod resize " + verdict.reason, shape_, generation, verdict.message));
  }
  reconcile();
}

void PodWorker::follow_resize() {
  if (wish_ != PodWish::kRun || ending_since_) return;
  bool done = true;
  std::string error;
  for (auto& runner : runners_) {
    runner->resize();
    if (runner->has_allocation()) continue;
    done = false;
    if (error.empty()) error = runner->resize_error();
  }
  if (!resize_.in_progress) return;
  int64_t generation = resize_.in_progress_generation;
  if (done) {
    resize_.in_progress = false;
    resize_.error.clear();
    record("Normal", "ResizeCompleted", resize_message("Pod resize completed", shape_, generation, ""));
    return host_.resize_wanted(*this);  // there may be room for others now
  }
  if (error == resize_.error) return;
  resize_.error = error;
  if (!error.empty()) record("Warning", "ResizeError", resize_message("Pod resize error", shape_, generation, error));
}

}  // namespace stead::node
