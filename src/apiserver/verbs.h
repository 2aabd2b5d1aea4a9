#pragma once

// get, list, create, update, patch, delete on documents: the middle of the "Apply" journey. All calls and
// callbacks on the API's loop. A write's callback comes after the cache has applied it and its watchers have been
// told.

#include <functional>
#include <memory>

#include "apiserver/admission.h"
#include "apiserver/call.h"
#include "apiserver/conversion/converter.h"
#include "apiserver/deletion.h"
#include "apiserver/webhooks/webhook_admission.h"
#include "base/random.h"
#include "cache/cache.h"
#include "loop/loop.h"
#include "object/codec.h"
#include "store/store.h"

namespace stead::apiserver {

using client::Callback;
using client::Response;
using object::ObjectPtr;
using object::Value;

class Verbs {
 public:
  // All references outlive the Verbs.
  Verbs(store::Store& store, cache::Cache& cache, loop::Loop& loop, Random& random, Admission& admission,
        WebhookAdmission& webhooks, Converter& converter);

  // What an update makes of the stored document.
  struct Change {
    Value document;
    bool status_only = false;
    bool skip_validation = false;  // the change is the server's own (binding, finalize)
    bool keep_spec_rules = true;   // apply carry_over()
    bool owners_known = false;     // managedFields are as they should be; otherwise the caller owns what changed
    // Instead of the kind's own rules for updates, where a subresource has others.
    void (*validate_update)(const Value& document, const Value& old, object::FieldErrors& errors) = nullptr;
    std::vector<std::string> warnings;
    std::optional<int64_t> expected_revision;  // the caller's resourceVersion
    // Of a subresource with a kind of its own (Scale): what webhooks are shown of a document, and how what they made of
    // it gets back. Empty: the document itself.
    std::function<Value(const Value& document)> show;
    std::function<void(Value& document, const Value& shown)> take;
  };
  using Narrow = std::function<void(Change& change, const object::Object& current)>;

  // As stored: of custom objects perhaps in another version than the caller's.
  Result<Response> get(const Call& call) const;
  Result<Response> list(const Call& call) const;
  // In the caller's version. May answer before they return.
  void read(const Call& call, Callback done) const;
  void read_list(const Call& call, Callback done) const;
  // `strict`: what the parser found in the body text (duplicate fields).
  void create(Call call, object::StrictErrors strict, Callback done);
  // `narrow`, if given, cuts a change down to what its subresource may change.
  void update(Call call, object::StrictErrors strict, Callback done, Narrow narrow = {});
  void patch(Call call, object::StrictErrors strict, Callback done, Narrow narrow = {});
  void remove(Call call, Callback done);
  void remove_collection(Call call, Callback done);

  // Read, change, write, and again if somebody else wrote meanwhile (at most kAttemptsMax times): the way of all
  // updates. `change` gets the stored document and gives the new one in hub form, before carry-over.
  using Changer = std::function<Result<Change>(const object::Object& current)>;
  void change(Call call, Changer changer, Callback done);

  ObjectPtr find(const Call& call) const;

 private:
  // Steps of a change; webhooks may take their time between them.
  struct Alteration;
  using AlterationPtr = std::shared_ptr<Alteration>;
  using Loaded = std::function<void(Result<ObjectPtr> current)>;
  // What is stored, in the caller's version; null: nothing.
  void load(const Call& call, Loaded done) const;
  // The answer in the caller's version.
  void present(const Call& call, Response response, Callback done) const;
  void change_loaded(const AlterationPtr& alteration);
  void change_attempt(std::shared_ptr<Call> call, std::shared_ptr<Changer> changer, int attempt, Callback done);
  void review_change(const AlterationPtr& alteration);
  Result<void> check_change(Alteration& alteration);
  void write_change(const AlterationPtr& alteration);
  struct NewDocument {
    Value document;        // hub form
    Value managed_fields;  // if an apply made it; otherwise the caller owns what is there
    std::vector<std::string> warnings;
  };
  // Steps of a creation.
  struct Creation;
  using CreationPtr = std::shared_ptr<Creation>;
  void store_new(std::shared_ptr<Call> call, NewDocument made, int attempt, Callback done);
  void review_new(const CreationPtr& creation);
  void write_new(const CreationPtr& creation);
  void apply(Call call, const object::StrictErrors& strict, Callback done, const Narrow& narrow);
  void apply_attempt(std::shared_ptr<Call> call, std::vector<std::string> warnings, int attempt, Callback done,
                     const Narrow& narrow);
  void apply_to_existing(const Call& call, std::vector<std::string> warnings, Callback done, const Narrow& narrow);
  void review_deletion(std::shared_ptr<Call> call, DeleteOptions options, int attempt, const ObjectPtr& current,
                       Deletion deletion, Response response, Callback done);
  void remove_all(const Call& call, const DeleteOptions& options, Response listed, const Callback& done);
  void remove_attempt(std::shared_ptr<Call> call, DeleteOptions options, int attempt, Callback done);
  void write_deletion(std::shared_ptr<Call> call, DeleteOptions options, int attempt, const ObjectPtr& current,
                      Deletion deletion, Response response, Callback done);
  Result<void> validate_new(const Call& call, const Value& document) const;
  Result<void> validate_change(const Call& call, Change& change, const Value& old) const;
  void write(const Call& call, store::Write write, std::function<void(Result<store::WriteOutcome>)> done);
  store::Write put(const Call& call, const std::string& name, Value document) const;

  store::Store& store_;
  cache::Cache& cache_;
  loop::Loop& loop_;
  Random& random_;
  Admission& admission_;
  WebhookAdmission& webhooks_;
  Converter& converter_;
};

}  // namespace stead::apiserver
