#include "collectors/process/process_table.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

MonoTime at(int seconds) {
  return MonoTime(std::chrono::seconds(1000 + seconds));
}

ProcessSample process(std::uint64_t id, const std::string& name, double cpu, double memory = 10,
                      std::optional<double> fds = 3) {
  return {.id = id,
          .start_ticks = id * 7,
          .name = name,
          .cpu_seconds = cpu,
          .resident_bytes = memory,
          .open_fds = fds};
}

TEST(ProcessTable, SumsProcessesOfOneName) {
  ProcessTable table;
  table.update({process(1, "nginx", 2), process(2, "nginx", 3), process(3, "java", 5)}, at(0));
  const auto& nginx = table.totals().at("nginx");
  EXPECT_EQ(nginx.cpu_seconds, 5);
  EXPECT_EQ(nginx.resident_bytes, 20);
  EXPECT_EQ(nginx.open_fds, 6.0);
  EXPECT_EQ(table.totals().at("java").cpu_seconds, 5);
}

TEST(ProcessTable, NeverTakesCpuTimeBack) {
  ProcessTable table;
  table.update({process(1, "sh", 2), process(2, "sh", 30)}, at(0));
  table.update({process(1, "sh", 4)}, at(5));
  EXPECT_EQ(table.totals().at("sh").cpu_seconds, 34);
  table.update({}, at(10));
  EXPECT_EQ(table.totals().at("sh").cpu_seconds, 34);
  EXPECT_FALSE(table.totals().at("sh").alive);
  ProcessSample reused = process(1, "sh", 1);  // the id, by another process
  reused.start_ticks = 99;
  table.update({reused}, at(15));
  EXPECT_EQ(table.totals().at("sh").cpu_seconds, 35);
}

TEST(ProcessTable, SaysNothingOfDescriptorsThatItCannotSeeAll) {
  ProcessTable table;
  table.update({process(1, "sh", 1), process(2, "sh", 1, 10, std::nullopt), process(3, "sh", 1)}, at(0));
  EXPECT_FALSE(table.totals().at("sh").open_fds);
  table.update({process(1, "sh", 1)}, at(5));
  EXPECT_EQ(table.totals().at("sh").open_fds, 3.0);
}

TEST(ProcessTable, HasAtMostTenNamesAndTheOthers) {
  ProcessTable table;
  for (int round = 0; round < 50; ++round) {
    std::vector<ProcessSample> processes{process(1, "java", round)};
    for (std::uint64_t i = 0; i < 40; ++i)
      processes.push_back(process(static_cast<std::uint64_t>(round) * 100 + i + 2,
                                  "x" + std::to_string(round * 40) + "-" + std::to_string(i), 1));
    table.update(processes, at(round * 5));
    EXPECT_LE(table.totals().size(), ProcessTable::kMaxNames + 1);
  }
  EXPECT_EQ(table.totals().at("java").cpu_seconds, 49);
  EXPECT_EQ(table.totals().at(ProcessTable::kOthers).cpu_seconds, 50 * 40 - 9);
}

TEST(ProcessTable, GivesUpNamesThatAreGoneForAnHour) {
  ProcessTable table;
  std::vector<ProcessSample> old;
  for (std::uint64_t i = 0; i < 10; ++i) old.push_back(process(i + 1, "old" + std::to_string(i), 1));
  table.update(old, at(0));
  table.update({process(100, "new", 1)}, at(1800));
  EXPECT_FALSE(table.totals().contains("new"));
  table.update({process(100, "new", 2)}, at(3700));
  EXPECT_TRUE(table.totals().contains("new"));
  EXPECT_FALSE(table.totals().contains("old0"));
}

}  // namespace
}  // namespace sidelight
