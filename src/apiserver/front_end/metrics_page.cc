#include "apiserver/front_end/metrics_page.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "apiserver/front_end/discovery.h"
#include "base/metrics.h"
#include "kinds/measured.h"
#include "kinds/review.h"

namespace stead::apiserver {
namespace {

using metrics::Family;
using metrics::labels_text;

// By the names before and since Kubernetes 1.34.
void append_objects(ApiServer& server, std::vector<Family>& families) {
  Family old{"apiserver_storage_objects", "Objects held, by resource.", "gauge", {}};
  Family objects{"apiserver_resource_objects", "Objects held, by group and resource.", "gauge", {}};
  for (const kinds::Resource* resource : server.catalogue().resources()) {
    if (kinds::is_review(*resource) || kinds::is_measured(*resource)) continue;
    std::string group(resource->group);
    std::string name(resource->name);
    auto count = static_cast<double>(server.cache().snapshot(group + "/" + name).objects.size());
    objects.samples.emplace_back(labels_text(std::array<metrics::Label, 2>{{{"group", group}, {"resource", name}}}),
                                 count);
    std::string qualified = group.empty() ? name : name + "." + group;
    old.samples.emplace_back(labels_text(std::array<metrics::Label, 1>{{{"resource", qualified}}}), count);
  }
  families.push_back(std::move(old));
  families.push_back(std::move(objects));
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Seconds since the epoch; 0 where /proc does not tell.
double start_time() {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string field;
  constexpr int kStartTime = 20;  // the 22nd of proc(5), which counts pid and name
  for (int i = 0; i < kStartTime && fields; ++i) fields >> field;
  double ticks = 0;
  double boot = 0;
  std::ifstream all("/proc/stat");
  while (std::getline(all, line)) {
    if (line.starts_with("btime ")) boot = std::atof(line.c_str() + 6);
  }
  if (!fields || boot == 0) return 0;
  ticks = std::atof(field.c_str());
  return boot + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void append_process(std::vector<Family>& families) {
  auto append = [&](const char* name, const char* help, double value, const char* type = "gauge") {
    families.push_back({name, help, type, {{"", value}}});
  };
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  append("process_cpu_seconds_total", "CPU time of the process.", seconds(used.ru_utime) + seconds(used.ru_stime),
         "counter");
  double pages = 0;
  double resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  auto page_size = static_cast<double>(sysconf(_SC_PAGESIZE));
  append("process_virtual_memory_bytes", "Virtual memory of the process.", pages * page_size);
  append("process_resident_memory_bytes", "Memory that the process has in use.", resident_pages * page_size);
  std::error_code error;
  auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd", error), {});
  append("process_open_fds", "File descriptors that are open.", static_cast<double>(open));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  append("process_max_fds", "How many file descriptors may be open.", static_cast<double>(limit.rlim_cur));
  append("process_start_time_seconds", "When the process was started, since the epoch.", start_time());
}

Family build_info() {
  const object::Value version = version_document();
  auto text = [&](std::string_view field) { return version.at(field).as_string(); };
  std::array<metrics::Label, 9> labels = {{{"build_date", text("buildDate")},
                                           {"compiler", text("compiler")},
                                           {"git_commit", text("gitCommit")},
                                           {"git_tree_state", text("gitTreeState")},
                                           {"git_version", text("gitVersion")},
                                           {"go_version", text("goVersion")},
                                           {"major", text("major")},
                                           {"minor", text("minor")},
                                           {"platform", text("platform")}}};
  return {"kubernetes_build_info", "What this server says it is.", "gauge", {{labels_text(labels), 1}}};
}

}  // namespace

std::string metrics_page(ApiServer& server) {
  std::vector<Family> families;
  append_objects(server, families);
  append_process(families);
  families.push_back(build_info());
  return metrics::text(families);
}

}  // namespace stead::apiserver
