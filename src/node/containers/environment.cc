#include "node/containers/environment.h"

#include <fmt/format.h>

#include <algorithm>

#include "object/base64.h"

namespace stead::node {
namespace {

using object::ObjectPtr;
using object::Value;

const std::string* find_name(const Environment& environment, std::string_view name) {
  // The last one of a name wins, as it does in a process.
  for (auto at = environment.rbegin(); at != environment.rend(); ++at) {
    if (at->first == name) return &at->second;
  }
  return nullptr;
}

void set_name(Environment& environment, std::string name, std::string value) {
  for (auto& [known, old] : environment) {
    if (known != name) continue;
    old = std::move(value);
    return;
  }
  environment.emplace_back(std::move(name), std::move(value));
}

std::string variable_name(std::string_view service) {
  std::string name(service);
  for (char& c : name) c = c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

bool is_secret(std::string_view resource) { return resource == "secrets"; }

Error not_found(std::string_view resource, std::string_view name) {
  return make_error(Reason::kNotFound,
                    fmt::format("{} \"{}\" not found", is_secret(resource) ? "secret" : "configmap", name));
}

class Builder {
 public:
  Builder(const PodShape& shape, const ContainerShape& container, const DownwardFacts& facts,
          const ObjectLookup& lookup, const Environment& services)
      : shape_(shape), container_(container), facts_(facts), lookup_(lookup), services_(services) {}

  Result<Environment> build() {
    for (const Value& source : container_.document->at("envFrom").items()) {
      STEAD_TRY_VOID(add_all(source, "configMapRef", "configmaps"));
      STEAD_TRY_VOID(add_all(source, "secretRef", "secrets"));
    }
    for (const Value& variable : container_.document->at("env").items()) STEAD_TRY_VOID(add_one(variable));
    for (const auto& [name, value] : services_) {
      if (find_name(result_, name) == nullptr) result_.emplace_back(name, value);
    }
    return std::move(result_);
  }

 private:
  Result<void> add_all(const Value& source, std::string_view field, std::string_view resource) {
    const Value* reference = source.find(field);
    if (reference == nullptr) return {};
    std::string_view name = reference->at("name").as_string();
    ObjectPtr object = lookup_(resource, name);
    if (!object) {
      if (reference->at("optional").as_bool()) return {};
      return not_found(resource, name);
    }
    std::string prefix(source.at("prefix").as_string());
    for (const auto& member : object->document().at("data").members()) {
      if (auto value = data_of(*object, member.name())) {
        set_name(result_, prefix + std::string(member.name()), std::move(*value));
      }
    }
    return {};
  }

  Result<void> add_one(const Value& variable) {
    std::string name(variable.at("name").as_string());
    const Value* source = variable.find("valueFrom");
    if (source == nullptr || source->empty()) {
      Environment known = services_;
      known.insert(known.end(), result_.begin(), result_.end());
      set_name(result_, std::move(name), expand(variable.at("value").as_string(), known));
      return {};
    }
    if (const Value* field = source->find("fieldRef")) {
      STEAD_TRY(value, downward_field(shape_, facts_, field->at("fieldPath").as_string()));
      set_name(result_, std::move(name), std::move(value));
    } else if (const Value* resource = source->find("resourceFieldRef")) {
      STEAD_TRY(value, downward_resource(shape_, facts_, *resource, container_.name));
      set_name(result_, std::move(name), std::move(value));
    } else if (const Value* map = source->find("configMapKeyRef")) {
      return add_key(std::move(name), *map, "configmaps");
    } else if (const Value* secret = source->find("secretKeyRef")) {
      return add_key(std::move(name), *secret, "secrets");
    }
    return {};
  }

  Result<void> add_key(std::string name, const Value& reference, std::string_view resource) {
    std::string_view object_name = reference.at("name").as_string();
    std::string_view key = reference.at("key").as_string();
    bool optional = reference.at("optional").as_bool();
    ObjectPtr object = lookup_(resource, object_name);
    if (!object) {
      if (optional) return {};
      return not_found(resource, object_name);
    }
    auto value = data_of(*object, key);
    if (!value) {
      if (optional) return {};
      return make_error(Reason::kNotFound,
                        fmt::format("couldn't find key {} in {} {}/{}", key,
                                    is_secret(resource) ? "Secret" : "ConfigMap", shape_.ns, object_name));
    }
    set_name(result_, std::move(name), std::move(*value));
    return {};
  }

  const PodShape& shape_;
  const ContainerShape& container_;
  const DownwardFacts& facts_;
  const ObjectLookup& lookup_;
  const Environment& services_;
  Environment result_;
};

}  // namespace

std::optional<std::string> data_of(const object::Object& object, std::string_view key) {
  const Value& document = object.document();
  bool secret = document.at("kind").as_string() == "Secret";
  if (const Value* found = document.at("data").find(key)) {
    if (!secret) return std::string(found->as_string());
    auto decoded = object::decode_base64(found->as_string());
    return decoded.ok() ? std::optional(std::move(*decoded)) : std::nullopt;
  }
  if (const Value* found = document.at("binaryData").find(key)) {
    auto decoded = object::decode_base64(found->as_string());
    return decoded.ok() ? std::optional(std::move(*decoded)) : std::nullopt;
  }
  return std::nullopt;
}

std::string expand(std::string_view text, const Environment& environment) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    size_t end = text[i + 1] == '(' ? text.find(')', i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += '$';
      continue;
    }
    std::string_view name = text.substr(i + 2, end - i - 2);
    const std::string* value = find_name(environment, name);
    out += value != nullptr ? std::string_view(*value) : text.substr(i, end - i + 1);
    i = end;
  }
  return out;
}

Environment service_environment(const std::vector<ObjectPtr>& services) {
  Environment result;
  for (const ObjectPtr& service : services) {
    std::string_view address = service->spec().at("clusterIP").as_string();
    auto ports = service->spec().at("ports").items();
    if (address.empty() || address == "None" || ports.empty()) continue;
    std::string host(address.find(':') == std::string_view::npos ? std::string(address) : fmt::format("[{}]", address));
    std::string name = variable_name(service->name());
    result.emplace_back(name + "_SERVICE_HOST", address);
    result.emplace_back(name + "_SERVICE_PORT", std::to_string(ports.front().at("port").as_int()));
    for (const Value& port : ports) {
      std::string_view port_name = port.at("name").as_string();
      if (port_name.empty()) continue;
      result.emplace_back(name + "_SERVICE_PORT_" + variable_name(port_name), std::to_string(port.at("port").as_int()));
    }
    bool is_first = true;
    for (const Value& port : ports) {
      std::string protocol(port.at("protocol").as_string());
      if (protocol.empty()) protocol = "TCP";
      std::string lower = protocol;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      int64_t number = port.at("port").as_int();
      std::string url = fmt::format("{}://{}:{}", lower, host, number);
      if (is_first) result.emplace_back(name + "_PORT", url);
      is_first = false;
      std::string prefix = fmt::format("{}_PORT_{}_{}", name, number, protocol);
      result.emplace_back(prefix, url);
      result.emplace_back(prefix + "_PROTO", lower);
      result.emplace_back(prefix + "_PORT", std::to_string(number));
      result.emplace_back(prefix + "_ADDR", address);
    }
  }
  return result;
}

Result<Environment> build_environment(const PodShape& shape, const ContainerShape& container,
                                      const DownwardFacts& facts, const ObjectLookup& lookup,
                                      const Environment& services) {
  return Builder(shape, container, facts, lookup, services).build();
}

}  // namespace stead::node
