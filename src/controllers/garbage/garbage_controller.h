#pragma once

// Keeps the graph of owners over every served resource and applies garbage_policy to what changes in it. One loop.

#include <deque>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/custom_resources.h"
#include "controllers/garbage/garbage_policy.h"
#include "controllers/served_resource.h"

namespace stead::controllers {

class GarbageController {
 public:
  // All references outlive this. Before informers.start().
  GarbageController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                    client::InformerSet& informers, std::vector<ServedResource> resources);
  // Those that come and go too. Before informers.start().
  void follow(CustomResources& custom);
  void start();

 private:
  // UIDs that a look at the API showed to be gone; a UID never comes back, so only size bounds them.
  class UidSet {
   public:
    void insert(const std::string& uid);
    bool contains(const std::string& uid) const { return members_.contains(uid); }

   private:
    std::unordered_set<std::string> members_;
    std::deque<std::string> order_;
  };

  void add_resource(const ServedResource& resource, client::Informer& informer);
  void remove_resource(const ServedResource& resource, const client::Informer& informer);
  void changed(size_t resource, const client::ObjectPtr& before, const client::ObjectPtr& after);
  void removed(const client::ObjectPtr& object);
  void added_or_updated(size_t resource, const client::ObjectPtr& before, const client::ObjectPtr& after);
  void enqueue_dependents(const std::string& uid);
  void enqueue_waiting_owners(const object::Object& object);
  void enqueue_next_sibling(const object::Object& pod);

  std::vector<garbage::Member> dependents_of(const std::string& uid) const;
  const ServedResource* resource_of(const object::Value& owner) const;
  bool must_wait(const garbage::Member& member, const object::Value& owner) const;
  void work(const std::string& uid, client::WorkQueue::Finish finish);
  // Asks the API for an owner that the informers do not show, then works on `uid` again.
  void verify(const std::string& uid, const object::Object& dependent, const object::Value& owner,
              const ServedResource& resource, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  std::vector<ServedResource> resources_;                              // places stay; what is gone has no kind
  std::unordered_map<std::string, garbage::Member> members_;           // by UID
  std::unordered_map<std::string, std::set<std::string>> dependents_;  // UIDs by owner's UID
  UidSet gone_;
  UidSet seen_;           // verified to exist, though not in the informers yet
  UidSet parallel_sets_;  // deleted StatefulSets whose pods need no order
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
