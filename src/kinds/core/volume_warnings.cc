#include "kinds/core/volume_warnings.h"

#include <set>

namespace stead::kinds {
namespace {

struct GoneSource {
  std::string_view kind;
  std::string_view what;
};
constexpr GoneSource kGone[] = {
    {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
    {"gitRepo", "deprecated in v1.11"},
    {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
    {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
    {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
    {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
    {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
    {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
    {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
};

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

// One file where the other has a directory, or the same file twice.
bool overlap(std::string_view one, std::string_view other) {
  if (one == other) return true;
  std::string one_directory = std::string(one) + "/";
  std::string other_directory = std::string(other) + "/";
  return one_directory.starts_with(other) || other_directory.starts_with(one);
}

class Files {
 public:
  Files(std::string lead, Warnings& warnings) : lead_(std::move(lead)), warnings_(warnings) {}

  void add(std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    for (const std::string& known : paths_) {
      if (known.empty() || path.empty() || !overlap(known, path)) continue;
      warnings_.push_back(lead_ + ": overlapping paths: " + quoted(path) + " with " + quoted(known));
      break;
    }
    paths_.emplace(path);
  }
  void add_items(const Value& items) {
    for (const Value& item : items.items()) add(item.at("path").as_string());
  }
  void lead(std::string lead) { lead_ = std::move(lead); }

 private:
  std::string lead_;
  Warnings& warnings_;
  std::set<std::string> paths_;
};

void warn_of_projected(const std::string& name, const Value& sources, Warnings& warnings) {
  Files files({}, warnings);
  for (const Value& source : sources.items()) {
    std::string lead = "volume " + quoted(name) + " (Projected ";
    if (source.empty()) {
      warnings.push_back("volume " + quoted(name) + " (Projected) has no sources provided");
    } else if (const Value* config = source.find("configMap")) {
      files.lead(lead + "ConfigMap " + quoted(config->at("name").as_string()) + ")");
      files.add_items(config->at("items"));
    } else if (const Value* secret = source.find("secret")) {
      files.lead(lead + "Secret " + quoted(secret->at("name").as_string()) + ")");
      files.add_items(secret->at("items"));
    } else if (const Value* downward = source.find("downwardAPI")) {
      files.lead(lead + "DownwardAPI)");
      files.add_items(downward->at("items"));
    } else if (const Value* token = source.find("serviceAccountToken")) {
      files.lead(lead + "ServiceAccountToken)");
      files.add(token->at("path").as_string());
    }
  }
}

void warn_of_files(const Value& volume, Warnings& warnings) {
  std::string name(volume.at("name").as_string());
  std::string lead = "volume " + quoted(name);
  if (const Value* config = volume.find("configMap")) {
    Files(lead + " (ConfigMap " + quoted(config->at("name").as_string()) + ")", warnings)
        .add_items(config->at("items"));
  }
  if (const Value* secret = volume.find("secret")) {
    Files(lead + " (Secret " + quoted(secret->at("secretName").as_string()) + ")", warnings)
        .add_items(secret->at("items"));
  }
  if (const Value* downward = volume.find("downwardAPI")) {
    Files(lead + " (DownwardAPI)", warnings).add_items(downward->at("items"));
  }
  if (const Value* projected = volume.find("projected")) {
    warn_of_projected(name, projected->at("sources"), warnings);
  }
}

}  // namespace

std::string_view gone_volume_source(std::string_view kind) {
  for (const GoneSource& row : kGone) {
    if (row.kind == kind) return row.what;
  }
  return {};
}

void warn_of_volumes(const Path& path, const Value& volumes, Warnings& warnings) {
  for (size_t i = 0; i < volumes.size(); ++i) {
    const Value& volume = volumes.items()[i];
    Path at = path.index(i);
    for (const object::Member& source : volume.members()) {
      std::string_view what = gone_volume_source(source.name());
      // Upstream spells one of them otherwise than the field.
      std::string_view shown = source.name() == "storageos" ? "storageOS" : source.name();
      if (!what.empty()) warnings.push_back(at.child(shown).str() + ": " + std::string(what));
    }
    Path ephemeral_path = at.child("ephemeral");
    Path claim_path = ephemeral_path.child("volumeClaimTemplate");
    if (const Value* claim = volume.find({"ephemeral", "volumeClaimTemplate", "spec"})) {
      warn_of_claim_spec(claim_path.child("spec"), *claim, warnings);
    }
  }
  for (const Value& volume : volumes.items()) warn_of_files(volume, warnings);
}

}  // namespace stead::kinds
