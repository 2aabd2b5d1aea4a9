#include "kinds/descriptors.h"

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "kinds/descriptor_tables.h"

namespace stead::kinds {
namespace {

using object::Field;
using object::Message;
using object::Type;
using object::TypeRef;
using object::Value;

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find('|', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Owns what descriptors point to; never destroyed, as Values borrow its names.
class Catalogue {
 public:
  Catalogue() {
    size_t count = 0;
    for (const tables::PackageTable* table : tables::packages()) count += table->messages.size();
    messages_.resize(count);
    size_t next = 0;
    for (const tables::PackageTable* table : tables::packages()) {
      build_package(*table, next);
      next += table->messages.size();
    }
  }

  std::span<const Message> messages() const { return messages_; }

  const Message* find(std::string_view package, std::string_view name) const {
    auto found = by_package_.find(package);
    if (found == by_package_.end()) return nullptr;
    for (const Message& message : found->second) {
      if (message.name == name) return &message;
    }
    return nullptr;
  }

 private:
  void build_package(const tables::PackageTable& table, size_t first) {
    std::vector<Value>& defaults = defaults_.emplace_back(table.defaults());
    size_t row = 0;
    for (size_t i = 0; i < table.messages.size(); ++i) {
      const tables::MessageRow& source = table.messages[i];
      Message& message = messages_[first + i];
      message.name = table.names.substr(source.name.offset, source.name.length);
      message.package = table.prefix;
      message.doc = table.docs.substr(source.doc.offset, source.doc.length);
      message.atomic = source.atomic;
      message.fields.resize(source.field_count);
      for (Field& field : message.fields) fill(field, table, table.fields[row++], defaults);
      message.finish();
    }
    by_package_.emplace(table.name, std::span<const Message>(messages_).subspan(first, table.messages.size()));
  }

  void fill(Field& field, const tables::PackageTable& table, const tables::FieldRow& row,
            const std::vector<Value>& defaults) {
    auto text = [&](tables::Text place) { return table.names.substr(place.offset, place.length); };
    auto flag = [&](uint16_t bit) { return (row.flags & bit) != 0; };
    field.name = text(row.name);
    field.doc = table.docs.substr(row.doc.offset, row.doc.length);
    field.type = type_at(row, 0);
    field.number = row.number;
    field.embedded = row.embedded;
    field.required = flag(tables::kRequired);
    field.schema_required = flag(tables::kSchemaRequired);
    field.pointer = flag(tables::kPointer);
    field.omit_empty = !flag(tables::kKeepEmpty);
    field.immutable = flag(tables::kImmutable);
    field.atomic = flag(tables::kAtomic);
    field.list_type = row.list_type;
    field.patch_strategy = row.strategy;
    field.patch_merge_key = text(row.merge_key);
    if (row.keys.length != 0) field.list_map_keys = split(text(row.keys));
    if (flag(tables::kEnum)) field.enum_values = split(text(row.enums));
    if (row.default_index >= 0) field.default_value = &defaults[static_cast<size_t>(row.default_index)];
    field.has_minimum = flag(tables::kMinimum);
    field.has_maximum = flag(tables::kMaximum);
    field.minimum = row.minimum;
    field.maximum = row.maximum;
    field.format = text(row.format);
  }

  TypeRef type_at(const tables::FieldRow& row, size_t depth) {
    TypeRef type{row.types[depth]};
    if (type.type == Type::kMessage) type.message = &messages_[row.message];
    if (type.type == Type::kList || type.type == Type::kMap)
      type.element = &types_.emplace_back(type_at(row, depth + 1));
    return type;
  }

  std::vector<Message> messages_;
  std::deque<TypeRef> types_;
  std::deque<std::vector<Value>> defaults_;
  std::unordered_map<std::string_view, std::span<const Message>> by_package_;
};

const Catalogue& catalogue() {
  static const Catalogue& kCatalogue = *new Catalogue;
  return kCatalogue;
}

}  // namespace

std::span<const Message> messages() { return catalogue().messages(); }

const Message* find_message(std::string_view package, std::string_view name) { return catalogue().find(package, name); }

}  // namespace stead::kinds
