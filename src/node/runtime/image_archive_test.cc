#include "node/runtime/image_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "node/runtime/pause_image.h"
#include "node/runtime/tar_archive.h"

namespace stead::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// An open file with `content`, closed with the object.
class File {
 public:
  explicit File(const std::string& content) : fd_(memfd_create("test", MFD_CLOEXEC)) {
    EXPECT_EQ(write(fd_, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }
  ~File() { close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string archive_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string archive;
  for (const auto& [name, content] : files) append_tar_entry(archive, name, '0', 0644, content);
  end_tar(archive);
  return archive;
}

TEST(ImageArchiveTest, PauseImageIsReadBackAndAlwaysTheSame) {
  EXPECT_EQ(pause_image_archive(), pause_image_archive());
  File file(pause_image_archive());
  const auto images = read_image_archive(file.fd());
  ASSERT_TRUE(images.ok()) << images.error().message;
  ASSERT_EQ(images->size(), 1U);
  const ArchiveImage& image = images->front();
  EXPECT_THAT(image.names, ElementsAre(kPauseImageName));
  ASSERT_EQ(image.layers.size(), 1U);
  EXPECT_EQ(image.layers[0].digest,
            sha256_digest(read_at(file.fd(), image.layers[0].offset, image.layers[0].size).value()));
  EXPECT_EQ(image.manifest.digest, sha256_digest(image.manifest.bytes));
  EXPECT_THAT(image.manifest.bytes, HasSubstr(image.layers[0].digest));
}

TEST(ImageArchiveTest, OciLayoutIsReadForThisMachine) {
  const std::string config = R"({"os":"linux"})";
  const std::string layer = "layer";
  const std::string manifest = R"({"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
                               sha256_digest(config) +
                               R"("},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" +
                               sha256_digest(layer) + R"("}]})";
  auto blob = [](const std::string& content) {
    return std::pair("blobs/sha256/" + sha256_digest(content).substr(7), content);
  };
  const std::string index =
      R"({"manifests":[{"platform":{"os":"windows","architecture":"amd64"},"digest":"sha256:no"},{"digest":")" +
      sha256_digest(manifest) +
      R"(","mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("annotations":{"org.opencontainers.image.ref.name":"web:2"}}]})";
  File good(archive_of({{"index.json", index}, blob(config), blob(layer), blob(manifest)}));
  const auto images = read_image_archive(good.fd());
  ASSERT_TRUE(images.ok()) << images.error().message;
  ASSERT_EQ(images->size(), 1U);
  EXPECT_THAT(images->front().names, ElementsAre("docker.io/library/web:2"));
  EXPECT_EQ(images->front().config.digest, sha256_digest(config));

  auto changed = blob(layer);
  changed.second = "LAYER";
  File bad(archive_of({{"index.json", index}, blob(config), changed, blob(manifest)}));
  EXPECT_THAT(read_image_archive(bad.fd()).error().message, HasSubstr("has digest"));
}

TEST(ImageArchiveTest, BadArchivesAreRefusedWithAReason) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "not a tar archive"},
      {std::string(2000, 'x'), "wrong checksum"},
      {archive_of({{"file", "x"}}), "neither manifest.json nor index.json"},
      {archive_of({{"manifest.json", "{"}}), "manifest.json is not a JSON list"},
      {archive_of({{"manifest.json", R"([{"Config":"c.json","RepoTags":["a"],"Layers":[]}])"}}), "lacks \"c.json\""},
      {archive_of({{"manifest.json", R"([{"Config":"c","RepoTags":["A!"],"Layers":[]}])"}, {"c", "{}"}}), "A!"},
      {archive_of({{"manifest.json", R"([{"Config":"c","Layers":[]}])"}, {"c", "{}"}}), "no image in it has a name"},
  };
  for (const auto& [archive, reason] : cases) {
    File file(archive);
    const auto images = read_image_archive(file.fd());
    ASSERT_FALSE(images.ok()) << reason;
    EXPECT_EQ(images.error().reason, Reason::kBadRequest);
    EXPECT_THAT(images.error().message, HasSubstr(reason));
  }
  std::string cut = archive_of({{"file", std::string(5000, 'x')}});
  cut.resize(3000);
  File file(cut);
  EXPECT_THAT(read_image_archive(file.fd()).error().message, HasSubstr("passes the end"));
}

TEST(TarArchiveTest, LongNamesAndPaxRecords) {
  std::string archive;
  const std::string long_name(150, 'n');
  append_tar_entry(archive, "././@LongLink", 'L', 0, long_name + '\0');
  append_tar_entry(archive, "short", '0', 0644, "one");
  append_tar_entry(archive, "pax", 'x', 0644, "20 path=folder/file\n");
  append_tar_entry(archive, "other", '0', 0644, "two");
  append_tar_entry(archive, "./third", '0', 0644, "");
  end_tar(archive);
  File file(archive);
  const auto entries = list_tar(file.fd()).value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].name, long_name);
  EXPECT_EQ(entries[1].name, "folder/file");
  EXPECT_EQ(read_at(file.fd(), entries[1].offset, entries[1].size).value(), "two");
  EXPECT_EQ(entries[2].name, "third");
}

}  // namespace
}  // namespace stead::node
