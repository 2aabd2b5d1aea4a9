#include "node/runtime/image_import.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/random.h"
#include "containerd_content.grpc.pb.h"
#include "containerd_images.grpc.pb.h"
#include "containerd_leases.grpc.pb.h"
#include "cri.grpc.pb.h"
#include "node/runtime/grpc_connection.h"
#include "node/runtime/image_archive.h"
#include "node/runtime/tar_archive.h"

namespace stead::node {

namespace {

namespace content = containerd::services::content::v1;
namespace images = containerd::services::images::v1;
namespace leases = containerd::services::leases::v1;
using std::chrono::milliseconds;
using Headers = std::multimap<std::string, std::string>;

constexpr milliseconds kCallTimeout{30'000};
constexpr milliseconds kVisibleTimeout{10'000};
constexpr uint64_t kChunkBytes = 1 << 20;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class Importer {
 public:
  explicit Importer(const std::string& socket_path)
      : channel_(open_channel(socket_path)),
        content_(content::Content::NewStub(channel_)),
        images_(images::Images::NewStub(channel_)),
        leases_(leases::Leases::NewStub(channel_)),
        cri_(runtime::v1::ImageService::NewStub(channel_)) {}

  Result<std::vector<std::string>> run(int fd) {
    STEAD_TRY(found, read_image_archive(fd));
    STEAD_TRY_VOID(begin_lease());
    Result<std::vector<std::string>> names = import_all(fd, found);
    end_lease();
    if (!names.ok()) return names;
    for (const ArchiveImage& image : found) STEAD_TRY_VOID(wait_until_cri_knows(image));
    return names;
  }

 private:
  // What is written under a lease survives garbage collection until the lease ends; it expires by itself in case we
  // do not come back.
  Result<void> begin_lease() {
    leases::CreateRequest request;
    request.set_id("stead-import-" + system_random().uuid());
    const auto expiry = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + std::chrono::hours(1));
    tm utc{};
    gmtime_r(&expiry, &utc);
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    (*request.mutable_labels())["containerd.io/gc.expire"] = text;
    STEAD_TRY_VOID(
        call_unary(*leases_, &leases::Leases::Stub::Create, request, kCallTimeout, "Leases.Create", headers_));
    lease_ = request.id();
    headers_.emplace("containerd-lease", lease_);
    return {};
  }

  void end_lease() {
    leases::DeleteRequest request;
    request.set_id(lease_);
    (void)call_unary(*leases_, &leases::Leases::Stub::Delete, request, kCallTimeout, "Leases.Delete", headers_);
  }

  Result<std::vector<std::string>> import_all(int fd, const std::vector<ArchiveImage>& found) {
    std::vector<std::string> names;
    for (const ArchiveImage& image : found) {
      for (const ArchiveBlob& layer : image.layers) STEAD_TRY_VOID(write(fd, layer, {}));
      STEAD_TRY_VOID(write(fd, image.config, {}));
      STEAD_TRY_VOID(write(fd, image.manifest, references_of(image)));
      for (const std::string& name : image.names) {
        STEAD_TRY_VOID(point(name, image.manifest));
        names.push_back(name);
      }
    }
    return names;
  }

  // The garbage collector follows these labels from a manifest to its parts.
  static std::map<std::string, std::string> references_of(const ArchiveImage& image) {
    std::map<std::string, std::string> labels{{"containerd.io/gc.ref.content.config", image.config.digest}};
    for (size_t i = 0; i < image.layers.size(); ++i) {
      labels[fmt::format("containerd.io/gc.ref.content.l.{}", i)] = image.layers[i].digest;
    }
    return labels;
  }

  Result<void> write(int fd, const ArchiveBlob& blob, const std::map<std::string, std::string>& labels) {
    content::InfoRequest info;
    info.set_digest(blob.digest);
    if (call_unary(*content_, &content::Content::Stub::Info, info, kCallTimeout, "Content.Info", headers_).ok())
      return {};
    grpc::ClientContext context;
    for (const auto& [key, value] : headers_) context.AddMetadata(key, value);
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout + milliseconds(blob.size >> 10));  // ≥ 1 MB/s
    auto stream = content_->Write(&context);
    const bool sent = send_blob(*stream, fd, blob, labels);
    stream->WritesDone();
    for (content::WriteContentResponse rest; stream->Read(&rest);) {
    }
    const grpc::Status status = stream->Finish();
    if (status.error_code() == grpc::StatusCode::ALREADY_EXISTS) return {};
    if (!status.ok()) return grpc_error(status, "Content.Write");
    if (!sent) return make_error(Reason::kInternal, "Content.Write: containerd ended the stream early");
    return {};
  }

  using Stream = grpc::ClientReaderWriter<content::WriteContentRequest, content::WriteContentResponse>;

  // False: the stream broke (its status says why) or the file did.
  static bool send_blob(Stream& stream, int fd, const ArchiveBlob& blob,
                        const std::map<std::string, std::string>& labels) {
    content::WriteContentRequest request;
    content::WriteContentResponse response;
    request.set_ref("stead-" + blob.digest);
    request.set_total(static_cast<int64_t>(blob.size));
    request.set_expected(blob.digest);
    // What an import that was cut short left there is written over: equal bytes at equal places.
    request.set_action(content::STAT);
    if (!stream.Write(request) || !stream.Read(&response)) return false;
    auto offset = static_cast<uint64_t>(response.offset());
    request.set_action(content::WRITE);
    while (offset < blob.size) {
      const uint64_t size = std::min(kChunkBytes, blob.size - offset);
      if (blob.bytes.empty()) {
        auto chunk = read_at(fd, blob.offset + offset, size);
        if (!chunk.ok()) return false;
        request.set_data(std::move(*chunk));
      } else {
        request.set_data(blob.bytes.substr(offset, size));
      }
      request.set_offset(static_cast<int64_t>(offset));
      if (!stream.Write(request) || !stream.Read(&response)) return false;
      offset += size;
    }
    request.clear_data();
    request.set_action(content::COMMIT);
    request.set_offset(static_cast<int64_t>(blob.size));
    request.mutable_labels()->insert(labels.begin(), labels.end());
    return stream.Write(request) && stream.Read(&response);
  }

  Result<void> point(const std::string& name, const ArchiveBlob& manifest) {
    images::Image image;
    image.set_name(name);
    // The mark of images that CRI looks after.
    (*image.mutable_labels())["io.cri-containerd.image"] = "managed";
    image.mutable_target()->set_media_type(manifest.media_type);
    image.mutable_target()->set_digest(manifest.digest);
    image.mutable_target()->set_size(static_cast<int64_t>(manifest.size));
    images::CreateImageRequest create;
    *create.mutable_image() = image;
    auto created = call_unary(*images_, &images::Images::Stub::Create, create, kCallTimeout, "Images.Create", headers_);
    if (created.ok()) return {};
    if (created.error().reason != Reason::kAlreadyExists) return created.error();
    images::UpdateImageRequest update;
    *update.mutable_image() = image;
    update.mutable_update_mask()->add_paths("target");
    update.mutable_update_mask()->add_paths("labels");
    STEAD_TRY_VOID(
        call_unary(*images_, &images::Images::Stub::Update, update, kCallTimeout, "Images.Update", headers_));
    return {};
  }

  // CRI learns of names from containerd's events and tells nobody when it has; asking again is all there is.
  Result<void> wait_until_cri_knows(const ArchiveImage& image) {
    const auto deadline = std::chrono::steady_clock::now() + kVisibleTimeout;
    milliseconds wait{1};
    for (const std::string& name : image.names) {
      for (;;) {
        runtime::v1::ImageStatusRequest request;
        request.mutable_image()->set_image(name);
        STEAD_TRY(answer, call_unary(*cri_, &runtime::v1::ImageService::Stub::ImageStatus, request, kCallTimeout,
                                     "ImageStatus"));
        if (answer.image().id() == image.config.digest) break;
        if (std::chrono::steady_clock::now() > deadline) {
          return make_error(Reason::kTimeout, fmt::format("the runtime does not show image {}", name));
        }
        std::this_thread::sleep_for(wait);
        wait = std::min(wait * 2, milliseconds(50));
      }
    }
    return {};
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<content::Content::Stub> content_;
  const std::unique_ptr<images::Images::Stub> images_;
  const std::unique_ptr<leases::Leases::Stub> leases_;
  const std::unique_ptr<runtime::v1::ImageService::Stub> cri_;
  std::string lease_;
  Headers headers_{{kContainerdNamespaceHeader, kContainerdNamespace}};
};

}  // namespace

Result<std::vector<std::string>> import_image(const std::string& socket_path, const std::string& tar_path) {
  FileDescriptor file(open(tar_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    Error error = errno_error(tar_path, errno);
    if (errno == ENOENT) error.reason = Reason::kNotFound;
    return error;
  }
  auto names = Importer(socket_path).run(file.get());
  if (!names.ok()) return names.error().with_context(tar_path);
  return names;
}

Result<std::vector<std::string>> import_image_bytes(const std::string& socket_path, const std::string& archive) {
  FileDescriptor file(memfd_create("image", MFD_CLOEXEC));
  if (file.get() < 0) return errno_error("memfd_create", errno);
  if (write(file.get(), archive.data(), archive.size()) != static_cast<ssize_t>(archive.size())) {
    return errno_error("write", errno);
  }
  return Importer(socket_path).run(file.get());
}

}  // namespace stead::node
