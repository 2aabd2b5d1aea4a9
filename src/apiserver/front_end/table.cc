#include "apiserver/front_end/table.h"

#include "apiserver/document.h"
#include "kinds/custom/custom_kind.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

using object::Value;

Value column(std::string_view name, std::string_view type, std::string_view format, std::string_view description,
             int priority) {
  return Value::object(
      {{"name", name}, {"type", type}, {"format", format}, {"description", description}, {"priority", priority}});
}

Value name_column() { return column("Name", "string", "name", "Name of the object, unique in its namespace.", 0); }
Value age_column() { return column("Age", "string", "", "Time since the object was created.", 0); }

Value column_definitions(const kinds::Resource& resource, const kinds::Version& version) {
  Value columns = Value::array();
  if (kinds::custom_of(resource) != nullptr) {
    for (const kinds::Column& entry : kinds::custom_of(resource)->columns(version)) {
      columns.append(column(entry.name, entry.type, entry.format, entry.description, entry.priority));
    }
    return columns;
  }
  if (resource.columns.empty() || resource.rules.cells == nullptr) {
    columns.append(name_column());
    columns.append(age_column());
    return columns;
  }
  for (const kinds::Column& entry : resource.columns) {
    columns.append(column(entry.name, entry.type, entry.format, entry.description, entry.priority));
  }
  return columns;
}

Value age(const object::Object& object, WallTime now) {
  auto created = object::parse_time(object.metadata().at("creationTimestamp").as_string());
  return Value(created ? object::human_duration(now - *created) : "<unknown>");
}

std::vector<Value> default_cells(const object::Object& object, WallTime now) {
  return {Value(object.name()), age(object, now)};
}

}  // namespace

Value partial_metadata(const object::Object& object) {
  return Value::object(
      {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", object.metadata()}});
}

Value make_scale_table(const object::Object& scale, const TableOptions& options) {
  Value columns = Value::array({name_column(), column("Desired", "integer", "", "How many instances are wanted.", 0),
                                column("Available", "integer", "", "How many instances there are.", 0), age_column()});
  auto count = [&](std::string_view part) { return Value(scale.document().at({part, "replicas"}).as_int()); };
  Value row = Value::object(
      {{"cells", Value::array({Value(scale.name()), count("spec"), count("status"), age(scale, options.now)})}});
  if (options.include_object == IncludeObject::kMetadata) row.set("object", partial_metadata(scale));
  if (options.include_object == IncludeObject::kObject) row.set("object", scale.document());
  return Value::object({{"kind", "Table"},
                        {"apiVersion", "meta.k8s.io/v1"},
                        {"metadata", Value::object()},
                        {"columnDefinitions", std::move(columns)},
                        {"rows", Value::array({std::move(row)})}});
}

Value make_table(const kinds::Resource& resource, const kinds::Version& version,
                 std::span<const object::ObjectPtr> objects, const TableOptions& options) {
  Value table = Value::object({{"kind", "Table"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", Value::object()}});
  table.set("columnDefinitions", options.with_columns ? column_definitions(resource, version) : Value::array());
  Value rows = Value::array();
  for (const object::ObjectPtr& object : objects) {
    bool own_cells = !resource.columns.empty() && resource.rules.cells != nullptr;
    Value row = Value::object();
    row.set("cells", Value::array(kinds::custom_of(resource) != nullptr
                                      ? kinds::custom_of(resource)->cells(object->document(), version, options.now)
                                  : own_cells ? resource.rules.cells(object->document(), options.now)
                                              : default_cells(*object, options.now)));
    if (options.include_object == IncludeObject::kMetadata) row.set("object", partial_metadata(*object));
    if (options.include_object == IncludeObject::kObject) {
      row.set("object", to_version(resource, version, object->document()));
    }
    rows.append(std::move(row));
  }
  table.set("rows", std::move(rows));
  return table;
}

}  // namespace stead::apiserver
