#include "kinds/openapi/paths.h"

#include <array>
#include <span>

#include "kinds/custom/custom_kind.h"
#include "kinds/descriptors.h"
#include "kinds/measured.h"
#include "kinds/review.h"

namespace stead::kinds::openapi {
namespace {

using object::Message;

struct Parameter {
  std::string_view name;
  std::string_view type;
  std::string_view doc;
};

constexpr Parameter kPretty{"pretty", "string", "Whether the answer is indented."};
constexpr Parameter kDryRun{"dryRun", "string", "All: do everything but store the result."};
constexpr Parameter kFieldManager{"fieldManager", "string", "Who makes this change, for the record of managed fields."};
constexpr Parameter kFieldValidation{"fieldValidation", "string",
                                     "What to do about unknown and duplicate fields: Ignore, Warn or Strict."};
constexpr Parameter kForce{"force", "boolean", "Take over fields that another manager owns (apply only)."};

constexpr std::array kWrite = {kDryRun, kFieldManager, kFieldValidation};
constexpr std::array kPatch = {kDryRun, kFieldManager, kFieldValidation, kForce};
constexpr std::array<Parameter, 4> kDelete = {{
    kDryRun,
    {"gracePeriodSeconds", "integer", "How long the object may take to end; 0 ends it at once."},
    {"orphanDependents", "boolean", "Deprecated: use propagationPolicy."},
    {"propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."},
}};
constexpr std::array<Parameter, 10> kList = {{
    {"allowWatchBookmarks", "boolean", "Whether a watch may send bookmarks."},
    {"continue", "string", "Where an earlier list stopped."},
    {"fieldSelector", "string", "Only objects whose fields match."},
    {"labelSelector", "string", "Only objects whose labels match."},
    {"limit", "integer", "How many objects an answer may hold."},
    {"resourceVersion", "string", "How recent the answer must be."},
    {"resourceVersionMatch", "string", "How resourceVersion is meant: NotOlderThan or Exact."},
    {"sendInitialEvents", "boolean", "Whether a watch begins with what exists."},
    {"timeoutSeconds", "integer", "When the call ends by itself."},
    {"watch", "boolean", "Follow changes instead of listing."},
}};
constexpr std::array<std::string_view, 5> kPatchTypes = {
    "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json", "application/apply-patch+cbor"};
// By these clients tell that strategic merge knows nothing of a kind.
constexpr std::array<std::string_view, 4> kCustomPatchTypes = {
    "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
    "application/apply-patch+cbor"};
constexpr std::array<std::string_view, 3> kMediaTypes = {"application/json", "application/yaml",
                                                         "application/vnd.kubernetes.protobuf"};

// What distinguishes one operation from another.
struct Operation {
  std::string_view method;  // "get"
  std::string_view action;  // x-kubernetes-action
  std::string_view verb;    // of the operation's id: "read"
  std::span<const Parameter> parameters;
  const Message* body = nullptr;
  bool created = false;  // 201 is possible
};

std::string capital(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

// "apps", "core", "rbacAuthorization": a group without the domain, its dots made humps.
std::string group_word(std::string_view group) {
  if (group.empty()) return "core";
  std::string_view rest = group.substr(0, group.rfind(".k8s.io"));
  std::string word;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('.'), rest.size());
    word += word.empty() ? std::string(rest.substr(0, end)) : capital(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return word;
}

Value texts(std::span<const std::string_view> values) {
  Value list = Value::array();
  for (std::string_view value : values) list.append(Value::borrowed(value));
  return list;
}

class PathWriter {
 public:
  PathWriter(Definitions& definitions, Dialect dialect, const Resource& resource, const Version& version)
      : definitions_(definitions), dialect_(dialect), resource_(resource), version_(version) {}

  // `id` is the operation's id without its verb; `answer` what comes back, of `kind` if not the resource's own.
  Value operation(const Operation& source, const std::string& id, const Value& answer,
                  const Value* kind = nullptr) const {
    Value result = Value::object();
    if (dialect_ == Dialect::kV2) {
      add(result, "consumes", source.method == "patch" ? texts(patch_types()) : Value::array({Value::borrowed("*/*")}));
    }
    add(result, "description", Value(std::string(source.verb) + " " + std::string(resource_.kind)));
    add(result, "operationId", Value(std::string(source.verb) + id));
    Value parameters = Value::array();
    if (source.body != nullptr && dialect_ == Dialect::kV2) {
      Value body = Value::object();
      add(body, "in", Value::borrowed("body"));
      add(body, "name", Value::borrowed("body"));
      if (source.method != "delete") add(body, "required", Value(true));
      add(body, "schema", definitions_.message_reference(*source.body));
      parameters.append(std::move(body));
    }
    for (const Parameter& parameter : source.parameters) parameters.append(query_parameter(parameter));
    if (!parameters.empty()) add(result, "parameters", std::move(parameters));
    if (dialect_ == Dialect::kV2) add(result, "produces", texts(kMediaTypes));
    if (source.body != nullptr && dialect_ == Dialect::kV3) add(result, "requestBody", request_body(source));
    add(result, "responses", responses(source, answer));
    if (dialect_ == Dialect::kV2) add(result, "schemes", Value::array({Value::borrowed("https")}));
    add(result, "tags", Value::array({Value(group_word(version_.group) + "_" + std::string(version_.name))}));
    add(result, "x-kubernetes-action", Value::borrowed(source.action));
    add(result, "x-kubernetes-group-version-kind", kind != nullptr ? *kind : group_version_kind(resource_, version_));
    return result;
  }

  Value path_parameters(bool in_namespace, bool named) const {
    Value parameters = Value::array();
    if (named) parameters.append(path_parameter("name", "The object's name."));
    if (in_namespace) parameters.append(path_parameter("namespace", "The object's namespace."));
    parameters.append(query_parameter(kPretty));
    return parameters;
  }

 private:
  Value typed_parameter(std::string_view name, std::string_view in, std::string_view type, std::string_view doc) const {
    Value result = Value::object();
    add(result, "description", Value::borrowed(doc));
    add(result, "in", Value::borrowed(in));
    add(result, "name", Value::borrowed(name));
    if (in == "path") add(result, "required", Value(true));
    if (dialect_ == Dialect::kV2) {
      add(result, "type", Value::borrowed(type));
      add(result, "uniqueItems", Value(true));
    } else {
      Value schema = Value::object();
      add(schema, "type", Value::borrowed(type));
      add(schema, "uniqueItems", Value(true));
      add(result, "schema", std::move(schema));
    }
    return result;
  }
  Value query_parameter(const Parameter& parameter) const {
    return typed_parameter(parameter.name, "query", parameter.type, parameter.doc);
  }
  Value path_parameter(std::string_view name, std::string_view doc) const {
    return typed_parameter(name, "path", "string", doc);
  }

  static Value content(std::span<const std::string_view> types, const Value& schema) {
    Value result = Value::object();
    for (std::string_view type : types) {
      Value entry = Value::object();
      add(entry, "schema", schema);
      add(result, type, std::move(entry));
    }
    return result;
  }

  std::span<const std::string_view> patch_types() const {
    if (custom_of(resource_) != nullptr) return kCustomPatchTypes;
    return kPatchTypes;
  }

  Value request_body(const Operation& source) const {
    static constexpr std::array<std::string_view, 1> kAny = {"*/*"};
    Value body = Value::object();
    std::span<const std::string_view> types = kAny;
    if (source.method == "patch") types = patch_types();
    add(body, "content", content(types, definitions_.message_reference(*source.body)));
    if (source.method != "delete") add(body, "required", Value(true));
    return body;
  }

  Value response(std::string_view text, const Value& schema) const {
    Value result = Value::object();
    add(result, "description", Value::borrowed(text));
    if (dialect_ == Dialect::kV2) {
      add(result, "schema", schema);
    } else {
      add(result, "content", content(kMediaTypes, schema));
    }
    return result;
  }

  Value responses(const Operation& source, const Value& answer) const {
    Value result = Value::object();
    add(result, "200", response("OK", answer));
    if (source.created) add(result, "201", response("Created", answer));
    if (source.method == "post" || source.method == "delete") add(result, "202", response("Accepted", answer));
    Value refused = Value::object();
    add(refused, "description", Value::borrowed("Unauthorized"));
    add(result, "401", std::move(refused));
    return result;
  }

  Definitions& definitions_;
  Dialect dialect_;
  const Resource& resource_;
  const Version& version_;
};

// Where one resource's operations meet: names, references and the messages they carry.
struct Context {
  PathWriter writer;
  const Message* message;
  const Message* options;  // DeleteOptions
  const Message* patch;
  Value object;  // references
  Value list;
  Value status;  // meta/v1 Status
};

Value collection(const Context& context, const std::string& words, const std::string& kind) {
  const PathWriter& writer = context.writer;
  Value path = Value::object();
  add(path, "delete",
      writer.operation({"delete", "deletecollection", "delete", kList, context.options}, words + "Collection" + kind,
                       context.status));
  add(path, "get", writer.operation({"get", "list", "list", kList}, words + kind, context.list));
  add(path, "post",
      writer.operation({"post", "post", "create", kWrite, context.message, true}, words + kind, context.object));
  return path;
}

// An object, or one of its subresources: read, replaced and patched alike.
Value item(const Context& context, const std::string& id, const Message* message, const Value& reference,
           const Value* kind = nullptr) {
  const PathWriter& writer = context.writer;
  Value path = Value::object();
  add(path, "get", writer.operation({"get", "get", "read", {}}, id, reference, kind));
  add(path, "patch", writer.operation({"patch", "patch", "patch", kPatch, context.patch, true}, id, reference, kind));
  add(path, "put", writer.operation({"put", "put", "replace", kWrite, message, true}, id, reference, kind));
  return path;
}

Value whole_item(const Context& context, const std::string& id) {
  Value path = item(context, id, context.message, context.object);
  add(path, "delete",
      context.writer.operation({"delete", "delete", "delete", kDelete, context.options}, id, context.status));
  return path;
}

// Of what is found out when it is read.
Value read_collection(const Context& context, const std::string& id) {
  Value path = Value::object();
  add(path, "get", context.writer.operation({"get", "list", "list", kList}, id, context.list));
  return path;
}

Value read_item(const Context& context, const std::string& id) {
  Value path = Value::object();
  add(path, "get", context.writer.operation({"get", "get", "read", {}}, id, context.object));
  return path;
}

}  // namespace

std::string base_path(std::string_view group, std::string_view version) {
  std::string path = group.empty() ? "/api/" : "/apis/" + std::string(group) + "/";
  path += version;
  return path;
}

void add_paths(Value& paths, Definitions& definitions, Dialect dialect, const Resource& resource,
               const Version& version) {
  const Message* patch = find_message("meta.v1", "Patch");
  const Message* status = find_message("meta.v1", "Status");
  const Message* scale = find_message("autoscaling.v1", "Scale");
  const Message* options = find_message("meta.v1", "DeleteOptions");
  Context context{PathWriter(definitions, dialect, resource, version),
                  version.message,
                  options,
                  patch,
                  reference(definition_name(*version.message), dialect),
                  reference(Definitions::list_name(version), dialect),
                  definitions.message_reference(*status)};
  definitions.add_kind(resource, version);

  auto publish = [&](const std::string& path, Value operations, bool in_namespace, bool named) {
    add(operations, "parameters", context.writer.path_parameters(in_namespace, named));
    paths.mutable_members().emplace_back(Value(path), std::move(operations));
  };
  const std::string base = base_path(version.group, version.name);
  const std::string words = capital(group_word(version.group)) + capital(version.name);
  const std::string kind_word = (resource.namespaced ? "Namespaced" : "") + std::string(resource.kind);
  const std::string root = base + (resource.namespaced ? "/namespaces/{namespace}/" : "/") + std::string(resource.name);

  if (is_review(resource)) {
    Value ask = Value::object();
    add(ask, "post",
        context.writer.operation({"post", "post", "create", kWrite, version.message, true}, words + kind_word,
                                 context.object));
    return publish(root, std::move(ask), resource.namespaced, false);
  }
  const bool reads_only = is_measured(resource);
  publish(root, reads_only ? read_collection(context, words + kind_word) : collection(context, words, kind_word),
          resource.namespaced, false);
  publish(root + "/{name}", reads_only ? read_item(context, words + kind_word) : whole_item(context, words + kind_word),
          resource.namespaced, true);
  if (resource.status_subresource) {
    publish(root + "/{name}/status", item(context, words + kind_word + "Status", version.message, context.object),
            resource.namespaced, true);
  }
  if (resource.scale_subresource && scale != nullptr) {
    const Value kind = Value::object({{"group", "autoscaling"}, {"kind", "Scale"}, {"version", "v1"}});
    publish(root + "/{name}/scale",
            item(context, words + kind_word + "Scale", scale, definitions.message_reference(*scale), &kind),
            resource.namespaced, true);
  }
  if (resource.group.empty() && resource.name == "pods") {
    publish(root + "/{name}/ephemeralcontainers",
            item(context, words + kind_word + "Ephemeralcontainers", version.message, context.object), true, true);
    publish(root + "/{name}/resize", item(context, words + kind_word + "Resize", version.message, context.object), true,
            true);
  }
  if (resource.namespaced) {
    Value all = Value::object();
    add(all, "get",
        context.writer.operation({"get", "list", "list", kList},
                                 words + std::string(resource.kind) + "ForAllNamespaces", context.list));
    publish(base + "/" + std::string(resource.name), std::move(all), false, false);
  }
}

}  // namespace stead::kinds::openapi
