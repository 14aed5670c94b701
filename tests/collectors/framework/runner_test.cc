#include "collectors/framework/runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MetricInfo kRuns{.name = "test_runs_total", .labels = "target", .help = "h"};

// Does what the test says; counts its runs.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;
  int runs = 0;
  bool hang = false;
  std::string error;
  bool throws = false;
  std::vector<std::string> warnings;

  void wait_for_runs(int n) {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, seconds(20), [&] { return runs >= n; })) << runs;
  }
  void release() {
    const std::lock_guard lock(mutex);
    hang = false;
    changed.notify_all();
  }
};

class ScriptedCollector final : public Collector {
 public:
  explicit ScriptedCollector(Script& script) : script_(script) {}
  Expected<void> collect(CollectRun& run) override {
    std::unique_lock lock(script_.mutex);
    ++script_.runs;
    script_.changed.notify_all();
    script_.changed.wait(lock, [&] { return !script_.hang; });
    run.out.counter(kRuns, script_.runs);
    for (const auto& w : script_.warnings) run.out.warn(w);
    if (script_.throws) throw std::runtime_error("thrown");
    if (!script_.error.empty()) return fail(script_.error);
    return {};
  }

 private:
  Script& script_;
};

class KeepingLogger final : public Logger {
 public:
  void write(LogLevel level, std::string_view /*key*/, const std::string& message) override {
    const std::lock_guard lock(mutex_);
    if (level == LogLevel::warn) warnings_.push_back(message);
  }
  std::vector<std::string> warnings() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> warnings_;
};

class RunnerTest : public testing::Test {
 protected:
  CollectorTask task(Script& script, const std::string& name) {
    return {"test", {name, seconds(5), seconds(4)}, std::make_unique<ScriptedCollector>(script), true};
  }
  std::unique_ptr<CollectorRunner> start(std::vector<CollectorTask> tasks) {
    return std::make_unique<CollectorRunner>(std::move(tasks), CollectorContext{files, clock, log});
  }
  static std::string page(CollectorRunner& runner) {
    std::vector<std::shared_ptr<const RenderedFamily>> families;
    runner.families(families);
    std::string out;
    for (const auto& f : families) out += f->lines;
    return out;
  }
  // Until the page holds `text`: what a run found is published just after it counted itself.
  static void expect_page(CollectorRunner& runner, const std::string& text) {
    for (int i = 0; i < 2000 && page(runner).find(text) == std::string::npos; ++i)
      std::this_thread::sleep_for(milliseconds(5));
    EXPECT_NE(page(runner).find(text), std::string::npos) << page(runner);
  }

  MemoryFileSystem files;
  FakeClock clock;
  KeepingLogger log;
};

TEST_F(RunnerTest, ShowsWhatACollectorFound) {
  Script a;
  auto runner = start([&] {
    std::vector<CollectorTask> tasks;
    tasks.push_back(task(a, "one"));
    return tasks;
  }());
  expect_page(*runner, "test_runs_total{target=\"one\"} 1\n");
  expect_page(*runner, "sidelight_collector_up{collector=\"test\",target=\"one\"} 1\n");
  clock.advance(seconds(6));
  expect_page(*runner, "test_runs_total{target=\"one\"} 2\n");
}

TEST_F(RunnerTest, AWarningIsLoggedOnceAsLongAsItStays) {
  Script a;
  a.warnings = {"no cpu.stat here"};
  std::vector<CollectorTask> tasks;
  tasks.push_back(task(a, "one"));
  auto runner = start(std::move(tasks));
  const auto next_run = [&](int n, std::vector<std::string> warnings) {
    {
      const std::lock_guard lock(a.mutex);
      a.warnings = std::move(warnings);
    }
    clock.advance(seconds(6));
    expect_page(*runner, "test_runs_total{target=\"one\"} " + std::to_string(n) + "\n");
  };
  expect_page(*runner, "test_runs_total{target=\"one\"} 1\n");
  next_run(2, {"no cpu.stat here"});
  next_run(3, {"no cpu.stat here", "two hundred queues are left out"});
  next_run(4, {});
  next_run(5, {"no cpu.stat here"});
  EXPECT_EQ(log.warnings(), (std::vector<std::string>{"test one: no cpu.stat here",
                                                      "test one: two hundred queues are left out",
                                                      "test one: no cpu.stat here"}));
}

TEST_F(RunnerTest, AFailureAndAnExceptionAreShownAndTheLastValuesStay) {
  Script a;
  std::vector<CollectorTask> tasks;
  tasks.push_back(task(a, "one"));
  auto runner = start(std::move(tasks));
  expect_page(*runner, "test_runs_total{target=\"one\"} 1\n");
  {
    const std::lock_guard lock(a.mutex);
    a.error = "refused";
  }
  clock.advance(seconds(6));
  expect_page(*runner, "sidelight_collector_up{collector=\"test\",target=\"one\"} 0\n");
  expect_page(*runner, "test_runs_total{target=\"one\"} 1\n");
  EXPECT_EQ(runner->status()[0].view.error, "refused");
  {
    const std::lock_guard lock(a.mutex);
    a.throws = true;
  }
  clock.advance(seconds(10));
  expect_page(*runner,
              "sidelight_collector_runs_total{collector=\"test\",target=\"one\",result=\"failure\"} 2\n");
  EXPECT_EQ(runner->status()[0].view.error, "thrown");
  EXPECT_EQ(page(*runner).find("test_runs_total{"), std::string::npos) << "three intervals are over";
}

TEST_F(RunnerTest, AHangingTargetDelaysNeitherThePageNorTheOthers) {
  Script hanging;
  hanging.hang = true;
  Script good;
  std::vector<CollectorTask> tasks;
  tasks.push_back(task(hanging, "hanging"));
  tasks.push_back(task(good, "good"));
  const auto runner = start(std::move(tasks));
  hanging.wait_for_runs(1);
  for (int i = 1; i <= 5; ++i) {
    clock.advance(seconds(6));
    expect_page(*runner,
                "sidelight_collector_runs_total{collector=\"test\",target=\"good\",result=\"success\"} " +
                    std::to_string(i));
  }
  expect_page(*runner, "sidelight_collector_up{collector=\"test\",target=\"hanging\"} 0\n");
  expect_page(*runner, "sidelight_collector_up{collector=\"test\",target=\"good\"} 1\n");
  {
    const std::lock_guard lock(hanging.mutex);
    EXPECT_EQ(hanging.runs, 1) << "no second run beside the first";
  }
  hanging.release();
}

TEST_F(RunnerTest, StopWaitsForNoRunAndBeginsNone) {
  Script hanging;
  hanging.hang = true;
  std::vector<CollectorTask> tasks;
  tasks.push_back(task(hanging, "hanging"));
  const auto runner = start(std::move(tasks));
  hanging.wait_for_runs(1);
  runner->stop();
  EXPECT_FALSE(runner->wait_stopped(milliseconds(0)));
  clock.advance(seconds(60));
  hanging.release();
  EXPECT_TRUE(runner->wait_stopped(seconds(20)));
  const std::lock_guard lock(hanging.mutex);
  EXPECT_EQ(hanging.runs, 1);
}

}  // namespace
}  // namespace sidelight
