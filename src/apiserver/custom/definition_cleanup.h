#pragma once

// What a change of CustomResourceDefinitions sets off: the instances of one that is being deleted are deleted, then its
// finalizer goes; one whose names were taken is settled again when they may be free. API loop only.

#include <map>
#include <memory>
#include <set>
#include <string>

#include "apiserver/custom/catalogue.h"
#include "apiserver/verbs.h"

namespace stead::apiserver {

class DefinitionCleanup {
 public:
  // References outlive this.
  DefinitionCleanup(Verbs& verbs, Catalogue& catalogue, cache::Cache& cache, loop::Loop& loop);
  ~DefinitionCleanup();

 private:
  void changed(const object::ObjectPtr& definition);
  void clean(const std::string& name);
  void finish(const std::string& name);
  void settle_others();
  Call call_for(std::string group, std::string resource, client::Verb verb) const;

  Verbs& verbs_;
  Catalogue& catalogue_;
  cache::Cache& cache_;
  loop::Loop& loop_;
  struct Cleaning {
    std::set<std::string> asked;  // keys of instances whose deletion was begun
    std::unique_ptr<ObjectFollower> instances;
  };
  std::map<std::string, Cleaning> cleaning_;  // by the definition's name
  std::shared_ptr<DefinitionCleanup*> self_ =
      std::make_shared<DefinitionCleanup*>(this);  // posted tasks hold it weakly
};

}  // namespace stead::apiserver
