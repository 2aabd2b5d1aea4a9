#pragma once

// QuotaLedger: decides whether the ResourceQuotas of a namespace have room for an object, exactly, however many are
// created at once: it counts what the cache holds and what has been admitted but is not in the cache yet.
//
//   charge ──▶ Reservation (counts) ──written: the cache counts it──▶ released
//                     └──refused by the store──▶ released
//
// Exact for one API server: each would keep a ledger of its own. API loop only.

#include <list>
#include <memory>

#include "apiserver/call.h"
#include "cache/cache.h"
#include "kinds/semantics/quota_usage.h"

namespace stead::apiserver {

class QuotaLedger {
 public:
  explicit QuotaLedger(cache::Cache& cache) : cache_(cache) {}

  // Counts until destroyed; the ledger must outlive it.
  class Reservation;
  using ReservationPtr = std::shared_ptr<Reservation>;

  // For a new object (`old` null) or the growth of one. Null where no quota is about it. kForbidden where one has no
  // room: "exceeded quota: …" or "failed quota: …".
  Result<ReservationPtr> charge(const Call& call, const object::Value& document, const object::Value* old);

 private:
  struct Pending {
    std::string group;
    std::string resource;
    std::string ns;
    object::Value document;
    object::Value old;  // null: a new object
  };
  kinds::QuotaAmounts used(const object::Object& quota, std::string_view ns) const;

  cache::Cache& cache_;
  std::list<Pending> pending_;
};

class QuotaLedger::Reservation {
 public:
  Reservation(QuotaLedger& ledger, std::list<Pending>::iterator entry) : ledger_(ledger), entry_(entry) {}
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() { ledger_.pending_.erase(entry_); }

 private:
  QuotaLedger& ledger_;
  std::list<Pending>::iterator entry_;
};

}  // namespace stead::apiserver
