#include "apiserver/subresources.h"

#include <fmt/format.h>

#include "apiserver/patching.h"
#include "kinds/core/pod_resize.h"
#include "kinds/core/pod_update.h"
#include "kinds/custom/custom_kind.h"
#include "kinds/descriptors.h"
#include "object/codec.h"
#include "object/patch.h"
#include "object/selector.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

// Where a kind keeps what its scale shows.
struct ScalePaths {
  kinds::JsonPath spec_replicas;
  kinds::JsonPath status_replicas;
  std::optional<kinds::JsonPath> selector;  // of text; nullopt: spec.selector as a label selector, if built in
};

ScalePaths scale_paths(const Call& call) {
  if (call.custom && call.custom->scale(*call.version)) {
    const kinds::CustomKind::Scale& scale = *call.custom->scale(*call.version);
    return {scale.spec_replicas, scale.status_replicas, scale.selector};
  }
  return {*kinds::JsonPath::parse(".spec.replicas"), *kinds::JsonPath::parse(".status.replicas"), std::nullopt};
}

int64_t number_at(const kinds::JsonPath& path, const Value& document) {
  auto found = path.find(document);
  return found.empty() ? 0 : found[0]->as_int();
}

Value scale_of(const Value& document, const Call& call) {
  const Value& metadata = document.at("metadata");
  ScalePaths paths = scale_paths(call);
  Value scale = Value::object({{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}});
  Value out = Value::object();
  for (std::string_view name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const Value* found = metadata.find(name)) out.set(name, *found);
  }
  scale.set("metadata", std::move(out));
  scale.set("spec", Value::object({{"replicas", number_at(paths.spec_replicas, document)}}));
  Value status = Value::object({{"replicas", number_at(paths.status_replicas, document)}});
  if (paths.selector) {
    auto found = paths.selector->find(document);
    if (!found.empty() && found[0]->is_string()) status.set("selector", *found[0]);
  } else if (!call.custom) {
    const Value& wanted = document.at({"spec", "selector"});
    // Of a ReplicationController it is a plain map.
    bool is_map = document.at("kind").as_string() == "ReplicationController";
    Result<object::LabelSelector> selector =
        is_map ? object::LabelSelector::from_map(wanted) : object::LabelSelector::from_document(wanted);
    if (selector.ok()) status.set("selector", selector->str());
  }
  scale.set("status", std::move(status));
  return scale;
}

Result<Verbs::Change> apply_scale(const object::Object& current, const Value& scale, const Call& call) {
  ScalePaths paths = scale_paths(call);
  const Value& replicas = scale.at({"spec", "replicas"});
  if (!replicas.is_null() && !replicas.is_int()) {
    return make_error(Reason::kBadRequest, "spec.replicas: Invalid value: must be an integer");
  }
  if (replicas.as_int() < 0) {
    object::FieldErrors errors;
    const object::Path spec("spec");
    errors.invalid(spec.child("replicas"), replicas, "must be greater than or equal to 0");
    return errors.to_error("autoscaling", "Scale", current.name());
  }
  Verbs::Change change;
  change.document = current.document();
  paths.spec_replicas.set(change.document, replicas.as_int());
  std::string_view revision = scale.at({"metadata", "resourceVersion"}).as_string();
  if (!revision.empty() && revision != std::to_string(current.revision())) change.expected_revision = -1;
  change.show = [call](const Value& document) { return scale_of(document, call); };
  change.take = [paths](Value& document, const Value& shown) {
    paths.spec_replicas.set(document, shown.at({"spec", "replicas"}).as_int());
  };
  return change;
}

Callback answer_with_scale(const Call& call, Callback done) {
  return [context = call, done = std::move(done)](Result<Response> response) {
    if (response.ok())
      response->object = object::make_object(scale_of(response->object->document(), context), response->revision);
    done(std::move(response));
  };
}

}  // namespace

void get_scale(const Verbs& verbs, const Call& call, Callback done) {
  verbs.read(call, answer_with_scale(call, std::move(done)));
}

void update_scale(Verbs& verbs, Call call, Callback done) {
  Value scale = std::move(call.request.body);
  Callback answer = answer_with_scale(call, std::move(done));
  Call context = call;
  verbs.change(
      std::move(call), [scale, context](const object::Object& current) { return apply_scale(current, scale, context); },
      std::move(answer));
}

void patch_scale(Verbs& verbs, Call call, Callback done) {
  Value patch = std::move(call.request.body);
  client::PatchType type = call.request.patch_type;
  Callback answer = answer_with_scale(call, std::move(done));
  Call context = call;
  verbs.change(
      std::move(call),
      [patch, type, context](const object::Object& current) -> Result<Verbs::Change> {
        Value scale = scale_of(current.document(), context);
        // Scale has no merging lists: strategic and plain merge are the same.
        if (type == client::PatchType::kJson) {
          STEAD_TRY_VOID(object::apply_json_patch(scale, patch));
        } else {
          object::apply_merge_patch(scale, patch);
        }
        return apply_scale(current, scale, context);
      },
      std::move(answer));
}

void bind_pod(Verbs& verbs, Call call, WallTime now, Callback done) {
  Value binding = std::move(call.request.body);
  std::string node(binding.at({"target", "name"}).as_string());
  std::string_view kind = binding.at({"target", "kind"}).as_string();
  if (node.empty() || (!kind.empty() && kind != "Node")) {
    object::FieldErrors errors;
    object::Path target("target");
    if (node.empty()) errors.required(target.child("name"));
    static constexpr std::string_view kKinds[] = {"Node", "<empty>"};
    if (!kind.empty() && kind != "Node") errors.not_supported(target.child("kind"), kind, kKinds);
    return done(errors.to_error("", "Binding", call.request.name));
  }
  Call context = call;
  verbs.change(
      std::move(call),
      [context, binding, node, now](const object::Object& pod) -> Result<Verbs::Change> {
        std::string_view wanted_uid = binding.at({"metadata", "uid"}).as_string();
        if (!wanted_uid.empty() && wanted_uid != pod.uid()) {
          return conflict_error(context, pod.name(), "the pod has another uid than the binding names");
        }
        if (pod.deleting()) {
          return conflict_error(context, pod.name(),
                                fmt::format("pod {} is being deleted, cannot be assigned to a host", pod.name()));
        }
        std::string_view assigned = pod.spec().at("nodeName").as_string();
        if (!assigned.empty()) {
          return conflict_error(context, pod.name(),
                                fmt::format("pod {} is already assigned to node \"{}\"", pod.name(), assigned));
        }
        Verbs::Change change;
        change.skip_validation = true;
        change.keep_spec_rules = false;
        change.document = pod.document();
        change.document.set({"spec", "nodeName"}, node);
        // The room that was kept for it has been found (KEP-5278).
        change.document["status"].erase("nominatedNodeName");
        for (const object::Member& member : binding.at({"metadata", "annotations"}).members()) {
          change.document.set({"metadata", "annotations", member.name()}, member.value);
        }
        Value scheduled = Value::object(
            {{"type", "PodScheduled"}, {"status", "True"}, {"lastTransitionTime", object::format_time(now)}});
        auto& conditions = change.document["status"]["conditions"].mutable_items();
        std::erase_if(conditions, [](const Value& item) { return item.at("type").as_string() == "PodScheduled"; });
        conditions.push_back(std::move(scheduled));
        return change;
      },
      std::move(done));
}

Result<Response> request_token(const ServiceAccountTokens& tokens, const NodeRestriction& nodes, Call call,
                               WallTime now) {
  Value request = std::move(call.request.body);
  const object::Message& message = *kinds::find_message("authentication.v1", "TokenRequest");
  STEAD_TRY_VOID(object::shape(request, message, nullptr));
  object::apply_defaults(request, message);
  std::string_view name = request.at({"metadata", "name"}).as_string();
  std::string_view ns = request.at({"metadata", "namespace"}).as_string();
  if ((!name.empty() && name != call.request.name) || (!ns.empty() && ns != call.request.ns)) {
    return make_error(Reason::kBadRequest, "the name or namespace of the token request is not that of the URL");
  }
  STEAD_TRY_VOID(nodes.admit_token(call, request));
  STEAD_TRY(answered, tokens.issue(call, std::move(request), now));
  answered.set("apiVersion", "authentication.k8s.io/v1");
  answered.set("kind", "TokenRequest");
  Response response;
  response.created = true;
  response.object = object::make_object(std::move(answered), 0);
  return response;
}

void write_ephemeral_containers(Verbs& verbs, Call call, object::StrictErrors strict, Callback done) {
  if (call.request.verb == client::Verb::kPatch && call.request.patch_type == client::PatchType::kApply) {
    return done(make_error(Reason::kUnsupportedMediaType,
                           "ephemeralcontainers takes application/json-patch+json, application/merge-patch+json and "
                           "application/strategic-merge-patch+json"));
  }
  auto narrow = [](Verbs::Change& change, const object::Object& current) {
    Value added = change.document.at({"spec", "ephemeralContainers"});
    change.document = current.document();
    if (!added.empty()) {
      change.document.set({"spec", "ephemeralContainers"}, std::move(added));
    } else {
      change.document.erase({"spec", "ephemeralContainers"});
    }
    change.validate_update = kinds::validate_pod_ephemeral_update;
  };
  if (call.request.verb == client::Verb::kPatch) {
    return verbs.patch(std::move(call), std::move(strict), std::move(done), narrow);
  }
  verbs.update(std::move(call), std::move(strict), std::move(done), narrow);
}

void resize_pod(Verbs& verbs, Call call, object::StrictErrors strict, Callback done) {
  auto narrow = [](Verbs::Change& change, const object::Object& current) {
    Value owners = change.document.at({"metadata", "managedFields"});
    kinds::narrow_pod_resize(change.document, current.document());
    if (change.owners_known) change.document.set({"metadata", "managedFields"}, std::move(owners));
    change.validate_update = kinds::validate_pod_resize;
  };
  if (call.request.verb == client::Verb::kPatch) {
    return verbs.patch(std::move(call), std::move(strict), std::move(done), narrow);
  }
  verbs.update(std::move(call), std::move(strict), std::move(done), narrow);
}

void finalize_namespace(Verbs& verbs, Call call, Callback done) {
  Value body = std::move(call.request.body);
  verbs.change(
      std::move(call),
      [body](const object::Object& current) -> Result<Verbs::Change> {
        Verbs::Change change;
        change.skip_validation = true;
        change.keep_spec_rules = false;
        change.document = current.document();
        change.document.set({"spec", "finalizers"}, body.at({"spec", "finalizers"}));
        if (change.document.at({"spec", "finalizers"}).empty()) change.document.erase({"spec", "finalizers"});
        return change;
      },
      std::move(done));
}

}  // namespace stead::apiserver
