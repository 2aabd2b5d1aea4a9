// {"live": …, "applies": [{"manager": "a", "force": true, "configuration": …}, {"manager": "b", "document": …}, …]}:
// writes by several managers, as the API does them. What is applied is there, applying it again changes nothing, and
// managedFields reads back as it was written.

#include "base/check.h"
#include "object/apply/managed_fields.h"
#include "object/apply/merge.h"
#include "object/apply/test_message.h"
#include "object/codec.h"

namespace {

using namespace stead;
using namespace stead::object;

constexpr size_t kWritesMax = 8;

ManagedVersion one_version(std::string_view name) {
  return name == "v1" ? ManagedVersion{&apply_test::message(), nullptr} : ManagedVersion{};
}

// Every leaf of `part` is in `whole`.
bool holds(const FieldSet& whole, const FieldSet& part) { return part.without(whole).empty(); }

void check_sets(const FieldSet& a, const FieldSet& b) {
  FieldSet both = a.common(b);
  FieldSet rest = a.without(b);
  STEAD_CHECK(both == b.common(a));
  STEAD_CHECK(rest.united(both) == a, to_json(a.fields_v1()));
  STEAD_CHECK(rest.common(b).empty());
  FieldSet all = a.united(b);
  STEAD_CHECK(all == b.united(a));
  STEAD_CHECK(holds(all, a) && holds(all, b));
  STEAD_CHECK(all.without(b) == rest);
  auto read = FieldSet::from_fields_v1(*parse_json(to_json(a.fields_v1())));
  STEAD_CHECK(read.ok() && *read == a, to_json(a.fields_v1()));
}

struct Owned {
  Value document;
  ManagedFields managed;
  WallTime now{};

  void check_entries() {
    Value entries = managed.encode();
    auto again = ManagedFields::decode(*parse_json(to_json(entries)));
    STEAD_CHECK(entries.is_null() || again.ok());
    if (again.ok()) STEAD_CHECK(again->encode() == entries, to_json(entries));
    const auto items = entries.items();
    for (size_t i = 1; i < items.size(); ++i) {
      check_sets(*FieldSet::from_fields_v1(items[i - 1].at("fieldsV1")),
                 *FieldSet::from_fields_v1(items[i].at("fieldsV1")));
    }
  }

  void apply(const std::string& manager, const Value& configuration, bool force) {
    if (has_empty_key(configuration)) return;
    const Message& message = apply_test::message();
    const Manager who{manager, true, "v1", {}};
    const ManagedFields before = managed;
    now += std::chrono::seconds(1);
    auto applied = managed.apply(who, document, configuration, force, {}, one_version, now);
    if (!applied.ok()) {
      STEAD_CHECK(!force || applied.error().reason != Reason::kConflict, applied.error().message);
      managed = before;  // as the API does
      return;
    }
    document = applied->document;
    check_entries();
    FieldSet wanted = fields_of(configuration, message).without(unmanaged_fields());
    STEAD_CHECK(merge_configuration(document, configuration, message) == document || has_nothing(configuration),
                to_json(document));
    Value entries = managed.encode();
    now += std::chrono::seconds(1);
    auto again = managed.apply(who, document, configuration, force, {}, one_version, now);
    STEAD_CHECK(again.ok(), again.ok() ? "" : again.error().message);
    STEAD_CHECK(again->document == document, to_json(again->document));
    STEAD_CHECK(!again->changed, to_json(document));
    STEAD_CHECK(managed.encode() == entries, to_json(entries));
  }

  // Items whose key is a zero that means absent: they lose it where they are stored, and are others from then on.
  static bool has_empty_key(const Value& configuration) {
    for (const Value& item : configuration.at("ports").items()) {
      if (item.at("port").as_int() == 0) return true;
      const Value* protocol = item.find("protocol");
      if (protocol != nullptr && protocol->as_string().empty()) return true;
    }
    return false;
  }

  // Zeros and nulls that mean absent are no part of the document.
  static bool has_nothing(const Value& value) {
    if (value.is_object()) {
      for (const Member& member : value.members()) {
        if (has_nothing(member.value)) return true;
      }
      return value.empty();
    }
    for (const Value& item : value.items()) {
      if (has_nothing(item)) return true;
    }
    return value.is_null() || (value.is_array() && value.empty()) || (value.is_string() && value.as_string().empty()) ||
           (value.is_number() && value.as_double() == 0) || (value.is_bool() && !value.as_bool());
  }

  void update(const std::string& manager, const Value& next) {
    now += std::chrono::seconds(1);
    const Manager who{manager, false, "v1", {}};
    managed.update(who, document, next, one_version, now);
    document = next;
    check_entries();
    STEAD_CHECK(!managed.update(who, document, next, one_version, now), to_json(next));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto input = parse_json({reinterpret_cast<const char*>(data), size});
  if (!input.ok()) return 0;
  Owned object;
  object.document = input->at("live");
  if (!object.document.is_object() || !shape(object.document, apply_test::message()).ok()) return 0;
  if (auto entries = ManagedFields::decode(input->at("managedFields")); entries.ok()) {
    object.managed = std::move(*entries);
    object.check_entries();
  }
  size_t writes = 0;
  for (const Value& write : input->at("writes").items()) {
    if (++writes > kWritesMax) break;
    std::string manager(write.at("manager").as_string());
    Value configuration = write.at("configuration");
    Value document = write.at("document");
    if (configuration.is_object() && check_configuration(configuration, apply_test::message()).empty() &&
        shape(configuration, apply_test::message(), nullptr, Extent::kPartial).ok()) {
      object.apply(manager, configuration, write.at("force").as_bool());
    } else if (document.is_object() && shape(document, apply_test::message()).ok()) {
      object.update(manager, document);
    }
  }
  return 0;
}
