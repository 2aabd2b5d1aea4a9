// Durable creates per second of 1 KiB values with 1, 16 and 64 writers: SQLite and, where an address is given, etcd.
//
//   store_bench --data-dir DIR [--etcd HOST:PORT] [--rounds N] [--seconds S] [--require RATIO]
//
// Rounds alternate between the stores, so that both meet the same disk; the medians are printed. With --require the
// exit code tells whether SQLite reached RATIO × etcd at 64 writers.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "store/target.h"

namespace stead::bench {
namespace {

constexpr size_t kValueBytes = 1024;
constexpr size_t kWriterCounts[] = {1, 16, 64};

struct Options {
  std::string data_dir;
  std::string etcd;
  size_t rounds = 5;
  double seconds = 2;
  double require = 0;
};

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A closed loop: each writer starts its next creation when the last one is through.
double creates_per_second(Target& target, const std::string& run, size_t writers, double seconds) {
  std::string value(kValueBytes, 'v');
  size_t started = 0;
  size_t done = 0;
  auto create = [&] { target.create("/registry//configmaps/" + run + "/" + std::to_string(started++ * 7919), value); };
  double begin = now_seconds();
  double end = begin + seconds;
  while (started < writers) create();
  double now = begin;
  while (now < end) {
    size_t through = target.wait();
    done += through;
    while (through-- > 0) create();
    now = now_seconds();
  }
  double rate = static_cast<double>(done) / (now - begin);
  for (size_t left = started - done; left > 0;) left -= target.wait();
  return rate;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(const Options& options) {
  std::map<std::string, std::unique_ptr<Target>> targets;
  targets["sqlite"] = make_sqlite_target(options.data_dir + "/bench.db");
  if (!options.etcd.empty()) targets["etcd"] = make_etcd_target(options.etcd);
  printf("%8s %14s %14s %8s   (durable creates/s of %zu bytes, medians of %zu rounds)\n", "writers", "sqlite", "etcd",
         "ratio", kValueBytes, options.rounds);
  double ratio = 0;
  for (size_t writers : kWriterCounts) {
    std::map<std::string, std::vector<double>> rates;
    for (size_t round = 0; round < options.rounds; ++round) {
      for (auto& [name, target] : targets) {
        std::string run = "w" + std::to_string(writers) + "-" + std::to_string(round);
        rates[name].push_back(creates_per_second(*target, run, writers, options.seconds));
      }
    }
    double sqlite = median(rates["sqlite"]);
    double etcd = options.etcd.empty() ? 0 : median(rates["etcd"]);
    ratio = etcd > 0 ? sqlite / etcd : 0;
    printf("%8zu %14.0f %14.0f %8.2f\n", writers, sqlite, etcd, ratio);
    fflush(stdout);
  }
  if (options.require == 0 || ratio >= options.require) return 0;
  fprintf(stderr, "store_bench: %.2f × etcd at 64 writers, %.2f required\n", ratio, options.require);
  return 1;
}

}  // namespace
}  // namespace stead::bench

int main(int argc, char** argv) {
  stead::bench::Options options;
  for (int index = 1; index + 1 < argc; index += 2) {
    std::string name = argv[index];
    const char* value = argv[index + 1];
    if (name == "--data-dir") options.data_dir = value;
    if (name == "--etcd") options.etcd = value;
    if (name == "--rounds") options.rounds = strtoul(value, nullptr, 10);
    if (name == "--seconds") options.seconds = strtod(value, nullptr);
    if (name == "--require") options.require = strtod(value, nullptr);
  }
  if (options.data_dir.empty() || options.rounds == 0) {
    fprintf(stderr,
            "usage: store_bench --data-dir DIR [--etcd HOST:PORT] [--rounds N] [--seconds S] [--require RATIO]\n");
    return 2;
  }
  return stead::bench::run(options);
}
