#include "collectors/process/cgroup.h"

#include <gtest/gtest.h>

#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

constexpr const char* kMount =
    "31 23 0:28 / /proc rw - proc proc rw\n29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 "
    "rw\n";
constexpr const char* kPod = "pod3fb4a0f4-93c8-44a4-9a3c-0d3d3f6e9a11";

std::string located(const std::string& mountinfo, const std::string& own) {
  const auto dir = locate_cgroup(mountinfo, own);
  return dir ? *dir : "error: " + dir.error().message;
}

TEST(Cgroup, InANamespaceOfItsOwnIsWhereItIsMounted) {
  EXPECT_EQ(located(kMount, "0::/\n"), "/sys/fs/cgroup");
  EXPECT_EQ(located(kMount, "0::/../other\n"), "/sys/fs/cgroup");
}

TEST(Cgroup, OfAServiceIsItsOwn) {
  EXPECT_EQ(located(kMount, "1:name=systemd:/x\n0::/system.slice/sidelight.service\n"),
            "/sys/fs/cgroup/system.slice/sidelight.service");
}

TEST(Cgroup, OfAPodIsThePodsWhereItCanBeSeen) {
  EXPECT_EQ(located(kMount, "0::/kubepods/burstable/" + std::string(kPod) + "/abc\n"),
            "/sys/fs/cgroup/kubepods/burstable/" + std::string(kPod));
  const std::string slice =
      "/kubepods.slice/kubepods-burstable.slice/"
      "kubepods-burstable-pod3fb4a0f4_93c8_44a4_9a3c_0d3d3f6e9a11.slice";
  EXPECT_EQ(located(kMount, "0::" + slice + "/cri-containerd-abc.scope\n"), "/sys/fs/cgroup" + slice);
}

TEST(Cgroup, IsFoundInAMountOfAPart) {
  const std::string mount = "29 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(located(mount, "0::/docker/abc\n"), "/sys/fs/cgroup");
  EXPECT_EQ(located(mount, "0::/docker/abc/child\n"), "/sys/fs/cgroup/child");
}

TEST(Cgroup, OfVersion1IsNamed) {
  EXPECT_NE(
      located("29 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "1:cpu:/\n").find("version 1"),
      std::string::npos);
  EXPECT_NE(located(kMount, "1:cpu:/\n").find("error"), std::string::npos);
  EXPECT_NE(located("", "").find("error"), std::string::npos);
}

TEST(Cgroup, IsReadWhole) {
  MemoryFileSystem fs;
  const std::string dir = "/g/";
  fs.write_file(dir + "cpu.stat",
                "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\nnr_periods 50\nnr_throttled "
                "5\nthrottled_usec 250000\n");
  fs.write_file(dir + "cpu.max", "150000 100000\n");
  fs.write_file(dir + "memory.current", "1000\n");
  fs.write_file(dir + "memory.stat", "anon 500\ninactive_file 300\n");
  fs.write_file(dir + "memory.max", "4000\n");
  fs.write_file(dir + "memory.events", "low 0\noom 2\noom_kill 1\noom_group_kill 0\n");
  fs.write_file(dir + "pids.current", "12\n");
  for (const char* r : {"cpu", "memory", "io"})
    fs.write_file(dir + r + ".pressure",
                  "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 "
                  "avg300=0.00 total=500000\n");
  const CgroupReading r = read_cgroup(fs, "/g");
  EXPECT_TRUE(r.missing.empty());
  EXPECT_EQ(r.cpu_user_seconds, 2.0);
  EXPECT_EQ(r.cpu_system_seconds, 1.0);
  EXPECT_EQ(r.cpu_limit_cores, 1.5);
  EXPECT_EQ(r.cpu_periods, 50.0);
  EXPECT_EQ(r.cpu_throttled_periods, 5.0);
  EXPECT_EQ(r.cpu_throttled_seconds, 0.25);
  EXPECT_EQ(r.memory_bytes, 1000.0);
  EXPECT_EQ(r.memory_working_set_bytes, 700.0);
  EXPECT_EQ(r.memory_limit_bytes, 4000.0);
  EXPECT_EQ(r.oom_kills, 1.0);
  EXPECT_EQ(r.tasks, 12.0);
  ASSERT_EQ(r.pressure.size(), 6U);
  EXPECT_EQ(r.pressure[1].resource, "cpu");
  EXPECT_EQ(r.pressure[1].kind, "full");
  EXPECT_EQ(r.pressure[1].seconds, 0.5);
}

TEST(Cgroup, HasNoLimitWhereItSaysMax) {
  MemoryFileSystem fs;
  fs.write_file("/g/cpu.max", "max 100000\n");
  fs.write_file("/g/memory.max", "max\n");
  const CgroupReading r = read_cgroup(fs, "/g");
  EXPECT_FALSE(r.cpu_limit_cores);
  EXPECT_FALSE(r.memory_limit_bytes);
}

TEST(Cgroup, WithPartsAbsentTellsWhich) {
  MemoryFileSystem fs;
  fs.write_file("/g/cpu.stat", "user_usec 5\n");
  const CgroupReading r = read_cgroup(fs, "/g");
  EXPECT_TRUE(r.cpu_user_seconds);
  EXPECT_FALSE(r.cpu_system_seconds);
  EXPECT_FALSE(r.memory_bytes);
  EXPECT_TRUE(r.pressure.empty());
  EXPECT_EQ(r.missing.size(), 9U);
}

TEST(Cgroup, GarbageIsAbsent) {
  EXPECT_FALSE(flat_value("a b\n", "a"));
  EXPECT_FALSE(flat_value("a -1\n", "a"));
  EXPECT_FALSE(flat_value("ab 1\n", "a"));
  EXPECT_FALSE(pressure_seconds("some avg10=0.00\n", "some"));
  EXPECT_FALSE(pressure_seconds("some total=x\n", "some"));
  EXPECT_FALSE(pressure_seconds("", "some"));
}

}  // namespace
}  // namespace sidelight
