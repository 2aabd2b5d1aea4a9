#pragma once

// Gives custom objects in the version that a caller speaks, and in the one that is stored. API loop only.
//
//   wanted ─▶ as it is: nothing to do ──────────────────────────────────────▶ given
//          ─▶ remembered ───────────────────────────────────────────────────▶ given
//          ─▶ asked already ─▶ waits with those who asked ──────────────────▶ given
//          ─▶ waits its turn in a batch ─▶ asked of the webhook ─▶ checked ─▶ given

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "apiserver/conversion/conversion_review.h"
#include "apiserver/webhooks/webhook_caller.h"
#include "base/random.h"
#include "cache/cache.h"
#include "kinds/custom/custom_kind.h"

namespace stead::apiserver {

class Converter {
 public:
  // References outlive this; `caller` may be null: then no webhook can be reached.
  Converter(const cache::Cache& cache, Random& random, WebhookCaller* caller)
      : cache_(cache), random_(random), caller_(caller) {}

  using KindPtr = std::shared_ptr<const kinds::CustomKind>;
  using ObjectsDone = std::function<void(Result<std::vector<object::ObjectPtr>>)>;
  // Whether convert() has anything to do with it.
  static bool concerns(const kinds::CustomKind& kind, std::string_view api_version, const object::Object& object);
  // The same objects in `api_version`, in order; null stays null. May answer before it returns. The error is what
  // clients get.
  void convert(const KindPtr& kind, std::string_view api_version, std::vector<object::ObjectPtr> objects,
               ObjectsDone done);
  using DocumentDone = std::function<void(Result<object::Value>)>;
  // The same of one document that is not stored.
  void convert(const KindPtr& kind, std::string_view api_version, object::Value document, DocumentDone done);

 private:
  struct Waiting {
    std::vector<object::ObjectPtr> objects;
    size_t left = 0;
    std::optional<Error> error;
    ObjectsDone done;
    void finish_one();
  };
  struct Key {
    const object::Object* object;
    const kinds::CustomKind* kind;  // the spoken one
    std::string api_version;
    auto operator<=>(const Key&) const = default;
  };
  // What was made of an object. Keeps both, so that their addresses stay theirs.
  struct Made {
    object::ObjectPtr from;
    KindPtr kind;
    object::ObjectPtr to;
    size_t bytes = 0;
    std::list<Key>::iterator age;
  };
  struct Asked {
    KindPtr kind;
    std::vector<std::pair<std::shared_ptr<Waiting>, size_t>> waiting;
  };
  struct Batch {
    KindPtr kind;
    ConversionQuestion question;
    std::vector<object::ObjectPtr> asked_for;  // its objects as they were given
    size_t bytes = 0;
  };

  // Adds defaults that the object was written without.
  static object::ObjectPtr completed(const kinds::CustomKind& kind, const object::ObjectPtr& object);
  object::ObjectPtr remembered(const Key& key);
  void remember(Key key, const KindPtr& kind, const object::ObjectPtr& from, const object::ObjectPtr& to);
  void ask(const KindPtr& kind, const std::string& api_version, const object::ObjectPtr& object);
  void send_next();
  void send(Batch batch);
  void answered(const Batch& batch, const Result<std::vector<object::Value>>& documents);

  const cache::Cache& cache_;
  Random& random_;
  WebhookCaller* caller_;
  std::map<Key, Made> made_;
  std::list<Key> ages_;  // those used last are last
  size_t made_bytes_ = 0;
  std::map<Key, Asked> asked_;
  std::deque<Batch> batches_;
  size_t calls_ = 0;  // in progress
  bool sending_ = false;
  std::shared_ptr<Converter*> self_ = std::make_shared<Converter*>(this);  // calls hold it weakly
};

}  // namespace stead::apiserver
