#include "agent/observe/process_metrics.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>

#include "agent/base/descriptors.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxFile = 64 * 1024;
// For each descriptor: counting ten thousand of them may cost ten milliseconds.
constexpr std::chrono::milliseconds kCountEvery{1};
const std::string kOwnDescriptors = "/proc/self/fd";

// Fields of /proc/self/stat (proc(5)), which number from 1: utime 14, stime 15, num_threads 20, vsize 23
// (bytes), rss 24 (pages).
struct Stat {
  double cpu_ticks = 0;
  double threads = 0;
  double virtual_bytes = 0;
  double resident_pages = 0;
};

bool parse_stat(const std::string& text, Stat& out) {
  // The second field, the program's name in parentheses, may hold blanks and parentheses itself.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return false;
  std::istringstream rest(text.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 24; ++number) {
    if (!(rest >> field)) return false;
    const double value = number == 3 ? 0 : std::strtod(field.c_str(), nullptr);
    if (number == 14 || number == 15) out.cpu_ticks += value;
    if (number == 20) out.threads = value;
    if (number == 23) out.virtual_bytes = value;
    if (number == 24) out.resident_pages = value;
  }
  return true;
}

// The soft limit in a line such as "Max open files            1024                 4096 files"; 0 if not
// there or unlimited.
double parse_max_files(const std::string& text) {
  constexpr std::string_view kLabel = "Max open files";
  const auto at = text.find(kLabel);
  if (at == std::string::npos) return 0;
  std::istringstream rest(text.substr(at + kLabel.size()));
  double soft = 0;
  return rest >> soft ? soft : 0;
}

}  // namespace

ProcessMetrics::ProcessMetrics(MetricFamilies& f, FileSystem& files, double start_time_seconds)
    : files_(files),
      cpu_(f.counter({.name = "process_cpu_seconds_total",
                      .role = MetricRole::every_instance,
                      .unit = "seconds",
                      .help = "CPU time used, user and system."})),
      resident_(f.gauge({.name = "process_resident_memory_bytes",
                         .role = MetricRole::every_instance,
                         .unit = "bytes",
                         .help = "Resident memory."})),
      virtual_(f.gauge({.name = "process_virtual_memory_bytes",
                        .role = MetricRole::every_instance,
                        .unit = "bytes",
                        .help = "Virtual memory."})),
      threads_(f.gauge({.name = "process_threads", .role = MetricRole::every_instance, .help = "Threads."})),
      open_fds_(f.gauge(
          {.name = "process_open_fds", .role = MetricRole::every_instance, .help = "Open descriptors."})),
      max_fds_(f.gauge({.name = "process_max_fds",
                        .role = MetricRole::every_instance,
                        .help = "Limit of open descriptors; 0 when there is none."})) {
  f.gauge({.name = "process_start_time_seconds",
           .role = MetricRole::every_instance,
           .unit = "seconds",
           .help = "When the program started, as Unix time."})
      .Set(start_time_seconds);
}

void ProcessMetrics::refresh(MonoTime now) {
  refresh_stat();
  refresh_descriptors(now);
}

void ProcessMetrics::refresh_stat() {
  const auto text = files_.read_file("/proc/self/stat", kMaxFile);
  Stat stat;
  if (!text || !parse_stat(*text, stat)) return;
  const double cpu = stat.cpu_ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (cpu > cpu_.Value()) cpu_.Increment(cpu - cpu_.Value());
  threads_.Set(stat.threads);
  virtual_.Set(stat.virtual_bytes);
  resident_.Set(stat.resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
}

void ProcessMetrics::refresh_descriptors(MonoTime now) {
  if (const auto told = descriptors_told(files_, kOwnDescriptors)) {
    open_fds_.Set(static_cast<double>(*told));
  } else if (now >= next_count_) {
    if (const auto entries = files_.list(kOwnDescriptors)) {
      open_fds_.Set(static_cast<double>(entries->size()));
      next_count_ = now + kCountEvery * static_cast<std::int64_t>(entries->size());
    }
  }
  if (const auto limits = files_.read_file("/proc/self/limits", kMaxFile))
    max_fds_.Set(parse_max_files(*limits));
}

}  // namespace sidelight
