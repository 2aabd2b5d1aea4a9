#include "app/volume_directories.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace stead::app {
namespace {

// Large trees take their time to remove.
constexpr std::chrono::seconds kAnswerLimit{120};

Result<void> check_name(const std::string& volume) {
  if (!volume.empty() && volume.find('/') == std::string::npos && volume != "." && volume != "..") return {};
  return make_error(Reason::kInvalid, fmt::format("volume name \"{}\" is no file name", volume));
}

http::Response answer_of(const Result<std::string>& outcome) {
  if (outcome.ok()) return http::Response::text(200, *outcome);
  return http::Response::text(outcome.error().reason == Reason::kInvalid ? 400 : 500, outcome.error().message);
}

}  // namespace

Result<std::string> make_volume_directory(const std::string& root, const std::string& volume) {
  STEAD_TRY_VOID(check_name(volume));
  std::string path = root + "/" + volume;
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) return make_error(Reason::kUnavailable, fmt::format("{}: {}", path, code.message()));
  if (chmod(path.c_str(), 0777) != 0) return errno_error(path, errno);
  return path;
}

Result<void> remove_volume_directory(const std::string& root, const std::string& path) {
  if (std::filesystem::path(path).parent_path() != std::filesystem::path(root)) {
    return make_error(Reason::kInvalid, fmt::format("{} is not a volume below {}", path, root));
  }
  STEAD_TRY_VOID(check_name(std::filesystem::path(path).filename()));
  std::error_code code;
  std::filesystem::remove_all(path, code);
  if (code) return make_error(Reason::kUnavailable, fmt::format("{}: {}", path, code.message()));
  return {};
}

void serve_volume(const http::ExchangePtr& exchange, const std::string& root, loop::WorkerPool& pool) {
  const http::Request& request = exchange->request();
  std::string volume = request.path.substr(std::string_view(kVolumesPath).size());
  bool makes = request.method == "PUT";
  if (!makes && request.method != "DELETE") {
    return exchange->respond(http::Response::text(405, "directories of volumes are made by PUT, removed by DELETE\n"));
  }
  pool.run([exchange, root, volume, makes] {
    auto work = [&]() -> Result<std::string> {
      if (makes) return make_volume_directory(root, volume);
      STEAD_TRY_VOID(check_name(volume));
      STEAD_TRY_VOID(remove_volume_directory(root, root + "/" + volume));
      return std::string();
    };
    http::Exchange& on = *exchange;
    on.post([exchange, response = answer_of(work())] { exchange->respond(response); });
  });
}

void ClusterVolumeDirectories::create(const std::string& volume, const std::string& node,
                                      std::function<void(Result<std::string> path)> done) {
  if (!gateway_.is_here(node)) return ask("PUT", volume, node, std::move(done));
  pool_.run([this, volume, done = std::move(done)] {
    loop_.post([done, made = make_volume_directory(root_, volume)] { done(made); });
  });
}

void ClusterVolumeDirectories::remove(const std::string& volume, const std::string& node, const std::string& path,
                                      std::function<void(Result<void>)> done) {
  if (!gateway_.is_here(node)) {
    return ask("DELETE", volume, node, [done = std::move(done)](const Result<std::string>& gone) {
      done(gone.ok() ? Result<void>() : Result<void>(gone.error()));
    });
  }
  pool_.run([this, path, done = std::move(done)] {
    loop_.post([done, removed = remove_volume_directory(root_, path)] { done(removed); });
  });
}

void ClusterVolumeDirectories::ask(const std::string& method, const std::string& volume, const std::string& node,
                                   std::function<void(Result<std::string>)> done) {
  object::ObjectPtr object = nodes_.get(node);
  std::optional<http::Upstream> kubelet = object ? gateway_.kubelet_of(*object) : std::nullopt;
  if (!kubelet) {
    Error error = make_error(Reason::kUnavailable, fmt::format("node \"{}\" cannot be reached", node));
    return loop_.post([done = std::move(done), error] { done(error); });
  }
  http::AsyncClientOptions options;
  options.host = kubelet->host;
  options.port = kubelet->port;
  options.tls = kubelet->tls;
  options.answer_timeout = kAnswerLimit;
  auto client = std::make_shared<http::AsyncClient>(loop_, std::move(options));
  client->call({method, kVolumesPath + volume, {}, ""},
               [this, client, node, done = std::move(done)](const Result<http::ClientResponse>& answer, bool) {
                 // The client goes when its callback has returned.
                 loop_.post([client] {});
                 if (!answer.ok()) return done(answer.error().with_context(fmt::format("node \"{}\"", node)));
                 if (answer->status == 200) return done(answer->body);
                 done(make_error(Reason::kUnavailable, fmt::format("node \"{}\": {}", node, answer->body)));
               });
}

}  // namespace stead::app
