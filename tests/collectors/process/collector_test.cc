#include "collectors/process/collector.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

class ProcessCollector : public ::testing::Test {
 protected:
  void process(int id, const std::string& name, int ticks, int virtual_bytes = 4096) {
    const std::string dir = "/proc/" + std::to_string(id);
    fs.write_file(dir + "/stat", std::to_string(id) + " (" + name + ") S 1 1 1 0 -1 0 0 0 0 0 " +
                                     std::to_string(ticks) + " 0 0 0 20 0 1 0 5 " +
                                     std::to_string(virtual_bytes) + " 10 0\n");
    fs.write_file(dir + "/fd/0", "");
    fs.write_file(dir + "/fd/1", "");
  }

  // The value of the one series with these labels.
  std::optional<double> value(const Samples& samples, const std::string& name, const Labels& labels) {
    for (const SampleFamily& family : samples.families()) {
      if (family.name != name) continue;
      for (const auto& series : family.series)
        if (series.labels == labels) return series.value;
    }
    return std::nullopt;
  }

  Samples run(const ProcessOptions& options = {}) {
    if (!collector) collector = make_process_collector(options, {fs, clock, log});
    Samples samples({}, cap, clock.now());
    CollectRun r{clock.now(), clock.wall(), Deadline(clock, clock.now() + std::chrono::seconds(4)), samples};
    const auto done = collector->collect(r);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    clock.advance(std::chrono::seconds(10));
    return samples;
  }

  FakeClock clock;
  MemoryFileSystem fs;
  NullLogger log;
  SeriesCap cap;
  std::unique_ptr<Collector> collector;
};

TEST_F(ProcessCollector, ShowsProcessesAndTheGroup) {
  fs.write_file("/proc/self/mountinfo", "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  fs.write_file("/proc/self/cgroup", "0::/\n");
  fs.write_file("/sys/fs/cgroup/cpu.stat", "user_usec 1500000\nsystem_usec 500000\n");
  fs.write_file("/sys/fs/cgroup/memory.current", "777\n");
  process(1, "java", 300);
  process(12, "sidelight", 5);
  process(40, "kworker/0:1", 9999, 0);  // of the kernel
  fs.write_file("/proc/version", "Linux");
  const Samples s = run();
  EXPECT_EQ(value(s, "pod_cpu_seconds_total", {{"mode", "user"}}), 1.5);
  EXPECT_EQ(value(s, "pod_memory_bytes", {}), 777.0);
  EXPECT_FALSE(value(s, "pod_memory_limit_bytes", {}));
  EXPECT_GT(value(s, "pod_process_cpu_seconds_total", {{"process", "java"}}).value_or(0), 0);
  EXPECT_EQ(value(s, "pod_process_open_fds", {{"process", "sidelight"}}), 2.0);
  EXPECT_FALSE(value(s, "pod_process_cpu_seconds_total", {{"process", "kworker/0:1"}}));
  ASSERT_EQ(s.warnings().size(), 1U);
  EXPECT_NE(s.warnings()[0].find("cpu.max, memory.stat, memory.max"), std::string::npos) << s.warnings()[0];
}

TEST_F(ProcessCollector, WithoutCgroupV2StillShowsProcesses) {
  fs.write_file("/proc/self/mountinfo", "29 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  fs.write_file("/proc/self/cgroup", "1:cpu:/\n");
  process(1, "java", 300);
  const Samples s = run();
  EXPECT_TRUE(value(s, "pod_process_cpu_seconds_total", {{"process", "java"}}));
  EXPECT_FALSE(value(s, "pod_cpu_seconds_total", {{"mode", "user"}}));
  EXPECT_EQ(s.warnings().size(), 1U);
}

TEST_F(ProcessCollector, TakesTheDirectoryThatIsConfigured) {
  process(1, "java", 1);
  fs.write_file("/host/pod/pids.current", "9\n");
  ProcessOptions options;
  options.cgroup = "/host/pod";
  EXPECT_EQ(value(run(options), "pod_processes", {}), 9.0);
}

TEST_F(ProcessCollector, KeepsItsBoundWithHostileNames) {
  for (int round = 0; round < 5; ++round) {
    for (int id = 1; id <= 600; ++id)
      process(id, "n" + std::to_string(round) + "-" + std::to_string(id), round + 1);
    const Samples s = run();
    for (const SampleFamily& family : s.families()) EXPECT_LE(family.series.size(), 11U) << family.name;
    EXPECT_EQ(s.dropped(), 0U);
  }
}

}  // namespace
}  // namespace sidelight
