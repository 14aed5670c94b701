#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "agent/send/file/delivery.h"
#include "agent/send/file/file_sink.h"
#include "agent/send/file/output.h"
#include "agent/send/file/stdout_sink.h"
#include "tests/agent/send/support.h"

namespace sidelight::test {
namespace {

class FileOutputTest : public ::testing::Test {
 protected:
  FileOutputTest() { options.path = dir.path() + "/sub/out.ndjson"; }

  // A process: a sink and a delivery that know nothing but what is on disk.
  struct Process {
    Process(FileOutputTest& t)
        : sink(t.options, t.fs), delivery(sink, t.world.context(), [&t]() -> Expected<DeliveredIds> {
            return DeliveredIds::load(output_files(t.options, t.fs), t.fs, t.world.barrier.replay_starts(),
                                      [&t] { return t.stopped; });
          }) {}
    FileSink sink;
    Delivery delivery;
  };
  std::string content(const std::string& suffix = "") {
    return fs.read_file(options.path + suffix, 1 << 26).value_or(std::string());
  }

  World world;
  TempDir dir;
  FullableFileSystem fs;
  FileOutputOptions options;
  bool stopped = false;  // the process has to end
};

TEST_F(FileOutputTest, WritesLinesAndSettlesThem) {
  Process p(*this);
  auto batch = make_batch(3, 0, false);
  ASSERT_TRUE(p.delivery.deliver(*batch));
  EXPECT_EQ(content(), batch->body);
  EXPECT_EQ(world.ledger.settled, (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(world.probe.shipped_docs, 3u);
}

TEST_F(FileOutputTest, NothingIsWrittenBeforeItIsDurable) {
  Process p(*this);
  world.barrier.failures = 1;
  auto batch = make_batch(1, 0, false);
  EXPECT_FALSE(p.delivery.deliver(*batch));
  EXPECT_EQ(content(), "");
  EXPECT_TRUE(p.delivery.deliver(*batch));
}

TEST_F(FileOutputTest, AFullDiskTearsNothingAndTheRetryWritesOnce) {
  Process p(*this);
  auto first = make_batch(2, 0, false);
  auto second = make_batch(2, 2, false);
  ASSERT_TRUE(p.delivery.deliver(*first));
  fs.full = true;
  for (int i = 0; i < 3; ++i) {
    const auto refused = p.delivery.deliver(*second);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ENOSPC);
  }
  EXPECT_EQ(content(), first->body);
  EXPECT_EQ(world.ledger.settled.size(), 1u);
  fs.full = false;
  ASSERT_TRUE(p.delivery.deliver(*second));
  EXPECT_EQ(content(), first->body + second->body);
}

TEST_F(FileOutputTest, AfterAKillTheTornLineGoesAndNothingIsDoubled) {
  const auto all = make_batch(10, 0, false);
  const auto& fifth = all->docs[5];
  {
    Process p(*this);
    auto batch = make_batch(10, 0, false);
    ASSERT_TRUE(p.delivery.deliver(*batch));
    // As if killed in the middle of the sixth line, before the checkpoint knew of any.
    auto f = fs.open(options.path, OpenMode::append);
    ASSERT_TRUE((*f)->truncate(fifth.body_begin + 9));
  }
  Process p(*this);
  auto replay = make_batch(10, 0, false, true);
  ASSERT_TRUE(p.delivery.deliver(*replay));
  EXPECT_EQ(content(), all->body);
  EXPECT_EQ(world.probe.duplicate_docs, 5u);
}

TEST_F(FileOutputTest, RotatesBySizeKeepsSoManyAndLosesNothingAcross) {
  const std::size_t line = make_batch(1, 10, false)->body.size();
  options.max_bytes = line * 4;
  options.keep = 100;
  Process p(*this);
  for (std::size_t i = 10; i < 40; i += 5) {
    auto batch = make_batch(5, i, false);
    ASSERT_TRUE(p.delivery.deliver(*batch));
  }
  std::string everything = content();
  for (int n = 1; n <= 20; ++n) {
    EXPECT_LE(content("." + std::to_string(n)).size(), options.max_bytes);
    everything.insert(0, content("." + std::to_string(n)));
  }
  EXPECT_EQ(everything, make_batch(30, 10, false)->body);
  EXPECT_EQ(world.ledger.settled.size(), 6u);

  options.keep = 2;
  Process small(*this);
  ASSERT_TRUE(small.sink.open());
  ASSERT_TRUE(small.sink.rotate());
  EXPECT_TRUE(fs.stat(options.path + ".2"));
}

TEST_F(FileOutputTest, WhatSomebodyElseRenamedDeletedOrEmptiedIsBegunAnew) {
  Process p(*this);
  const auto deliver = [&](std::size_t n) {
    auto batch = make_batch(2, n, false);
    ASSERT_TRUE(p.delivery.deliver(*batch));
  };
  const auto lines = [&](std::size_t n) { return make_batch(2, n, false)->body; };
  deliver(0);
  ASSERT_TRUE(fs.rename(options.path, options.path + ".moved"));
  deliver(2);
  EXPECT_EQ(content(".moved"), lines(0));
  EXPECT_EQ(content(), lines(2));
  ASSERT_TRUE(fs.remove(options.path));
  deliver(4);
  EXPECT_EQ(content(), lines(4));
  ASSERT_EQ(::truncate(options.path.c_str(), 0), 0);
  deliver(6);
  EXPECT_EQ(content(), lines(6));
  fs.full = true;
  auto refused = make_batch(2, 8, false);
  ASSERT_EQ(::truncate(options.path.c_str(), 0), 0);
  EXPECT_FALSE(p.delivery.deliver(*refused));
  fs.full = false;
  ASSERT_TRUE(p.delivery.deliver(*refused));
  EXPECT_EQ(content(), lines(8));
}

TEST_F(FileOutputTest, WhatIsNoRegularFileIsRefusedByItsName) {
  for (const char* path : {"/dev/null", "/dev/stdout", "/tmp"}) {
    options.path = path;
    FileSink sink(options, fs);
    const auto opened = sink.open();
    ASSERT_FALSE(opened) << path;
    EXPECT_TRUE(opened.error().message.starts_with(path)) << opened.error().message;
  }
}

TEST_F(FileOutputTest, DocumentsInRotatedFilesAreNotDoubledEither) {
  options.max_bytes = 200;
  {
    Process p(*this);
    auto batch = make_batch(9, 0, false);
    ASSERT_TRUE(p.delivery.deliver(*batch));
  }
  ASSERT_TRUE(fs.stat(options.path + ".1"));
  Process p(*this);
  auto replay = make_batch(9, 0, false, true);
  ASSERT_TRUE(p.delivery.deliver(*replay));
  EXPECT_EQ(world.probe.duplicate_docs, 9u);
}

// Another output may have held what was written here long ago.
TEST_F(FileOutputTest, DocumentsFarBehindAreNotDoubledEither) {
  {
    Process p(*this);
    auto batch = make_batch(9, 0, false);
    ASSERT_TRUE(p.delivery.deliver(*batch));
  }
  const std::string filler = "{\"message\":\"" + std::string(1 << 20, 'x') + "\"}\n";
  {
    auto file = fs.open(options.path, OpenMode::append);
    for (int mib = 0; mib < 100; ++mib) ASSERT_TRUE((*file)->write(filler));
  }
  Process p(*this);
  auto replay = make_batch(9, 0, false, true);
  ASSERT_TRUE(p.delivery.deliver(*replay));
  EXPECT_EQ(world.probe.duplicate_docs, 9u);
  EXPECT_EQ(world.probe.shipped_docs, 9u);
}

TEST_F(FileOutputTest, OnlyWhatMayComeAgainIsRemembered) {
  Process p(*this);
  ASSERT_TRUE(p.delivery.deliver(*make_batch(9, 0, false)));
  const auto known = [&] {
    return DeliveredIds::load(output_files(options, fs), fs, world.barrier.replay_starts(),
                              [] { return false; })
        ->size();
  };
  EXPECT_EQ(known(), 9u);
  world.barrier.starts = {{std::string(kKey), 50}};
  EXPECT_EQ(known(), 4u);
  world.barrier.starts = {{"BBBBBBBBBBBBBBBBBBBBBB", 0}};
  EXPECT_EQ(known(), 0u);
}

TEST_F(FileOutputTest, ReadingBackEndsWithTheProcessAndWritesNothing) {
  Process p(*this);
  ASSERT_TRUE(p.delivery.deliver(*make_batch(2, 0, false)));
  const std::string before = content();
  stopped = true;
  Process next(*this);
  auto replay = make_batch(4, 0, false, true);
  const auto refused = next.delivery.deliver(*replay);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ECANCELED);
  EXPECT_EQ(content(), before);
  stopped = false;
  ASSERT_TRUE(next.delivery.deliver(*replay));
  EXPECT_EQ(world.probe.duplicate_docs, 2u);
}

TEST_F(FileOutputTest, IdsInsideOfLabelsDoNotCount) {
  ASSERT_TRUE(fs.make_dirs(dir.path() + "/sub"));
  ASSERT_TRUE(fs.write_atomically(options.path,
                                  R"({"labels":{"event":{"id":")" + doc_id(0, 10) + "\"}}}\nnot json\n"));
  Process p(*this);
  auto batch = make_batch(1, 0, false, true);
  ASSERT_TRUE(p.delivery.deliver(*batch));
  EXPECT_EQ(world.probe.duplicate_docs, 0u);
}

TEST_F(FileOutputTest, TheThreadDeliversAndDrains) {
  auto output = make_file_output(options, world.context(), fs);
  std::string expected;
  for (std::size_t i = 0; i < 10; ++i) {
    auto batch = make_batch(3, 3 * i, false);
    expected += batch->body;
    output->submit(std::move(batch));
  }
  EXPECT_TRUE(output->drain(world.clock.now() + std::chrono::hours(1)));
  EXPECT_EQ(content(), expected);
  EXPECT_EQ(output->queued_bytes(), 0u);
  EXPECT_EQ(world.recycler.recycled, 10);
}

TEST_F(FileOutputTest, DrainGivesUpAtItsDeadlineOnAFullDisk) {
  fs.full = true;
  auto output = make_file_output(options, world.context(), fs);
  output->submit(make_batch(3, 0, false));
  EXPECT_FALSE(output->drain(world.clock.now()));
  output.reset();
  EXPECT_TRUE(world.ledger.settled.empty());
  EXPECT_TRUE(world.probe.saw("disk_full"));
}

class KeepingLogger final : public Logger {
 public:
  void write(LogLevel /*level*/, std::string_view /*key*/, const std::string& message) override {
    text += message + "\n";  // by the output's thread; read when that has ended
  }
  std::string text;
};

// Standard output as a pipe that nobody reads any more; put back afterwards.
TEST_F(FileOutputTest, AStdoutWithoutAReaderIsNotWaitedForAndCalledByItsName) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ::close(pipe[0]);
  const auto ignored = ::signal(SIGPIPE, SIG_IGN);
  std::fflush(stdout);
  const int kept = ::dup(STDOUT_FILENO);
  ::dup2(pipe[1], STDOUT_FILENO);
  ::close(pipe[1]);
  KeepingLogger log;
  bool drained = true;
  bool gone = false;
  {
    options.path.clear();
    OutputContext context{world.clock,   log,        world.budget,   world.ledger,
                          world.barrier, world.gate, world.recycler, world.probe};
    auto output = make_file_output(options, context, fs);
    output->submit(make_batch(1, 0, false));
    drained = output->drain(world.clock.now() + std::chrono::hours(1));  // the clock stands still
    gone = output->gone();
  }
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept);
  ::signal(SIGPIPE, ignored);
  EXPECT_FALSE(drained);
  EXPECT_TRUE(gone);
  EXPECT_NE(log.text.find("the standard output is held up (stdout_closed)"), std::string::npos) << log.text;
}

class StdoutSinkTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Pipes, StdoutSinkTest, ::testing::Values(O_NONBLOCK, 0));  // 0: writing blocks

TEST_P(StdoutSinkTest, GoesOnBehindWhatWasWrittenWhenThePipeIsFull) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), GetParam()), 0);
  ASSERT_EQ(::fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  const std::string lines(300'000, 'x');  // more than a pipe holds
  StdoutSink sink(ends[1], 0);
  std::string got;
  std::array<char, 65536> block{};
  for (int tries = 0; tries < 20; ++tries) {
    const bool done = sink.write(lines).has_value();
    for (ssize_t n = 0; (n = ::read(ends[0], block.data(), block.size())) > 0;)
      got.append(block.data(), static_cast<std::size_t>(n));
    if (done) break;
  }
  EXPECT_EQ(got, lines);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace sidelight::test
