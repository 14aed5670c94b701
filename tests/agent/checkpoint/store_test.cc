#include "agent/checkpoint/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "tests/agent/checkpoint/stored.h"

namespace sidelight {
namespace {

using test::key_of;
using test::state_of;
using test::Stored;

TEST(Store, WhatWasSyncedIsThereAgain) {
  Stored s;
  EXPECT_TRUE(s.store->first_start());
  ASSERT_TRUE(s.put({state_of(1, 10), state_of(2, 20)}));
  s.clock.advance(std::chrono::seconds(3));
  ASSERT_TRUE(s.put({state_of(2, 25)}));
  const WallNanos saved = s.clock.wall();
  s.clock.advance(std::chrono::hours(1));
  s.reopen();
  EXPECT_FALSE(s.store->first_start());
  EXPECT_EQ(s.store->loaded_saved_at_ns(), saved);
  EXPECT_EQ(s.states().at(key_of(1)), state_of(1, 10));
  EXPECT_EQ(s.states().at(key_of(2)), state_of(2, 25));
  EXPECT_EQ(s.states().size(), 2u);
  EXPECT_TRUE(s.log.lines.empty());
}

TEST(Store, PathsOfAnyBytesAreThereAgain) {
  Stored s;
  CheckpointState odd = state_of(1, 10);
  odd.path = "/var/log/\xd0\xff\n\"%.log";
  odd.real = "/elsewhere/\xff";
  odd.carry = "\xfe";
  ASSERT_TRUE(s.put({odd}));
  s.reopen();
  EXPECT_EQ(s.states().at(odd.key), odd);
  s.store->touch();
  ASSERT_TRUE(s.store->sync_all());
  s.reopen();
  EXPECT_EQ(s.states().at(odd.key), odd);
}

TEST(Store, WhatWasForgottenStaysAway) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10), state_of(2, 20)}));
  ASSERT_TRUE(s.store->sync_to(s.store->forget(key_of(1))));
  s.reopen();
  EXPECT_EQ(s.offset(1), -1);
  EXPECT_EQ(s.offset(2), 20);
  ASSERT_TRUE(s.put({state_of(1, 11)}));
  s.reopen();
  EXPECT_EQ(s.offset(1), 11);
}

TEST(Store, GlobsAreThoseThatWerePutLast) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10)}));
  s.reopen();
  EXPECT_FALSE(s.store->globs()) << "not recorded, by whoever wrote this";
  ASSERT_TRUE(s.store->sync_to(s.store->put_globs({"/var/log/*.log"})));
  s.reopen();
  EXPECT_EQ(s.store->globs(), (std::set<std::string>{"/var/log/*.log"}));
  ASSERT_TRUE(s.store->sync_to(s.store->put_globs({"/\xd0\n\"%", "/b"})));
  ASSERT_TRUE(s.put({state_of(1, 11)}));
  for (int i = 0; i < 2; ++i) {  // from the journal, then from the snapshot that it became
    s.reopen();
    EXPECT_EQ(s.store->globs(), (std::set<std::string>{"/\xd0\n\"%", "/b"}));
    ASSERT_TRUE(s.store->sync_all());
  }
  const std::string before = s.content("checkpoint");
  ASSERT_TRUE(s.store->sync_to(s.store->put_globs({"/b", "/\xd0\n\"%"})));
  EXPECT_EQ(s.content("checkpoint"), before);
}

TEST(Store, ForgettingTheUnknownWritesNothing) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10)}));
  const std::string before = s.content("checkpoint");
  ASSERT_TRUE(s.store->sync_to(s.store->forget(key_of(9))));
  ASSERT_TRUE(s.store->sync_to(s.store->put({})));
  EXPECT_EQ(s.content("checkpoint"), before);
}

TEST(Store, OnlyASyncMakesDurable) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10)}));
  s.store->put({state_of(1, 99)});
  s.reopen();
  EXPECT_EQ(s.offset(1), 10);
}

TEST(Store, SyncReachesUpToItsNumberAtLeast) {
  Stored s;
  const auto first = s.store->put({state_of(1, 10)});
  const auto second = s.store->put({state_of(2, 20)});
  EXPECT_LT(first, second);
  ASSERT_TRUE(s.store->sync_to(second));
  s.fs.fail_next("write", EIO);
  EXPECT_TRUE(s.store->sync_to(first)) << "on disk already: nothing is written";
}

TEST(Store, OnePutIsThereWhollyOrNotAtAll) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 1), state_of(2, 1)}));
  const std::size_t before = s.content("checkpoint").size();
  ASSERT_TRUE(s.put({state_of(1, 2), state_of(2, 2)}));
  const std::size_t after = s.content("checkpoint").size();
  const std::string whole = s.content("checkpoint");
  for (std::size_t size = before; size < after; ++size) {
    s.close();
    s.fs.write_file("/state/checkpoint", whole.substr(0, size));
    s.reopen();
    ASSERT_EQ(s.offset(1), 1) << size;
    ASSERT_EQ(s.offset(2), 1) << size;
    ASSERT_TRUE(s.log.lines.empty()) << "a torn end is what a crash leaves, no damage";
  }
}

TEST(Store, SecondInstanceIsRefused) {
  Stored s;
  const auto second = CheckpointStore::open({s.fs, s.clock, s.log, s.probe}, "/state");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "another sidelight uses state_dir /state (its lock is held); give each instance its own");
  s.close();
  EXPECT_TRUE(CheckpointStore::open({s.fs, s.clock, s.log, s.probe}, "/state"));
}

TEST(Store, IsWrittenAnewWhenSomebodyRemovesIt) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10), state_of(2, 20)}));
  for (const char* file : {"/state/checkpoint", "/state/lock"}) ASSERT_TRUE(s.fs.remove(file)) << file;
  ASSERT_TRUE(s.store->sync_all());  // nothing is new
  ASSERT_EQ(s.log.lines.size(), 1u);
  EXPECT_EQ(s.log.lines[0].second.substr(0, 19), "checkpoint.removed:") << s.log.lines[0].second;
  EXPECT_FALSE(CheckpointStore::open({s.fs, s.clock, s.log, s.probe}, "/state")) << "it is locked again";
  ASSERT_TRUE(s.fs.rename("/state/checkpoint", "/state/elsewhere"));
  ASSERT_TRUE(s.put({state_of(2, 21)}));
  ASSERT_TRUE(s.put({state_of(1, 11)}));
  EXPECT_EQ(s.log.lines.size(), 2u);
  s.reopen();
  EXPECT_EQ(s.offset(1), 11);
  EXPECT_EQ(s.offset(2), 21);
  EXPECT_EQ(s.probe.damages, 0);
}

TEST(Store, IsLeftAloneWhenItsDirectoryHasBecomeAnothersMeanwhile) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10)}));
  for (const char* file : {"/state/checkpoint", "/state/lock"}) ASSERT_TRUE(s.fs.remove(file)) << file;
  auto other = CheckpointStore::open({s.fs, s.clock, s.log, s.probe}, "/state");
  ASSERT_TRUE(other);
  const auto r = s.put({state_of(1, 11)});
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().message.find("another sidelight uses state_dir /state"), std::string::npos)
      << r.error().message;
  EXPECT_FALSE(s.store->sync_all());
  EXPECT_TRUE((*other)->states().empty());
  other->reset();
  ASSERT_TRUE(s.store->sync_all());
  s.reopen();
  EXPECT_EQ(s.offset(1), 11);
}

TEST(Store, UnusableDirectoryIsToldByName) {
  Stored s;
  s.fs.fail_next("make_dirs", EROFS);
  s.reopen();
  EXPECT_EQ(s.error, "state_dir cannot be used: make directory /state: Read-only file system");
  s.fs.fail_next("lock", EACCES);
  s.reopen();
  EXPECT_EQ(s.error, "state_dir cannot be used: lock /state/lock: Permission denied");
  s.reopen();
  EXPECT_EQ(s.error, "");
}

TEST(Store, FullDiskGivesUpNothing) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10)}));
  const std::string before = s.content("checkpoint");
  for (const std::uint64_t room : {0u, 1u, 40u, 100u}) {
    s.fs.set_free_bytes(room);
    const auto r = s.put({state_of(2, room)});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ENOSPC);
    EXPECT_EQ(r.error().message.substr(0, 32), "the checkpoint cannot be written");
    EXPECT_EQ(s.content("checkpoint"), before) << "no torn record, no hole";
  }
  EXPECT_EQ(s.probe.write_errors, 4);
  s.fs.set_free_bytes(1 << 20);
  ASSERT_TRUE(s.store->sync_all());
  s.reopen();
  EXPECT_EQ(s.offset(1), 10);
  EXPECT_EQ(s.offset(2), 100);
  EXPECT_TRUE(s.log.lines.empty());
}

TEST(Store, FailedSyncIsRepeated) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10)}));
  s.fs.fail_next("sync", EIO);
  EXPECT_FALSE(s.put({state_of(1, 11)}));
  ASSERT_TRUE(s.put({state_of(2, 20)}));
  s.reopen();
  EXPECT_EQ(s.offset(1), 11);
  EXPECT_EQ(s.offset(2), 20);
}

TEST(Store, TornEndThatStaysIsLeftBehindInANewFile) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10)}));
  s.fs.set_free_bytes(20);
  s.fs.fail_next("truncate", EIO);
  EXPECT_FALSE(s.put({state_of(1, 11)}));
  s.fs.set_free_bytes(1 << 20);
  ASSERT_TRUE(s.store->sync_all());
  ASSERT_TRUE(s.put({state_of(2, 20)}));
  s.reopen();
  EXPECT_EQ(s.offset(1), 11);
  EXPECT_EQ(s.offset(2), 20);
  EXPECT_EQ(s.probe.damages, 0);
}

// Appends until the journal is written anew; returns how large it became before.
std::size_t fill_until_compaction(Stored& s) {
  CheckpointState big = state_of(1, 0);
  big.carry = std::string(50'000, 'x');
  std::size_t largest = 0;
  for (std::uint64_t i = 1; i < 100; ++i) {
    big.lane = {i, i};
    EXPECT_TRUE(s.put({big}));
    if (s.probe.last_bytes < largest) return largest;
    largest = s.probe.last_bytes;
  }
  return 0;
}

TEST(Store, JournalIsCompactedBeyondAMebibyteAndKeepsItsPredecessor) {
  Stored s;
  const std::size_t largest = fill_until_compaction(s);
  EXPECT_LE(largest, std::size_t{1} << 20);
  EXPECT_GT(largest + 60'000, std::size_t{1} << 20);
  EXPECT_LT(s.content("checkpoint").size(), 110'000u);
  EXPECT_EQ(s.content("checkpoint.previous").size(), largest);
  EXPECT_FALSE(s.exists("checkpoint.new"));
  const auto before = s.states();
  s.reopen();
  EXPECT_EQ(s.states(), before);
}

TEST(Store, LargeSnapshotMayGrowFourfold) {
  Stored s;
  std::vector<CheckpointState> many;
  for (int i = 0; i < 2000; ++i) {
    many.push_back(state_of(i, 1));
    many.back().carry = std::string(500, 'x');
  }
  ASSERT_TRUE(s.put(many));
  const std::uint64_t snapshot = s.probe.last_bytes;
  ASSERT_GT(snapshot, 1u << 20);
  ASSERT_TRUE(s.put(many));
  ASSERT_TRUE(s.put(many));
  EXPECT_GT(s.probe.last_bytes, 2 * snapshot) << "not yet";
  ASSERT_TRUE(s.put(many));
  ASSERT_TRUE(s.put(many));
  EXPECT_LT(s.probe.last_bytes, 2 * snapshot) << "now";
  s.reopen();
  EXPECT_EQ(s.states().size(), 2000u);
}

TEST(Store, NoRoomForASnapshotLeavesTheJournalGrowing) {
  Stored s;
  CheckpointState big = state_of(1, 0);
  big.carry = std::string(50'000, 'x');
  while (s.probe.last_bytes < 1'000'000) ASSERT_TRUE(s.put({big}));
  s.fs.set_free_bytes(60'000);  // a record fits, the snapshot does not: it holds this one and the next
  CheckpointState other = state_of(2, 5);
  other.carry = std::string(40'000, 'y');
  ASSERT_TRUE(s.put({other}));
  EXPECT_GT(s.probe.last_bytes, 1'000'000u);
  EXPECT_EQ(s.probe.write_errors, 0);
  EXPECT_FALSE(s.exists("checkpoint.new"));
  s.reopen();
  EXPECT_EQ(s.offset(2), 5);
}

TEST(Store, CrashBetweenTheTwoRenamesGoesOnWithTheWholePredecessor) {
  Stored s;
  ASSERT_TRUE(s.put({state_of(1, 10), state_of(2, 20), state_of(3, 30)}));
  ASSERT_TRUE(s.put({state_of(1, 11)}));
  s.store->put_globs({"/a"});
  ASSERT_TRUE(s.store->sync_to(s.store->forget(key_of(2))));
  s.close();
  ASSERT_TRUE(s.fs.rename("/state/checkpoint", "/state/checkpoint.previous"));
  s.reopen();
  EXPECT_FALSE(s.store->first_start());
  EXPECT_EQ(s.offset(1), 11) << "the last state counts, not the first";
  EXPECT_EQ(s.offset(2), -1) << "what was forgotten does not come back";
  EXPECT_EQ(s.offset(3), 30);
  EXPECT_EQ(s.store->globs(), std::set<std::string>{"/a"});
  EXPECT_EQ(s.probe.damages, 0);
}

TEST(Store, FailureBetweenTheTwoRenamesIsMadeGood) {
  for (const char* op : {"rename", "sync_dir", "open"}) {
    Stored s;
    ASSERT_TRUE(s.put({state_of(1, 10)}));
    s.reopen();
    s.store->put({state_of(1, 11)});
    if (op == std::string("rename")) s.fs.fail_next("rename", EIO);
    if (op == std::string("open")) s.fs.fail_next("open", EMFILE);
    if (op == std::string("sync_dir")) s.fs.fail_next("sync_dir", EIO);
    EXPECT_FALSE(s.store->sync_all()) << op;
    ASSERT_TRUE(s.store->sync_all()) << op;
    s.reopen();
    EXPECT_EQ(s.offset(1), 11) << op;
    EXPECT_EQ(s.probe.damages, 0) << op;
  }
}

TEST(Store, SaysFromWhereEachFileMayBeReplayed) {
  Stored s;
  CheckpointState container = state_of(2, 20);
  container.lane = {30, 25};
  CheckpointState remembering = state_of(3, 40);
  remembering.processors = "collapse 1";  // a summary of lines before 40 may come
  ASSERT_TRUE(s.put({state_of(1, 10), container, remembering}));
  s.reopen();
  EXPECT_EQ(s.store->replay_starts(), (std::unordered_map<std::string, std::uint64_t>{
                                          {key_of(1), 10}, {key_of(2), 25}, {key_of(3), 0}}));
}

TEST(Store, ProbeHearsOfEveryCommit) {
  Stored s;
  EXPECT_EQ(s.probe.commits, 0) << "a first start has nothing to tell";
  ASSERT_TRUE(s.put({state_of(1, 10), state_of(2, 20)}));
  EXPECT_EQ(s.probe.last_files, 2u);
  EXPECT_EQ(s.probe.last_bytes, s.content("checkpoint").size());
  const WallNanos saved = s.clock.wall();
  s.clock.advance(std::chrono::seconds(9));
  s.store->touch();
  EXPECT_EQ(s.probe.unchanged_at, s.clock.wall());
  s.reopen();
  EXPECT_EQ(s.probe.committed_at, saved);
  EXPECT_EQ(s.probe.last_bytes, 0u);
  EXPECT_EQ(s.probe.last_files, 2u);
}

TEST(Store, ThreadsPutAndSyncAtOnce) {
  Stored s;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&s, t] {
      for (std::uint64_t i = 1; i <= 200; ++i) {
        const auto seq = s.store->put({state_of(t, i), state_of(t + 10, i)});
        if (i % 7 == 0) {
          EXPECT_TRUE(s.store->sync_to(seq));
        }
      }
    });
  }
  for (auto& t : threads) t.join();
  ASSERT_TRUE(s.store->sync_all());
  s.reopen();
  for (int t = 0; t < 3; ++t) {
    EXPECT_EQ(s.offset(t), 200);
    EXPECT_EQ(s.offset(t + 10), 200);
  }
}

TEST(Store, WorksOnARealDisk) {
  std::string dir = std::filesystem::temp_directory_path() / "sidelight-store-XXXXXX";
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  PosixFileSystem disk;
  FakeClock clock;
  test::RecordingLogger log;
  test::RecordingCheckpointProbe probe;
  const auto open = [&] { return CheckpointStore::open({disk, clock, log, probe}, dir + "/a/state"); };
  {
    auto store = open().value();
    EXPECT_FALSE(open()) << "locked";
    for (std::uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(store->sync_to(store->put({state_of(1, i)})));
  }
  auto store = open().value();
  ASSERT_EQ(store->states().size(), 1u);
  EXPECT_EQ(store->states()[0].lane[0], 20u);
  store.reset();
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace sidelight
