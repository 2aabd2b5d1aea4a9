#include "apiserver/webhooks/webhook_admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/document.h"
#include "apiserver/webhooks/admission_review.h"
#include "apiserver/webhooks/request_match.h"
#include "base/log.h"
#include "object/codec.h"
#include "object/patch.h"

namespace stead::apiserver {
namespace {

using object::Value;

// What a patch may not change: it is the server's.
void restore_metadata(Value& document, const Value& before) {
  Value& metadata = document["metadata"];
  for (std::string_view name :
       {"name", "generateName", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion",
        "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"}) {
    if (const Value* kept = before.at("metadata").find(name)) {
      metadata.set(name, *kept);
    } else {
      metadata.erase(name);
    }
  }
}

// `hub` with the patch of a webhook that was shown it in `version`.
Result<Value> patched(const AdmissionAttributes& attributes, const kinds::Version& version, const Value& patch) {
  if (attributes.subresource_kind) {
    Value document = attributes.object;
    STEAD_TRY_VOID(object::apply_json_patch(document, patch));
    return document;
  }
  Call call = *attributes.call;
  call.version = &version;
  call.request.field_validation = "Ignore";
  Value document = to_version(*call.resource, version, attributes.object);
  STEAD_TRY_VOID(object::apply_json_patch(document, patch));
  std::vector<std::string> ignored;
  STEAD_TRY(hub, to_hub(call, std::move(document), {}, ignored));
  restore_metadata(hub, attributes.object);
  return hub;
}

}  // namespace

WebhookAdmission::WebhookAdmission(cache::Cache& cache, loop::Loop& loop, Random& random, WebhookCaller* caller,
                                   Converter& converter, const PolicyAdmission& policies)
    : cache_(cache),
      random_(random),
      caller_(caller),
      converter_(converter),
      policies_(policies),
      mutating_follower_(cache, loop, "admissionregistration.k8s.io/mutatingwebhookconfigurations",
                         [this](const auto& before, const auto& after) { configure(mutating_, true, before, after); }),
      validating_follower_(
          cache, loop, "admissionregistration.k8s.io/validatingwebhookconfigurations",
          [this](const auto& before, const auto& after) { configure(validating_, false, before, after); }) {}

void WebhookAdmission::configure(Configurations& all, bool mutating, const object::ObjectPtr& before,
                                 const object::ObjectPtr& after) {
  std::string name((after ? after : before)->name());
  all.erase(name);
  if (!after) return;
  std::vector<WebhookPtr> made;
  for (const Value& document : after->document().at("webhooks").items()) {
    made.push_back(std::make_shared<const Webhook>(Webhook::make(document, mutating)));
  }
  if (!made.empty()) all.emplace(std::move(name), std::move(made));
}

bool WebhookAdmission::any_matches(const Configurations& all, const Call& call, Operation operation) {
  for (const auto& [name, webhooks] : all) {
    for (const WebhookPtr& webhook : webhooks) {
      if (webhook->matching_version(call, operation) != nullptr) return true;
    }
  }
  return false;
}

bool WebhookAdmission::concerned(const Call& call, Operation operation) const {
  if (policies_.concerned(call, operation)) return true;
  if (mutating_.empty() && validating_.empty()) return false;
  if (is_exempt_from_webhooks(call)) return false;
  return any_matches(mutating_, call, operation) || any_matches(validating_, call, operation);
}

Result<bool> WebhookAdmission::chooses(const Chosen& chosen, const AdmissionAttributes& attributes) const {
  const Webhook& webhook = *chosen.webhook;
  const Call& call = *attributes.call;
  object::ObjectPtr ns = call.resource->namespaced ? cache_.get("/namespaces", call.request.ns) : nullptr;
  if (!webhook.selects(attributes, ns ? &ns->metadata().at("labels") : nullptr)) return false;
  if (webhook.conditions.empty()) return true;
  RequestScope scope(attributes, *chosen.version, ns ? &ns->document() : nullptr, policies_.authorizer());
  CostBudget budget;
  Result<bool> held = all_hold(webhook.conditions, scope.activation(), budget);
  if (held.ok()) return held;
  if (!webhook.failure_is_fatal) return false;
  std::string name(object_name(attributes));
  Error error = make_error(Reason::kForbidden, fmt::format("{} \"{}\" is forbidden: {}", call.qualified_resource(),
                                                           name, held.error().message));
  error.group = call.version->group;
  error.kind = call.resource->name;
  error.name = std::move(name);
  return error;
}

std::vector<WebhookAdmission::Chosen> WebhookAdmission::choose(const Configurations& all,
                                                               const AdmissionAttributes& attributes) const {
  std::vector<Chosen> chosen;
  if (is_exempt_from_webhooks(*attributes.call)) return chosen;
  for (const auto& [name, webhooks] : all) {
    for (const WebhookPtr& webhook : webhooks) {
      const kinds::Version* version = webhook->matching_version(*attributes.call, attributes.operation);
      if (version != nullptr) chosen.push_back({webhook, version});
    }
  }
  return chosen;
}

bool WebhookAdmission::has_other_form(const AdmissionAttributes& attributes, const kinds::Version& version) {
  const Call& call = *attributes.call;
  return call.custom && !call.custom->conversion_webhook().is_null() && !attributes.subresource_kind &&
         version.api_version != call.version->api_version;
}

void WebhookAdmission::show_in(const AdmissionAttributes& attributes, const kinds::Version& version,
                               const ShownDone& done) const {
  std::vector<object::ObjectPtr> documents;
  for (const Value* document : {&attributes.object, &attributes.old}) {
    documents.push_back(document->is_null() ? nullptr : object::make_object(*document, 0));
  }
  converter_.convert(attributes.call->custom, version.api_version, std::move(documents),
                     [attributes, done](Result<std::vector<object::ObjectPtr>> shown) {
                       if (!shown.ok()) return done(shown.error());
                       AdmissionAttributes made = attributes;
                       if (shown->front()) made.object = shown->front()->document();
                       if (shown->back()) made.old = shown->back()->document();
                       done(std::move(made));
                     });
}

void WebhookAdmission::call(const Chosen& chosen, const AdmissionAttributes& attributes, AnswerDone done) const {
  WebhookPtr webhook = chosen.webhook;
  const WebhookTarget& target = webhook->target;
  const std::string query = fmt::format("?timeout={}s", webhook->timeout.count());
  auto fail = [webhook, done](const std::string& why) {
    Error error = call_failed(*webhook, why);
    if (webhook->failure_is_fatal) return done(std::move(error), {});
    log::warning("api", "{}; going on without it", error.message);
    done(Value(), {});
  };
  auto unreachable = [fail, url = target.url() + query](std::string_view why) {
    fail(fmt::format("failed to call webhook: Post \"{}\": {}", url, why));
  };
  if (caller_ == nullptr) return unreachable("this server calls no webhooks");
  Result<HttpsTarget> where = find_webhook(cache_, target, query);
  if (!where.ok()) return unreachable(where.error().message);
  const std::string uid = random_.uuid();
  std::string body = object::to_json(make_review(attributes, *webhook, *chosen.version, uid));
  caller_->post(*where, std::move(body), webhook->timeout,
                [webhook, uid, fail, unreachable, done](Result<std::string> text) {
                  if (!text.ok()) return unreachable(text.error().message);
                  Result<ReviewAnswer> answer = read_answer(*text, *webhook, uid);
                  if (!answer.ok()) return fail("received invalid webhook response: " + answer.error().message);
                  if (answer->denial) return done(std::move(*answer->denial), std::move(answer->warnings));
                  done(std::move(answer->patch), std::move(answer->warnings));
                });
}

// Webhooks that want to see what later ones changed are called once more at the end.
struct WebhookAdmission::Mutation : std::enable_shared_from_this<Mutation> {
  Mutation(const WebhookAdmission& the_admission, AdmissionAttributes the_attributes, MutateDone the_done)
      : admission(the_admission), attributes(std::move(the_attributes)), done(std::move(the_done)) {}

  void next() {
    while (at < chosen.size()) {
      const Chosen& one = chosen[at];
      const bool seen_all = again && (!one.webhook->reinvoke || changes_seen[at] == changes);
      Result<bool> wanted = seen_all ? Result<bool>(false) : admission.chooses(one, attributes);
      if (!wanted.ok()) return done(wanted.error());
      if (*wanted) return ask(one);
      if (!again) changes_seen[at] = changes;
      ++at;
    }
    if (!again && changes > 0) {
      again = true;
      at = 0;
      return next();
    }
    outcome.changed = changes > 0;
    outcome.object = std::move(attributes.object);
    done(std::move(outcome));
  }

  void ask(const Chosen& one) {
    auto answer = [self = shared_from_this()](Result<Value> patch, std::vector<std::string> warnings) {
      self->answered(std::move(patch), std::move(warnings));
    };
    shown.reset();
    if (!has_other_form(attributes, *one.version)) return admission.call(one, attributes, answer);
    admission.show_in(attributes, *one.version,
                      [self = shared_from_this(), one, answer](Result<AdmissionAttributes> made) {
                        if (!made.ok()) return self->done(made.error());
                        self->shown = std::move(*made);
                        self->admission.call(one, *self->shown, answer);
                      });
  }

  void answered(Result<Value> patch, std::vector<std::string> warnings) {
    if (!patch.ok()) return done(patch.error());
    outcome.warnings.insert(outcome.warnings.end(), warnings.begin(), warnings.end());
    if (patch->is_null() || attributes.operation == Operation::kDelete) return take(std::nullopt);
    const Chosen& one = chosen[at];
    Result<Value> made = patched(shown ? *shown : attributes, *one.version, *patch);
    if (!made.ok()) return done(call_failed(*one.webhook, "its patch cannot be applied: " + made.error().message));
    if (!shown) return take(std::move(*made));
    made->set("apiVersion", one.version->api_version);
    admission.converter_.convert(attributes.call->custom, attributes.call->version->api_version, std::move(*made),
                                 [self = shared_from_this()](Result<Value> back) {
                                   if (!back.ok()) return self->done(back.error());
                                   restore_metadata(*back, self->attributes.object);
                                   self->take(std::move(*back));
                                 });
  }

  void take(std::optional<Value> made) {
    if (made) {
      if (!(*made == attributes.object)) ++changes;
      attributes.object = std::move(*made);
    }
    changes_seen[at] = changes;
    ++at;
    next();
  }

  const WebhookAdmission& admission;
  AdmissionAttributes attributes;
  MutateDone done;
  std::optional<AdmissionAttributes> shown;  // to the one that is asked, where that is another form
  std::vector<Chosen> chosen;
  std::vector<int> changes_seen;  // how many changes each had seen, its own included
  int changes = 0;
  size_t at = 0;
  bool again = false;
  Outcome outcome;
};

void WebhookAdmission::mutate(AdmissionAttributes attributes, MutateDone done) const {
  auto mutation = std::make_shared<Mutation>(*this, std::move(attributes), std::move(done));
  mutation->chosen = choose(mutating_, mutation->attributes);
  mutation->changes_seen.resize(mutation->chosen.size());
  mutation->next();
}

struct WebhookAdmission::Validation {
  ValidateDone done;
  size_t left = 0;
  std::vector<std::optional<Error>> errors;  // by the webhooks' order
  std::vector<std::string> warnings;

  void finish_one() {
    if (--left > 0) return;
    for (std::optional<Error>& error : errors) {
      if (error) return done(std::move(*error));
    }
    done(std::move(warnings));
  }
};

void WebhookAdmission::validate(AdmissionAttributes attributes, ValidateDone done) const {
  Result<std::vector<std::string>> warnings = policies_.judge(attributes);
  if (!warnings.ok()) return done(warnings.error());
  std::vector<Chosen> chosen;
  for (Chosen& one : choose(validating_, attributes)) {
    Result<bool> wanted = chooses(one, attributes);
    if (!wanted.ok()) return done(wanted.error());
    if (*wanted) chosen.push_back(std::move(one));
  }
  auto validation = std::make_shared<Validation>();
  validation->warnings = std::move(*warnings);
  validation->done = std::move(done);
  validation->left = chosen.size() + 1;  // one for this function
  validation->errors.resize(chosen.size());
  for (size_t i = 0; i < chosen.size(); ++i) {
    auto answer = [validation, i](Result<Value> patch, const std::vector<std::string>& warnings) {
      if (!patch.ok()) validation->errors[i] = patch.error();
      validation->warnings.insert(validation->warnings.end(), warnings.begin(), warnings.end());
      validation->finish_one();
    };
    if (!has_other_form(attributes, *chosen[i].version)) {
      call(chosen[i], attributes, answer);
      continue;
    }
    show_in(attributes, *chosen[i].version, [this, one = chosen[i], answer](const Result<AdmissionAttributes>& shown) {
      if (!shown.ok()) return answer(shown.error(), {});
      call(one, *shown, answer);
    });
  }
  validation->finish_one();
}

}  // namespace stead::apiserver
