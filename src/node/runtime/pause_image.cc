#include "node/runtime/pause_image.h"

#include <fmt/format.h>

#include "node/runtime/image_archive.h"
#include "node/runtime/tar_archive.h"

// The program's bytes (pause/pause.cc), put here by the assembler.
asm(".pushsection .rodata\n"
    ".global stead_pause_begin\n"
    ".global stead_pause_end\n"
    "stead_pause_begin: .incbin \"" STEAD_PAUSE_BINARY
    "\"\n"
    "stead_pause_end:\n"
    ".popsection\n");
extern "C" const char stead_pause_begin[];
extern "C" const char stead_pause_end[];

namespace stead::node {

namespace {

#if defined(__aarch64__)
constexpr char kArchitecture[] = "arm64";
#else
constexpr char kArchitecture[] = "amd64";
#endif

}  // namespace

std::string pause_image_archive() {
  const std::string_view program(stead_pause_begin, static_cast<size_t>(stead_pause_end - stead_pause_begin));
  std::string layer;
  append_tar_entry(layer, "pause", '0', 0755, program);
  end_tar(layer);
  const std::string config = fmt::format(
      R"({{"architecture":"{}","os":"linux","created":"1970-01-01T00:00:00Z","config":{{"Entrypoint":["/pause"],)"
      R"("Env":["PATH=/"],"WorkingDir":"/"}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}})",
      kArchitecture, sha256_digest(layer));
  std::string archive;
  append_tar_entry(archive, "config.json", '0', 0644, config);
  append_tar_entry(archive, "layer.tar", '0', 0644, layer);
  append_tar_entry(
      archive, "manifest.json", '0', 0644,
      fmt::format(R"([{{"Config":"config.json","RepoTags":["{}"],"Layers":["layer.tar"]}}])", kPauseImageName));
  end_tar(archive);
  return archive;
}

}  // namespace stead::node
