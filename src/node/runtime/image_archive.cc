#include "node/runtime/image_archive.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "node/runtime/image_name.h"
#include "node/runtime/tar_archive.h"

namespace stead::node {

namespace {

using simdjson::dom::element;

constexpr uint64_t kJsonBytesMax = 4 << 20;
constexpr size_t kChunkBytes = 1 << 20;
constexpr int kIndexDepthMax = 4;
constexpr char kDockerManifest[] = "application/vnd.docker.distribution.manifest.v2+json";
constexpr char kDockerConfig[] = "application/vnd.docker.container.image.v1+json";
constexpr char kDockerLayer[] = "application/vnd.docker.image.rootfs.diff.tar";
constexpr char kOciManifest[] = "application/vnd.oci.image.manifest.v1+json";
#if defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#else
constexpr std::string_view kArchitecture = "amd64";
#endif

Result<std::string> archive_image_name(std::string_view name) {
  auto normal = normal_image_name(name);
  if (normal.ok()) return normal;
  return make_error(Reason::kBadRequest, fmt::format("image name \"{}\": {}", name, normal.error().message));
}

Error bad_archive(std::string what) { return make_error(Reason::kBadRequest, "not an image archive: " + what); }

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string digest() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), bytes, &size);
    std::string text = "sha256:";
    for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string text_of(const element& parent, const char* key) {
  std::string_view value;
  if (parent[key].get(value) != simdjson::SUCCESS) return {};
  return std::string(value);
}

// The archive's files by name, links followed.
class ArchiveFiles {
 public:
  static Result<ArchiveFiles> open(int fd) {
    STEAD_TRY(entries, list_tar(fd));
    ArchiveFiles files(fd);
    for (TarEntry& entry : entries) {
      const std::string name = entry.name;
      files.entries_[name] = std::move(entry);
    }
    return files;
  }

  bool has(const std::string& name) const { return entries_.contains(name); }

  Result<TarEntry> find(std::string name) const {
    for (int hops = 0; hops < 8; ++hops) {
      auto found = entries_.find(name);
      if (found == entries_.end()) return bad_archive(fmt::format("it lacks \"{}\"", name));
      const TarEntry& entry = found->second;
      if (entry.type != '1' && entry.type != '2') return entry;
      name = entry.type == '1' ? entry.link : target_of(entry);
    }
    return bad_archive(fmt::format("links of \"{}\" go in a circle", name));
  }

  Result<std::string> read_json(const std::string& name) const {
    STEAD_TRY(entry, find(name));
    if (entry.size > kJsonBytesMax) return bad_archive(fmt::format("\"{}\" is larger than 4 MiB", name));
    return read_at(fd_, entry.offset, entry.size);
  }

  // The blob in file `name`, its digest computed from the bytes.
  Result<ArchiveBlob> blob(const std::string& name) const {
    STEAD_TRY(entry, find(name));
    Sha256 hash;
    for (uint64_t done = 0; done < entry.size;) {
      STEAD_TRY(chunk, read_at(fd_, entry.offset + done, std::min<uint64_t>(kChunkBytes, entry.size - done)));
      hash.add(chunk);
      done += chunk.size();
    }
    ArchiveBlob blob;
    blob.digest = hash.digest();
    blob.size = entry.size;
    blob.offset = entry.offset;
    return blob;
  }

  // A blob of an OCI layout, named and checked by its digest.
  Result<ArchiveBlob> blob_of_digest(const element& descriptor) const {
    const std::string digest = text_of(descriptor, "digest");
    STEAD_TRY(found, blob(path_of_digest(digest)));
    if (found.digest != digest) return bad_archive(fmt::format("blob {} has digest {}", digest, found.digest));
    found.media_type = text_of(descriptor, "mediaType");
    return found;
  }

  static std::string path_of_digest(std::string digest) {
    std::replace(digest.begin(), digest.end(), ':', '/');
    return "blobs/" + digest;
  }

  Result<std::string> layer_media_type(const ArchiveBlob& layer) const {
    if (layer.size < 4) return std::string(kDockerLayer);
    STEAD_TRY(magic, read_at(fd_, layer.offset, 4));
    if (magic.starts_with("\x1f\x8b")) return std::string(kDockerLayer) + ".gzip";
    if (magic == "\x28\xb5\x2f\xfd") return std::string(kDockerLayer) + ".zstd";
    return std::string(kDockerLayer);
  }

 private:
  explicit ArchiveFiles(int fd) : fd_(fd) {}

  // Symbolic links are relative to their own folder ("../<id>/layer.tar" in old `docker save` output).
  static std::string target_of(const TarEntry& entry) {
    std::string folder = entry.name.substr(0, entry.name.rfind('/') == std::string::npos ? 0 : entry.name.rfind('/'));
    std::string target = entry.link;
    while (target.starts_with("../")) {
      target.erase(0, 3);
      const size_t slash = folder.rfind('/');
      folder = slash == std::string::npos ? "" : folder.substr(0, slash);
    }
    return folder.empty() ? target : folder + "/" + target;
  }

  int fd_;
  std::map<std::string, TarEntry> entries_;
};

std::string descriptor_json(const ArchiveBlob& blob) {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", blob.media_type, blob.digest, blob.size);
}

ArchiveBlob make_manifest(const ArchiveImage& image) {
  std::string layers;
  for (const ArchiveBlob& layer : image.layers) layers += (layers.empty() ? "" : ",") + descriptor_json(layer);
  ArchiveBlob manifest;
  manifest.media_type = kDockerManifest;
  manifest.bytes = fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}})", kDockerManifest,
                               descriptor_json(image.config), layers);
  manifest.digest = sha256_digest(manifest.bytes);
  manifest.size = manifest.bytes.size();
  return manifest;
}

Result<ArchiveImage> docker_image(const ArchiveFiles& files, const element& entry) {
  ArchiveImage image;
  simdjson::dom::array tags;
  if (entry["RepoTags"].get(tags) == simdjson::SUCCESS) {
    for (auto tag : tags) {
      std::string_view name;
      if (tag.get(name) != simdjson::SUCCESS) return bad_archive("manifest.json: RepoTags[] is not text");
      STEAD_TRY(normal, archive_image_name(name));
      image.names.push_back(std::move(normal));
    }
  }
  STEAD_TRY(config, files.blob(text_of(entry, "Config")));
  image.config = std::move(config);
  image.config.media_type = kDockerConfig;
  simdjson::dom::array layers;
  if (entry["Layers"].get(layers) != simdjson::SUCCESS) return bad_archive("manifest.json: Layers is missing");
  for (auto layer : layers) {
    std::string_view name;
    if (layer.get(name) != simdjson::SUCCESS) return bad_archive("manifest.json: Layers[] is not text");
    STEAD_TRY(blob, files.blob(std::string(name)));
    STEAD_TRY(media_type, files.layer_media_type(blob));
    blob.media_type = std::move(media_type);
    image.layers.push_back(std::move(blob));
  }
  image.manifest = make_manifest(image);
  return image;
}

Result<std::vector<ArchiveImage>> docker_images(const ArchiveFiles& files) {
  STEAD_TRY(text, files.read_json("manifest.json"));
  simdjson::dom::parser parser;
  simdjson::dom::array entries;
  if (parser.parse(text).get(entries) != simdjson::SUCCESS) return bad_archive("manifest.json is not a JSON list");
  std::vector<ArchiveImage> images;
  for (auto entry : entries) {
    STEAD_TRY(image, docker_image(files, entry));
    if (!image.names.empty()) images.push_back(std::move(image));
  }
  return images;
}

Result<ArchiveImage> oci_image(const ArchiveFiles& files, const element& descriptor) {
  ArchiveImage image;
  STEAD_TRY(manifest, files.blob_of_digest(descriptor));
  image.manifest = std::move(manifest);
  if (image.manifest.media_type.empty()) image.manifest.media_type = kOciManifest;
  STEAD_TRY(text, files.read_json(ArchiveFiles::path_of_digest(image.manifest.digest)));
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return bad_archive("a manifest is not JSON");
  element config_descriptor;
  if (root["config"].get(config_descriptor) != simdjson::SUCCESS) return bad_archive("a manifest lacks config");
  STEAD_TRY(config, files.blob_of_digest(config_descriptor));
  image.config = std::move(config);
  simdjson::dom::array layers;
  if (root["layers"].get(layers) != simdjson::SUCCESS) return bad_archive("a manifest lacks layers");
  for (auto layer : layers) {
    STEAD_TRY(blob, files.blob_of_digest(layer));
    image.layers.push_back(std::move(blob));
  }
  return image;
}

bool fits_machine(const element& descriptor) {
  element platform;
  if (descriptor["platform"].get(platform) != simdjson::SUCCESS) return true;
  return text_of(platform, "os") == "linux" && text_of(platform, "architecture") == kArchitecture;
}

// ctr and skopeo say the full name in one annotation, others only a tag in the other.
std::string annotated_name(const element& descriptor) {
  element annotations;
  if (descriptor["annotations"].get(annotations) != simdjson::SUCCESS) return {};
  std::string name = text_of(annotations, "io.containerd.image.name");
  return name.empty() ? text_of(annotations, "org.opencontainers.image.ref.name") : name;
}

Result<void> collect_oci(const ArchiveFiles& files, const std::string& path, const std::string& inherited_name,
                         int depth, std::vector<ArchiveImage>& images) {
  if (depth > kIndexDepthMax) return bad_archive("indexes nested too deeply");
  STEAD_TRY(text, files.read_json(path));
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array manifests;
  if (parser.parse(text).get(root) != simdjson::SUCCESS || root["manifests"].get(manifests) != simdjson::SUCCESS) {
    return bad_archive(path + " lacks manifests");
  }
  for (auto descriptor : manifests) {
    if (!fits_machine(descriptor)) continue;
    std::string name = annotated_name(descriptor);
    if (name.empty()) name = inherited_name;
    const std::string media_type = text_of(descriptor, "mediaType");
    if (media_type.find("index") != std::string::npos || media_type.find("manifest.list") != std::string::npos) {
      STEAD_TRY_VOID(
          collect_oci(files, ArchiveFiles::path_of_digest(text_of(descriptor, "digest")), name, depth + 1, images));
      continue;
    }
    if (name.empty()) continue;
    STEAD_TRY(normal, archive_image_name(name));
    STEAD_TRY(image, oci_image(files, descriptor));
    image.names.push_back(std::move(normal));
    images.push_back(std::move(image));
  }
  return {};
}

}  // namespace

std::string sha256_digest(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.digest();
}

Result<std::vector<ArchiveImage>> read_image_archive(int fd) {
  STEAD_TRY(files, ArchiveFiles::open(fd));
  std::vector<ArchiveImage> images;
  if (files.has("manifest.json")) {
    STEAD_TRY(found, docker_images(files));
    images = std::move(found);
  } else if (files.has("index.json")) {
    STEAD_TRY_VOID(collect_oci(files, "index.json", "", 0, images));
  } else {
    return bad_archive("it has neither manifest.json nor index.json");
  }
  if (images.empty())
    return bad_archive("no image in it has a name (RepoTags, or the annotation org.opencontainers.image.ref.name)");
  return images;
}

}  // namespace stead::node
