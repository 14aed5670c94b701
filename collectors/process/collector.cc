#include "collectors/process/collector.h"

#include <unistd.h>

#include <charconv>
#include <utility>

#include "agent/base/descriptors.h"
#include "collectors/process/cgroup.h"
#include "collectors/process/proc_stat.h"
#include "collectors/process/process_table.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxProcesses = 500;
constexpr std::size_t kMaxStat = 4096;
constexpr std::size_t kNames = ProcessTable::kMaxNames + 1;

constexpr MetricInfo metric(std::string_view name, std::string_view unit, std::string_view labels,
                            std::size_t max_series, std::string_view help) {
  return {.name = name,
          .role = MetricRole::beside_a_pod,
          .unit = unit,
          .labels = labels,
          .max_series = max_series,
          .help = help};
}

constexpr MetricInfo kCpu =
    metric("pod_cpu_seconds_total", "seconds", "mode: user, system", 2, "CPU time that the pod used.");
constexpr MetricInfo kCpuLimit =
    metric("pod_cpu_limit_cores", "", "", 1, "CPU time a second that it may use; absent when unlimited.");
constexpr MetricInfo kPeriods =
    metric("pod_cpu_periods_total", "", "", 1, "Periods of the CPU limit in which it ran.");
constexpr MetricInfo kThrottledPeriods =
    metric("pod_cpu_throttled_periods_total", "", "", 1, "Periods in which it was stopped at its CPU limit.");
constexpr MetricInfo kThrottled = metric("pod_cpu_throttled_seconds_total", "seconds", "", 1,
                                         "Time for which it was stopped at its CPU limit.");
constexpr MetricInfo kMemory = metric("pod_memory_bytes", "bytes", "", 1, "Memory with its page cache.");
constexpr MetricInfo kWorkingSet =
    metric("pod_memory_working_set_bytes", "bytes", "", 1,
           "Memory without page cache that can be dropped; what the kubelet compares with the limit.");
constexpr MetricInfo kMemoryLimit =
    metric("pod_memory_limit_bytes", "bytes", "", 1, "Memory that it may use; absent when unlimited.");
constexpr MetricInfo kOomKills =
    metric("pod_memory_oom_kills_total", "", "", 1, "Processes killed because memory was out.");
constexpr MetricInfo kPressure =
    metric("pod_pressure_seconds_total", "seconds", "resource: cpu, memory, io; kind: some, full", 6,
           "Time for which some, or all, of its tasks waited for the resource (PSI).");
constexpr MetricInfo kTasks = metric(
    "pod_processes", "", "", 1, "Processes and their threads, as the kernel counts them (pids.current).");
constexpr MetricInfo kProcessCpu =
    metric("pod_process_cpu_seconds_total", "seconds", "process", kNames,
           "CPU time of the processes of one name, also of those that have ended since we look.");
constexpr MetricInfo kProcessMemory = metric("pod_process_resident_memory_bytes", "bytes", "process", kNames,
                                             "Resident memory of the processes of one name.");
constexpr MetricInfo kProcessFds =
    metric("pod_process_open_fds", "", "process", kNames,
           "Open descriptors of the processes of one name; absent where one of them is another user's.");

std::optional<std::uint64_t> process_id(const std::string& name) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return id;
}

class ProcessCollector final : public Collector {
 public:
  ProcessCollector(const ProcessOptions& options, const CollectorContext& context)
      : cgroup_(options.cgroup), fs_(context.fs) {}

  Expected<void> collect(CollectRun& run) override {
    auto dir = cgroup_.empty() ? find_cgroup(fs_) : Expected<std::string>(cgroup_);
    if (dir) {
      show_group(read_cgroup(fs_, *dir), *dir, run.out);
    } else {
      run.out.warn("nothing is known of the pod's CPU and memory: " + dir.error().message);
    }
    auto processes = find_processes(run);
    if (!processes) return std::unexpected(processes.error());
    table_.update(*processes, run.now);
    show_processes(run.out);
    return {};
  }

 private:
  static void show_group(const CgroupReading& r, const std::string& dir, Samples& out) {
    const auto counter = [&](const MetricInfo& info, const std::optional<double>& value, Labels labels = {}) {
      if (value) out.counter(info, *value, std::move(labels));
    };
    const auto gauge = [&](const MetricInfo& info, const std::optional<double>& value) {
      if (value) out.gauge(info, *value);
    };
    counter(kCpu, r.cpu_user_seconds, {{"mode", "user"}});
    counter(kCpu, r.cpu_system_seconds, {{"mode", "system"}});
    gauge(kCpuLimit, r.cpu_limit_cores);
    counter(kPeriods, r.cpu_periods);
    counter(kThrottledPeriods, r.cpu_throttled_periods);
    counter(kThrottled, r.cpu_throttled_seconds);
    gauge(kMemory, r.memory_bytes);
    gauge(kWorkingSet, r.memory_working_set_bytes);
    gauge(kMemoryLimit, r.memory_limit_bytes);
    counter(kOomKills, r.oom_kills);
    gauge(kTasks, r.tasks);
    for (const auto& p : r.pressure)
      counter(kPressure, p.seconds, {{"resource", p.resource}, {"kind", p.kind}});
    if (r.missing.empty()) return;
    std::string names;
    for (const std::string& name : r.missing) names += (names.empty() ? "" : ", ") + name;
    out.warn(dir + " has no " + names + "; what they would tell is absent");
  }

  // Those that end while we look are left out.
  Expected<std::vector<ProcessSample>> find_processes(CollectRun& run) {
    const auto entries = fs_.list("/proc");
    if (!entries) return fail("processes cannot be seen: " + entries.error().message);
    std::vector<ProcessSample> out;
    for (const DirEntry& entry : *entries) {
      const auto id = process_id(entry.name);
      if (!id) continue;
      if (out.size() == kMaxProcesses) {
        run.out.warn("there are more than " + std::to_string(kMaxProcesses) +
                     " processes; the rest is not read");
        break;
      }
      if (run.deadline.passed()) return fail("the list of processes took too long");
      if (auto process = read_process(*id)) out.push_back(std::move(*process));
    }
    return out;
  }

  std::optional<ProcessSample> read_process(std::uint64_t id) {
    const std::string dir = "/proc/" + std::to_string(id);
    const auto text = fs_.read_file(dir + "/stat", kMaxStat);
    const auto stat = text ? parse_proc_stat(*text) : std::nullopt;
    if (!stat || stat->virtual_bytes == 0) return std::nullopt;
    ProcessSample out;
    out.id = id;
    out.start_ticks = stat->start_ticks;
    out.name = stat->name;
    out.cpu_seconds = static_cast<double>(stat->cpu_ticks) / ticks_per_second_;
    out.resident_bytes = static_cast<double>(stat->resident_pages) * page_bytes_;
    if (const auto fds = count_descriptors(fs_, dir + "/fd")) out.open_fds = static_cast<double>(*fds);
    return out;
  }

  void show_processes(Samples& out) const {
    for (const auto& [name, total] : table_.totals()) {
      out.counter(kProcessCpu, total.cpu_seconds, {{"process", name}});
      if (!total.alive) continue;
      out.gauge(kProcessMemory, total.resident_bytes, {{"process", name}});
      if (total.open_fds) out.gauge(kProcessFds, *total.open_fds, {{"process", name}});
    }
  }

  std::string cgroup_;
  FileSystem& fs_;
  ProcessTable table_;
  const double ticks_per_second_ = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double page_bytes_ = static_cast<double>(::sysconf(_SC_PAGESIZE));
};

}  // namespace

std::unique_ptr<Collector> make_process_collector(const ProcessOptions& options,
                                                  const CollectorContext& context) {
  return std::make_unique<ProcessCollector>(options, context);
}

std::vector<DeclaredMetric> process_metrics() {
  return {{kCpu, MetricKind::counter},         {kCpuLimit, MetricKind::gauge},
          {kPeriods, MetricKind::counter},     {kThrottledPeriods, MetricKind::counter},
          {kThrottled, MetricKind::counter},   {kMemory, MetricKind::gauge},
          {kWorkingSet, MetricKind::gauge},    {kMemoryLimit, MetricKind::gauge},
          {kOomKills, MetricKind::counter},    {kPressure, MetricKind::counter},
          {kTasks, MetricKind::gauge},         {kProcessCpu, MetricKind::counter},
          {kProcessMemory, MetricKind::gauge}, {kProcessFds, MetricKind::gauge}};
}

}  // namespace sidelight
