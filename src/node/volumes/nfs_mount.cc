#include "node/volumes/nfs_mount.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "node/volumes/descriptor.h"

namespace stead::node {
namespace {

struct Flag {
  std::string_view option;
  unsigned long set;
  unsigned long clear;
};
// Options that are the kernel's for every file system (mount(2)); the others are NFS's own.
constexpr Flag kFlags[] = {
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"noatime", MS_NOATIME, 0},
    {"atime", 0, MS_NOATIME},
    {"nodiratime", MS_NODIRATIME, 0},
    {"relatime", MS_RELATIME, 0},
    {"strictatime", MS_STRICTATIME, MS_RELATIME},
    {"sync", MS_SYNCHRONOUS, 0},
    {"async", 0, MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC, 0},
};
// Of mount(8), without meaning here.
constexpr std::string_view kIgnored[] = {"defaults", "_netdev", "auto", "noauto", "nofail", "user", "nouser"};
// Newest first.
constexpr std::string_view kVersions[] = {"4.2", "4.1", "4", "3"};

struct Parsed {
  unsigned long flags = 0;
  std::string data;  // NFS's own options
  std::optional<std::string> version;
};

void parse_option(Parsed& parsed, std::string_view option) {
  if (option.empty() || std::find(std::begin(kIgnored), std::end(kIgnored), option) != std::end(kIgnored)) return;
  for (const Flag& flag : kFlags) {
    if (flag.option != option) continue;
    parsed.flags = (parsed.flags & ~flag.clear) | flag.set;
    return;
  }
  for (std::string_view name : {"vers=", "nfsvers="}) {
    if (option.starts_with(name)) {
      parsed.version = option.substr(name.size());
      if (*parsed.version == "4.0") parsed.version = "4";
      return;
    }
  }
  if (option == "nfsvers4" || option == "v4") {
    parsed.version = "4";
    return;
  }
  if (!parsed.data.empty()) parsed.data += ',';
  parsed.data += option;
}

Parsed parse(const NfsExport& what) {
  Parsed parsed;
  for (const std::string& options : what.options) {
    size_t start = 0;
    while (start <= options.size()) {
      size_t end = std::min(options.find(',', start), options.size());
      parse_option(parsed, std::string_view(options).substr(start, end - start));
      start = end + 1;
    }
  }
  if (what.read_only) parsed.flags |= MS_RDONLY;
  return parsed;
}

std::string version_options(std::string_view version, const MountCalls::Addresses& addresses) {
  // Version 3 asks the server's mount service first, which the kernel does itself once it knows where it is.
  if (version == "3")
    return fmt::format("vers=3,addr={},mountaddr={},mountproto=tcp", addresses.server, addresses.server);
  return fmt::format("vers={},addr={},clientaddr={}", version, addresses.server, addresses.client);
}

Error explain(int code, const std::string& source) {
  switch (code) {
    case ENODEV:
      return make_error(Reason::kUnavailable,
                        fmt::format("mounting {}: this node's kernel has no NFS client (unknown file system type nfs): "
                                    "load the module nfs, or use nodes that have it",
                                    source));
    case EACCES:
      return make_error(Reason::kForbidden, fmt::format("mounting {}: access denied by the server", source));
    case ENOENT:
      return make_error(Reason::kNotFound, fmt::format("mounting {}: the server exports no such path", source));
    case EPROTONOSUPPORT:
      return make_error(Reason::kInvalid,
                        fmt::format("mounting {}: the server speaks none of the versions asked for", source));
    case EINVAL:
      return make_error(Reason::kInvalid, fmt::format("mounting {}: the kernel refused the mount options", source));
    default:
      return errno_error("mounting " + source, code);
  }
}

class SystemMountCalls final : public MountCalls {
 public:
  Result<Addresses> resolve(const std::string& host) override {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    int failed = getaddrinfo(host.c_str(), "2049", &hints, &found);
    if (failed != 0) {
      return make_error(Reason::kUnavailable, fmt::format("NFS server \"{}\": {}", host, gai_strerror(failed)));
    }
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, freeaddrinfo);
    STEAD_TRY(server, text_of(*found->ai_addr, found->ai_addrlen));
    // Connecting a datagram socket sends nothing; it only chooses the route, and so our address.
    Descriptor socket_(socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    if (!socket_ || connect(socket_.fd(), found->ai_addr, found->ai_addrlen) != 0 ||
        getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&own), &size) != 0) {
      return errno_error(fmt::format("NFS server {}", server), errno);
    }
    STEAD_TRY(client, text_of(reinterpret_cast<sockaddr&>(own), size));
    return Addresses{std::move(server), std::move(client)};
  }

  int mount(const std::string& source, const std::string& target, const std::string& type, unsigned long flags,
            const std::string& data) override {
    return ::mount(source.c_str(), target.c_str(), type.c_str(), flags, data.c_str()) == 0 ? 0 : errno;
  }

  bool is_mounted(const std::string& target) override {
    // A server that does not answer must not hold this up: no attributes are asked for.
    struct statx here {};
    int failed = statx(AT_FDCWD, target.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &here);
    return failed == 0 && (here.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
           (here.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }

 private:
  static Result<std::string> text_of(const sockaddr& address, socklen_t size) {
    char text[NI_MAXHOST];
    int failed = getnameinfo(&address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
    if (failed != 0) return make_error(Reason::kUnavailable, gai_strerror(failed));
    return std::string(text);
  }
};

}  // namespace

std::unique_ptr<MountCalls> make_system_mount_calls() { return std::make_unique<SystemMountCalls>(); }

Result<void> mount_nfs(MountCalls& calls, const NfsExport& what, const std::string& target) {
  if (calls.is_mounted(target)) return {};
  Parsed parsed = parse(what);
  STEAD_TRY(addresses, calls.resolve(what.server));
  bool bare_v6 = what.server.find(':') != std::string::npos && !what.server.starts_with('[');
  std::string source = bare_v6 ? fmt::format("[{}]:{}", what.server, what.path) : what.server + ":" + what.path;
  std::vector<std::string> versions(std::begin(kVersions), std::end(kVersions));
  if (parsed.version) versions = {*parsed.version};
  int code = 0;
  for (const std::string& version : versions) {
    std::string data = parsed.data.empty() ? "" : parsed.data + ",";
    code = calls.mount(source, target, "nfs", parsed.flags, data + version_options(version, addresses));
    // Busy: another call mounted it meanwhile.
    if (code == 0 || code == EBUSY) return {};
    if (code != EPROTONOSUPPORT && code != EINVAL) break;
  }
  return explain(code, source);
}

}  // namespace stead::node
