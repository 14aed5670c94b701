#include "agent/observe/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/agent/observe/fakes.h"

namespace sidelight {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    dir = testing::TempDir() + "/log_test." + std::to_string(::getpid()) + "." +
          testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(dir);
    std::filesystem::create_directories(dir);
    options.file = dir + "/own.log";
  }
  void TearDown() override { std::filesystem::remove_all(dir); }

  std::vector<std::string> lines() const {
    std::ifstream in(options.file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }

  std::string dir;
  LogOptions options;
  test::FakeClock clock;
};

TEST_F(LogTest, TextLineHasTimeLevelKeyAndMessage) {
  make_logger(options, clock)->warn("tail.unreadable", "cannot read /var/log/x.log");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0], "2026-11-22T23:00:00.000Z WARN tail.unreadable: cannot read /var/log/x.log");
}

TEST_F(LogTest, JsonLineIsAnEcsDocument) {
  options.json = true;
  make_logger(options, clock)->error("output.down", "said \"no\"\nand \xff");
  ASSERT_EQ(lines().size(), 1U);
  const auto doc = nlohmann::json::parse(lines()[0]);
  EXPECT_EQ(doc["@timestamp"], "2026-11-22T23:00:00.000Z");
  EXPECT_EQ(doc["log.level"], "error");
  EXPECT_EQ(doc["event.action"], "output.down");
  EXPECT_EQ(doc["service.name"], "sidelight");
  EXPECT_EQ(doc["message"], "said \"no\"\nand \xEF\xBF\xBD");
}

TEST_F(LogTest, MessagesBelowTheLevelAreNotWritten) {
  options.level = LogLevel::warn;
  auto log = make_logger(options, clock);
  log->debug("k", "no");
  log->info("k", "no");
  log->error("k", "yes");
  ASSERT_EQ(lines().size(), 1U);
}

TEST_F(LogTest, AMessageCannotForgeALine) {
  make_logger(options, clock)
      ->info("k", "name\n2026-11-22T23:00:00.000Z ERROR forged: \"quoted\" \\ \x1b[31m тест");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_THAT(lines()[0], HasSubstr(R"(name\n2026)"));
  EXPECT_THAT(lines()[0], HasSubstr(R"("quoted" \ \u001b[31m тест)"));
}

TEST_F(LogTest, ARepeatedMessageIsHeldBackAndItsNumberTold) {
  auto log = make_logger(options, clock);
  for (int i = 0; i < 25; ++i) log->warn("k", "again");
  EXPECT_EQ(lines().size(), 10U);
  clock.step(std::chrono::seconds(10));
  log->warn("k", "again");
  ASSERT_EQ(lines().size(), 11U);
  EXPECT_THAT(lines()[10], HasSubstr("again (suppressed 15 like it)"));
}

TEST_F(LogTest, PasswordsInUrlsAreBlanked) {
  auto log = make_logger(options, clock);
  log->info("k", "GET https://user:s3cret@es:9200/_bulk and http://x:p@ss@h failed; http://h:9200/a@b stays");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_THAT(lines()[0],
              HasSubstr("https://user:***@es:9200/_bulk and http://x:***@h failed; http://h:9200/a@b stays"));
}

TEST_F(LogTest, LongMessagesAreCut) {
  make_logger(options, clock)->info("k", std::string(100'000, 'x'));
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_LT(lines()[0].size(), 9000U);
  EXPECT_THAT(lines()[0], testing::EndsWith("x..."));
}

TEST_F(LogTest, AFileThatCannotBeOpenedSendsTheLogToStderr) {
  options.file = dir + "/own.log";
  std::filesystem::create_directories(options.file);
  testing::internal::CaptureStderr();
  make_logger(options, clock)->info("k", "still here");
  const std::string err = testing::internal::GetCapturedStderr();
  EXPECT_THAT(err, HasSubstr("ERROR log.file: cannot log to a file"));
  EXPECT_THAT(err, HasSubstr("still here"));
}

TEST_F(LogTest, ADiskThatIsFullDoesNotStopTheProgram) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  options.file = "/dev/full";
  testing::internal::CaptureStderr();
  auto log = make_logger(options, clock);
  log->info("k", "lost");
  log.reset();
  testing::internal::GetCapturedStderr();
}

TEST_F(LogTest, ThreadsDoNotMixTheirLines) {
  auto log = make_logger(options, clock);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 200; ++i)
        log->info("k" + std::to_string(t * 200 + i), std::string(200, static_cast<char>('a' + t)));
    });
  for (auto& t : threads) t.join();
  ASSERT_EQ(lines().size(), 800U);
  for (const auto& line : lines()) {
    const std::string message = line.substr(line.find(": ") + 2);
    EXPECT_EQ(message, std::string(200, message[0]));
  }
}

}  // namespace
}  // namespace sidelight
