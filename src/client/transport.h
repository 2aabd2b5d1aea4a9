#pragma once

// ApiTransport: the one way to the API, at the level of verbs. The API server implements it in-process; the HTTPS
// client (agents, outside controllers), the faulty one of simulations and the recording one of tests are others.
// Every caller has an identity and passes the same authorization, admission, validation and conflict checks.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/object.h"

namespace stead::client {

using object::ObjectPtr;
using object::Value;

// Who asks (authentication/v1 UserInfo).
struct Identity {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra = {};

  bool in_group(std::string_view group) const;
};

enum class Verb : uint8_t { kGet, kList, kWatch, kCreate, kUpdate, kPatch, kDelete, kDeleteCollection };
// "get", "deletecollection": as roles spell it.
std::string_view verb_name(Verb verb);
enum class PatchType : uint8_t { kJson, kMerge, kStrategicMerge, kApply };

// One call. Fields that a verb does not use are ignored. Documents are in the version named by `version`
// (empty: the hub version).
struct Request {
  Verb verb = Verb::kGet;
  std::string group;
  std::string version;
  std::string resource;     // plural
  std::string subresource;  // "status", "scale", "binding", "eviction"
  std::string ns;
  std::string name;
  Value body;  // object (create, update), patch (patch), DeleteOptions (delete)
  PatchType patch_type = PatchType::kMerge;

  // Options, as in the query string.
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::string resource_version_match;
  int64_t limit = 0;
  std::string continue_token;
  bool dry_run = false;
  std::string field_manager;
  bool force = false;            // apply
  std::string field_validation;  // "Strict", "Warn", "Ignore"; empty: Warn
  bool allow_watch_bookmarks = false;
  bool send_initial_events = false;
  int64_t timeout_seconds = 0;
};

struct Response {
  ObjectPtr object;              // get, create, update, patch; delete: the object as it is now or was last
  std::vector<ObjectPtr> items;  // list
  int64_t revision = 0;          // list: the revision it is true for
  std::string continue_token;
  std::optional<int64_t> remaining_items;
  bool created = false;  // create, or an apply that created: 201
  bool deleted = false;  // delete: gone at once (false: marked, waiting for finalizers or grace)
  std::vector<std::string> warnings;
};
using Callback = std::function<void(Result<Response>)>;

struct WatchEvent {
  enum class Type : uint8_t { kAdded, kModified, kDeleted, kBookmark } type = Type::kAdded;
  ObjectPtr object;                 // bookmark: null
  int64_t revision = 0;             // of the event
  bool initial_events_end = false;  // bookmark that closes the initial list (sendInitialEvents)
};

class WatchSink {
 public:
  virtual ~WatchSink() = default;
  virtual void on_events(std::vector<WatchEvent> events) = 0;
  // Over. kExpired: list again. Others: try again later.
  virtual void on_end(Error error) = 0;
};

// Ends the watch when destroyed.
class Watch {
 public:
  virtual ~Watch() = default;
};

class ApiTransport {
 public:
  virtual ~ApiTransport() = default;
  // `done` runs exactly once, later, on the loop this transport was made for. The in-process form delivers the
  // watch events of a write before its `done`.
  virtual void call(Request request, Callback done) = 0;
  // Events come on the same loop. Errors (bad selector, expired revision) come through on_end().
  virtual std::unique_ptr<Watch> watch(Request request, std::shared_ptr<WatchSink> sink) = 0;
};

}  // namespace stead::client
