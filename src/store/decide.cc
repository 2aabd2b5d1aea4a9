#include "store/decide.h"

namespace stead::store {

Result<void> check_write(const Write& write) {
  if (write.key.empty()) return make_error(Reason::kBadRequest, "store: key is empty");
  if (!write.value) return {};
  if (!*write.value) return make_error(Reason::kBadRequest, "store: value of " + write.key + " is null");
  size_t bytes = (*write.value)->size();
  if (bytes > kValueBytesMax) {
    return make_error(Reason::kRequestEntityTooLarge, "store: value of " + write.key + " has " + std::to_string(bytes) +
                                                          " bytes, at most " + std::to_string(kValueBytesMax) +
                                                          " are allowed");
  }
  return {};
}

namespace {

bool condition_holds(const Write& write, const KeyValue* current) {
  switch (write.expect) {
    case Write::Expect::kAny:
      return true;
    case Write::Expect::kAbsent:
      return current == nullptr;
    case Write::Expect::kRevision:
      return current != nullptr && current->mod_revision == write.revision;
  }
  return false;
}

}  // namespace

Decision decide(const Write& write, const KeyValue* current, int64_t revision) {
  Decision decision;
  bool deletes = !write.value;
  if (!condition_holds(write, current) || (deletes && current == nullptr)) return decision;
  decision.applied = true;
  decision.entry.key = write.key;
  decision.entry.mod_revision = revision;
  if (deletes) return decision;
  decision.entry.value = *write.value;
  decision.entry.create_revision = current != nullptr ? current->create_revision : revision;
  decision.entry.version = current != nullptr ? current->version + 1 : 1;
  decision.entry.expires_at = write.expires_at;
  return decision;
}

WatchEvent make_event(const Write& write, const KeyValue& entry, std::optional<KeyValue> previous) {
  WatchEvent event;
  event.type = write.value ? WatchEvent::Type::kPut : WatchEvent::Type::kDelete;
  event.entry = entry;
  event.previous = std::move(previous);
  event.attachment = write.attachment;
  return event;
}

bool covers(const RangeRequest& request, std::string_view key) {
  if (request.end.empty()) return key == request.start;
  bool unbounded = request.end.size() == 1 && request.end[0] == '\0';
  return key >= request.start && (unbounded || key < request.end);
}

}  // namespace stead::store
