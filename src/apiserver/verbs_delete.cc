// delete and deletecollection.

#include <fmt/format.h>

#include "apiserver/selection.h"
#include "apiserver/verbs.h"

namespace stead::apiserver {
namespace {

constexpr int kAttemptsMax = 8;

}  // namespace

void Verbs::remove(Call call, Callback done) {
  Result<DeleteOptions> options = parse_delete_options(call.request.body);
  if (!options.ok()) return done(options.error());
  Result<void> admitted = admission_.admit_delete(call);
  if (!admitted.ok()) return done(admitted.error());
  remove_attempt(std::make_shared<Call>(std::move(call)), std::move(*options), 1, std::move(done));
}

void Verbs::remove_attempt(std::shared_ptr<Call> call, DeleteOptions options, int attempt, Callback done) {
  ObjectPtr current = find(*call);
  if (!current) return done(not_found_error(*call, call->request.name));
  Result<Deletion> deletion = decide_deletion(*call, *current, options, loop_.wall_now());
  if (!deletion.ok()) return done(deletion.error());
  Response response;
  response.deleted = deletion->remove;
  response.object = current;
  response.revision = current->revision();
  if (auto warning = deletion_warning(*call->resource, options)) response.warnings.push_back(std::move(*warning));
  // An eviction is reviewed as such.
  if (!call->request.subresource.empty() || !webhooks_.concerned(*call, Operation::kDelete)) {
    return write_deletion(call, std::move(options), attempt, current, std::move(*deletion), std::move(response),
                          std::move(done));
  }
  review_deletion(std::move(call), std::move(options), attempt, current, std::move(*deletion), std::move(response),
                  std::move(done));
}

void Verbs::review_deletion(std::shared_ptr<Call> call, DeleteOptions options, int attempt, const ObjectPtr& current,
                            Deletion deletion, Response response, Callback done) {
  auto write_it = [=, this](Result<std::vector<std::string>> warnings) mutable {
    if (!warnings.ok()) return done(warnings.error());
    response.warnings.insert(response.warnings.end(), warnings->begin(), warnings->end());
    write_deletion(call, options, attempt, current, std::move(deletion), std::move(response), done);
  };
  load(*call, [this, call, write_it, done](const Result<ObjectPtr>& shown) {
    if (!shown.ok()) return done(shown.error());
    if (!*shown) return done(not_found_error(*call, call->request.name));
    AdmissionAttributes attributes{call, Operation::kDelete, {}, (*shown)->document()};
    webhooks_.mutate(attributes, [this, attributes, write_it, done](Result<WebhookAdmission::Outcome> outcome) {
      if (!outcome.ok()) return done(outcome.error());
      webhooks_.validate(attributes, [write_it, told = outcome->warnings](Result<std::vector<std::string>> warnings) {
        if (warnings.ok()) warnings->insert(warnings->begin(), told.begin(), told.end());
        auto write_now = write_it;
        write_now(std::move(warnings));
      });
    });
  });
}

void Verbs::write_deletion(std::shared_ptr<Call> call, DeleteOptions options, int attempt, const ObjectPtr& current,
                           Deletion deletion, Response response, Callback done) {
  if (call->request.dry_run || (!deletion.remove && !deletion.marked)) {
    return present(*call, std::move(response), std::move(done));
  }
  store::Write write;
  if (deletion.remove) {
    write.key = cache_.store_key(call->resource_path(), call->key());
  } else {
    write = put(*call, call->request.name, *deletion.marked);
  }
  write.expect = store::Write::Expect::kRevision;
  write.revision = current->revision();
  this->write(*call, std::move(write),
              [this, call, options, attempt, done,
               response = std::move(response)](Result<store::WriteOutcome> outcome) mutable {
                if (!outcome.ok()) return done(outcome.error());
                if (!outcome->applied) {
                  if (attempt < kAttemptsMax) return remove_attempt(call, options, attempt + 1, done);
                  return done(modified_error(*call, call->request.name));
                }
                response.revision = outcome->revision;
                // Of what is gone nobody is shown more than its name.
                if (response.deleted) return done(std::move(response));
                if (ObjectPtr now = find(*call)) response.object = now;
                present(*call, std::move(response), done);
              });
}

void Verbs::remove_collection(Call call, Callback done) {
  Result<DeleteOptions> options = parse_delete_options(call.request.body);
  if (!options.ok()) return done(options.error());
  const Call context = call;
  read_list(context, [this, call = std::move(call), options = std::move(*options),
                      done = std::move(done)](Result<Response> listed) {
    if (!listed.ok()) return done(listed.error());
    remove_all(call, options, std::move(*listed), done);
  });
}

void Verbs::remove_all(const Call& call, const DeleteOptions& options, Response listed, const Callback& done) {
  struct Progress {
    Response response;
    size_t left = 0;
    std::optional<Error> error;
  };
  auto progress = std::make_shared<Progress>();
  progress->response = std::move(listed);
  progress->left = progress->response.items.size();
  if (progress->left == 0) return done(progress->response);
  for (const ObjectPtr& item : progress->response.items) {
    Call one = call;
    one.request.ns = item->ns();
    one.request.name = item->name();
    remove_attempt(std::make_shared<Call>(std::move(one)), options, 1,
                   [progress, done](const Result<Response>& result) {
                     // What somebody else removed meanwhile is removed.
                     if (!result.ok() && result.error().reason != Reason::kNotFound) progress->error = result.error();
                     if (--progress->left > 0) return;
                     if (progress->error) return done(*progress->error);
                     done(progress->response);
                   });
  }
}

}  // namespace stead::apiserver
