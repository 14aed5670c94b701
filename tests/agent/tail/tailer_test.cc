// What the tailer asks of the file system, and what it says where it is refused.
#include "agent/tail/tailer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Counts what is asked for.
class CountingFileSystem final : public FileSystem {
 public:
  Expected<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (before_open) before_open(path);
    auto file = under.open(path, mode);
    if (!file) return file;
    return std::make_unique<CountingFile>(std::move(*file), bytes_read[path]);
  }
  Expected<FileStat> stat(const std::string& path) override {
    ++stats;
    return under.stat(path);
  }
  Expected<FileStat> lstat(const std::string& path) override { return under.lstat(path); }
  Expected<std::string> real_path(const std::string& path) override { return under.real_path(path); }
  Expected<std::vector<DirEntry>> list(const std::string& dir) override {
    ++lists;
    return under.list(dir);
  }
  Expected<void> rename(const std::string& from, const std::string& to) override {
    return under.rename(from, to);
  }
  Expected<void> remove(const std::string& path) override { return under.remove(path); }
  Expected<void> make_dirs(const std::string& dir) override { return under.make_dirs(dir); }
  Expected<void> sync_dir(const std::string& dir) override { return under.sync_dir(dir); }
  Expected<std::unique_ptr<File>> lock(const std::string& path) override { return under.lock(path); }

  MemoryFileSystem under;
  std::map<std::string, std::uint64_t> bytes_read;  // by path
  int lists = 0;
  int stats = 0;
  std::function<void(const std::string&)> before_open;

 private:
  class CountingFile final : public File {
   public:
    CountingFile(std::unique_ptr<File> file, std::uint64_t& count) : file_(std::move(file)), count_(count) {}
    Expected<FileStat> stat() const override { return file_->stat(); }
    Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t offset) const override {
      auto got = file_->read_at(to, n, offset);
      if (got) count_ += *got;
      return got;
    }
    Expected<void> write(std::string_view bytes) override { return file_->write(bytes); }
    Expected<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Expected<void> sync() override { return file_->sync(); }

   private:
    std::unique_ptr<File> file_;
    std::uint64_t& count_;
  };
};

// As inotify: what may not be read may not be watched.
class SilentNotifier final : public FileNotifier {
 public:
  explicit SilentNotifier(FileSystem& fs) : fs_(fs) {}
  Expected<void> watch(const std::string& dir) override {
    auto list = fs_.list(dir);
    return list ? Expected<void>() : fail("watch " + dir + ": Permission denied", list.error().code);
  }
  void unwatch(const std::string& /*dir*/) override {}
  std::vector<FileChange> wait(milliseconds max_wait, bool& overflowed) override {
    overflowed = false;
    longest = std::max(longest, max_wait);
    return {};
  }
  void rest(milliseconds /*max_wait*/) override {}
  void wake() override {}
  milliseconds longest{0};

 private:
  FileSystem& fs_;
};

// What is seen unless `debug` is asked for.
class KeepingLogger final : public Logger {
 public:
  void write(LogLevel level, std::string_view key, const std::string& message) override {
    if (level > LogLevel::debug) said += std::string(key) + ": " + message + "\n";
  }
  std::string said;
};

class KeepingProbe final : public TailProbe {
 public:
  void files_open(std::uint64_t) override {}
  void files_tracked(std::uint64_t) override {}
  void input_files(std::uint32_t, std::uint64_t n) override { matched = n; }
  void watch_mode(bool on) override { polling = on; }
  void unreadable_files(std::uint64_t n) override { unreadable = n; }
  void lost_bytes(std::uint32_t, std::uint64_t bytes, LossReason) override { lost += bytes; }
  void rotation(RotationKind kind) override { renames += kind == RotationKind::rename ? 1 : 0; }
  void read_error() override {}
  void deleted_bytes_held(std::uint64_t) override {}
  void descriptor_limit_hit() override {}
  void ignored_files(std::uint64_t) override {}
  bool polling = false;
  std::uint64_t unreadable = 0, lost = 0, matched = 0, renames = 0;
};

class NullListener final : public TailListener {
 public:
  void on_new(TailedFile& /*file*/, bool /*restored*/) override {}
  void on_gone(TailedFile& /*file*/) override {}
  void on_absent(TailedFile& /*file*/) override {}
  void on_absent_gone(const std::string& /*key*/) override {}
};

class TailerTest : public ::testing::Test {
 protected:
  void start(std::vector<std::string> globs, const std::vector<SavedFile>& saved = {},
             bool first_start = true) {
    start_inputs({TailOptions{std::move(globs), {}, start_at_}}, saved, first_start);
  }
  void start_inputs(std::vector<TailOptions> inputs, const std::vector<SavedFile>& saved = {},
                    bool first_start = true) {
    tailer_.emplace(TailerContext{fs_, notifier_, clock_, log_, probe_, listener_}, std::move(inputs),
                    limits_, OwnFiles{});
    tailer_->restore({.files = saved, .first_start = saved.empty() && first_start, .globs = past_globs_});
  }
  void pass(milliseconds time) {
    clock_.advance(time);
    tailer_->update(milliseconds(0));
  }
  // All that can be read.
  std::string read() {
    std::string out;
    while (TailedFile* f = tailer_->next_ready({})) {
      std::string buffer(kTailBytes + 64 * 1024, '\0');
      const auto r = tailer_->read(*f, buffer.data(), 64 * 1024);
      if (r.outcome != ReadOutcome::bytes) continue;
      const std::string_view all(buffer.data(), r.context + r.bytes);
      out += all.substr(r.context);
      tailer_->advance(*f, f->read_to + r.bytes, all);
    }
    return out;
  }
  static std::string gzipped(const std::string& plain) {
    z_stream z{};
    EXPECT_EQ(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&z, plain.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
  }
  // Does not compress well.
  static std::string noise(const std::string& head, std::size_t n) {
    std::string s = head;
    for (std::uint64_t x = 1; s.size() < n;) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      s += std::to_string(x) + "\n";
    }
    return s;
  }
  MemoryFileSystem& disk() { return fs_.under; }

  CountingFileSystem fs_;
  SilentNotifier notifier_{fs_.under};
  FakeClock clock_;
  KeepingLogger log_;
  KeepingProbe probe_;
  NullListener listener_;
  TailLimits limits_;
  StartAt start_at_ = StartAt::beginning;
  std::optional<std::set<std::string>> past_globs_;
  std::optional<Tailer> tailer_;
};

TEST_F(TailerTest, DirectoryThatWeMayNotEnterIsCountedAndExplained) {
  disk().write_file("/ours/b.log", "b\n");
  disk().write_file("/theirs/a.log", "a\n");
  disk().chmod("/theirs", 0);
  start({"/ours/*.log", "/theirs/a.log", "/theirs/*/*.log", "/theirs/deeper/c.log"});
  EXPECT_EQ(read(), "b\n");
  EXPECT_EQ(probe_.unreadable, 3u);  // the file, the listing, the way to a third one
  EXPECT_FALSE(probe_.polling);
  const std::string us = "we are " + std::to_string(::geteuid()) + ":" + std::to_string(::getegid()) + ")";
  EXPECT_THAT(log_.said,
              HasSubstr("/theirs/a.log: Permission denied; its directory (owner 0:0, mode 0000; " + us));
  EXPECT_THAT(log_.said,
              HasSubstr("list /theirs: Permission denied; its directory (owner 0:0, mode 0000; " + us));
  EXPECT_THAT(log_.said, ::testing::Not(HasSubstr("ENOSPC")));
  disk().chmod("/theirs", 0755);
  pass(limits_.rescan_interval);
  EXPECT_EQ(read(), "a\n");
  EXPECT_EQ(probe_.unreadable, 0u);
}

TEST_F(TailerTest, InputWithoutFilesIsANoteAtFirstAndAWarningLater) {
  ASSERT_TRUE(disk().make_dirs("/logs"));
  start({"/logs/*.lgo"});
  EXPECT_THAT(log_.said, HasSubstr("no file matches /logs/*.lgo yet"));
  EXPECT_EQ(probe_.matched, 0U);
  log_.said.clear();
  pass(seconds(599));
  EXPECT_EQ(log_.said, "");
  pass(seconds(60));
  EXPECT_THAT(log_.said, HasSubstr("still no file matches /logs/*.lgo"));
  log_.said.clear();
  pass(seconds(3600));
  EXPECT_EQ(log_.said, "");
  disk().write_file("/logs/a.lgo", "one\n");
  pass(seconds(60));
  EXPECT_THAT(log_.said, HasSubstr("there are files now"));
  EXPECT_EQ(probe_.matched, 1U);
  log_.said.clear();
  ASSERT_TRUE(disk().remove("/logs/a.lgo"));
  pass(seconds(60));
  EXPECT_THAT(log_.said, HasSubstr("no file matches /logs/*.lgo any more"));
  EXPECT_EQ(probe_.renames, 0U) << "nothing took its place";
}

TEST_F(TailerTest, FileOfTwoInputsIsToldOnceAndTheOtherOneIsNotMisspelt) {
  disk().write_file("/logs/a.log", "one\n");
  disk().write_file("/logs/b.log", "two\n");
  start_inputs({{{"/logs/*.log"}, {}, start_at_}, {{"/logs/a.log", "/logs/b.log"}, {}, start_at_}});
  EXPECT_EQ(log_.said,
            "tail.overlap /logs/a.log: /logs/a.log is among the paths of two inputs; it is read once, for "
            "the first of them (/logs/*.log), "
            "and not for /logs/a.log\n");
  log_.said.clear();
  pass(seconds(1200));
  EXPECT_EQ(log_.said, "");
}

TEST_F(TailerTest, StartAtTheEndAppliesWhereNoEarlierRunWatched) {
  ASSERT_TRUE(disk().make_dirs("/logs"));
  disk().write_file("/logs/a.log", "made while nobody watched\n");
  disk().write_file("/logs/a.txt", "old\n");
  start_at_ = StartAt::end;
  past_globs_ = {"/logs/*.log"};
  start({"/logs/*.{log,txt}"}, {}, false);
  EXPECT_EQ(tailer_->globs(), (std::vector<std::string>{"/logs/*.log", "/logs/*.txt"}));
  EXPECT_EQ(read(), "made while nobody watched\n");
  EXPECT_THAT(log_.said, HasSubstr("/logs/a.txt is read from its end (start: end); 4 bytes are left out"));
  EXPECT_THAT(log_.said, Not(HasSubstr("a.log")));
}

TEST_F(TailerTest, StartAtTheEndSaysWhereItDoesNotApply) {
  ASSERT_TRUE(disk().make_dirs("/logs"));
  disk().write_file("/logs/a.log", "old\n");
  start_at_ = StartAt::end;
  start({"/logs/*.log"}, {}, false);
  EXPECT_THAT(log_.said, HasSubstr("/logs/a.log (4 bytes) is read from its beginning"));
  EXPECT_EQ(read(), "old\n");
  log_.said.clear();
  start({"/logs/*.log"});
  EXPECT_THAT(log_.said, HasSubstr("is read from its end"));
  EXPECT_EQ(read(), "");
  log_.said.clear();
  disk().write_file("/logs/b.log", "new\n");
  pass(seconds(60));
  EXPECT_EQ(log_.said, "");
  EXPECT_EQ(read(), "new\n");
}

TEST_F(TailerTest, LinkIntoSuchADirectoryDoesNotBlameItsOwn) {
  disk().write_file("/theirs/a.log", "a\n");
  disk().chmod("/theirs", 0);
  disk().make_symlink("/theirs/a.log", "/ours/a.log");
  start({"/ours/*.log"});
  EXPECT_EQ(probe_.unreadable, 1u);
  EXPECT_THAT(log_.said, HasSubstr("/ours/a.log: Permission denied (we are "));
}

TEST_F(TailerTest, OneDirectoryWithoutNotificationsDoesNotMakeUsScanTheOthers) {
  disk().write_file("/ours/b.log", "b\n");
  disk().write_file("/theirs/a.log", "a\n");
  disk().chmod("/theirs", 0111);  // may be entered, not read
  start({"/ours/*.log", "/theirs/a.log", "/theirs/later.log"});
  read();
  EXPECT_EQ(probe_.unreadable, 0u);
  EXPECT_FALSE(probe_.polling);
  fs_.lists = 0;
  for (int i = 0; i < 20; ++i) pass(limits_.poll_interval);
  EXPECT_EQ(fs_.lists, 0);
  // What goes on in it is noticed all the same.
  disk().append_file("/theirs/a.log", "more\n");
  pass(limits_.poll_interval);
  EXPECT_EQ(read(), "more\n");
  disk().write_file("/theirs/later.log", "later\n");
  pass(limits_.poll_interval);
  EXPECT_EQ(read(), "later\n");
  ASSERT_TRUE(disk().rename("/theirs/a.log", "/theirs/a.log.1"));
  disk().write_file("/theirs/a.log", "next\n");
  pass(limits_.poll_interval);
  EXPECT_EQ(read(), "next\n");
}

TEST_F(TailerTest, ArchivesOfOtherBytesAreNotInflatedWhenACopyIsLookedFor) {
  disk().write_file("/logs/a.log", "2026-11-22 one\n");
  std::uint64_t archived = 0;
  for (int i = 2; i < 8; ++i) {
    const std::string bytes = gzipped(noise("2026-11-1" + std::to_string(i), 2'000'000));
    archived += bytes.size();
    disk().write_file("/logs/a.log." + std::to_string(i) + ".gz", bytes);
  }
  start({"/logs/a.log"});
  EXPECT_EQ(read(), "2026-11-22 one\n");
  for (auto& [path, n] : fs_.bytes_read) n = 0;
  disk().append_file("/logs/a.log", "two\n");
  disk().write_file("/logs/a.log.1", "2026-11-22 one\ntwo\n");
  disk().write_file("/logs/a.log", "three\n");
  pass(limits_.rescan_interval);
  EXPECT_EQ(read(), "two\nthree\n");
  EXPECT_EQ(probe_.lost, 0u);
  std::uint64_t inflated = 0;
  for (const auto& [path, n] : fs_.bytes_read) inflated += path.ends_with(".gz") ? n : 0;
  EXPECT_LE(inflated, 6u * 32 * 1024);
  EXPECT_GE(archived, 20u * inflated);
}

TEST_F(TailerTest, ArchiveIsInflatedOnceWhileItIsReadInManyWindows) {
  const std::string plain = noise("x", 6'000'000);
  const std::string packed = gzipped(plain);
  disk().write_file("/logs/a.log.1.gz", packed);
  start({"/logs/a.log*"});
  EXPECT_TRUE(read() == plain);
  EXPECT_LE(fs_.bytes_read["/logs/a.log.1.gz"], packed.size() * 21 / 10);
}

TEST_F(TailerTest, BrokenArchiveIsInflatedOnceAndAgainWhenItChanges) {
  const std::string whole = gzipped(noise("x", 500'000));
  disk().write_file("/logs/a.log.1.gz", whole.substr(0, whole.size() / 2));
  start({"/logs/a.log*"});
  const auto& inflated = fs_.bytes_read["/logs/a.log.1.gz"];
  EXPECT_EQ(inflated, whole.size() / 2);
  EXPECT_EQ(probe_.unreadable, 1u);
  for (int i = 0; i < 10; ++i) pass(limits_.rescan_interval);
  EXPECT_EQ(inflated, whole.size() / 2);
  EXPECT_EQ(probe_.unreadable, 1u);
  disk().write_file("/logs/a.log.1.gz", whole);
  pass(limits_.rescan_interval);
  EXPECT_EQ(read().size(), noise("x", 500'000).size());
  EXPECT_EQ(probe_.unreadable, 0u);
}

TEST_F(TailerTest, ManyFilesOfOneDirectoryDoNotMakeItBeListedForEach) {
  constexpr int kFiles = 300;
  const auto name = [](int i) { return "/logs/app-" + std::to_string(1000 + i) + ".log"; };
  for (int i = 0; i < kFiles; ++i) disk().write_file(name(i), "one " + std::to_string(i) + "\n");
  start({"/logs/*.log"});
  read();
  EXPECT_LE(fs_.lists, 3);
  fs_.lists = fs_.stats = 0;
  pass(limits_.rescan_interval);
  EXPECT_LE(fs_.lists, 3);
  EXPECT_LE(fs_.stats, kFiles + 20) << "one look at each";
  for (int i = 0; i < kFiles; ++i) {
    ASSERT_TRUE(disk().rename(name(i), name(i) + ".1"));
    disk().write_file(name(i), "two " + std::to_string(i) + "\n");
  }
  fs_.lists = 0;
  pass(limits_.rescan_interval);
  EXPECT_LE(fs_.lists, 6);
  const std::string news = read();
  EXPECT_EQ(std::count(news.begin(), news.end(), '\n'), kFiles);
  EXPECT_EQ(probe_.lost, 0u);
}

TEST_F(TailerTest, ManyFilesAreFoundAgainWithoutAListingForEach) {
  constexpr int kFiles = 300;
  std::vector<SavedFile> saved;
  for (int i = 0; i < kFiles; ++i) {
    const std::string path = "/logs/app-" + std::to_string(1000 + i) + ".log";
    const std::string text = "one " + std::to_string(i) + "\n";
    disk().write_file(path, text);
    const auto st = disk().stat(path);
    ASSERT_TRUE(st);
    SavedFile f{.key = random_key(),
                .path = path,
                .real = path,
                .dev = st->dev,
                .inode = st->inode,
                .birth_ns = st->birth_ns,
                .size = st->size,
                .head = mark_of(text),
                .offset = st->size,
                .tail = mark_of(text)};
    saved.push_back(std::move(f));
    // Some were rotated meanwhile.
    if (i % 10 != 0) continue;
    ASSERT_TRUE(disk().rename(path, path + ".1"));
    disk().write_file(path, "two\n");
  }
  start({"/logs/*.log"}, saved);
  EXPECT_LE(fs_.lists, 6);
  std::string news;
  for (int i = 0; i < kFiles / 10; ++i) news += "two\n";
  EXPECT_EQ(read(), news);
  EXPECT_EQ(probe_.lost, 0u);
}

TEST_F(TailerTest, FileThatIsRotatedWhileAScanIsUnderWayIsFoundUnderItsNewName) {
  disk().write_file("/logs/a.log", "a\n");
  disk().write_file("/logs/f.log", "written while nobody looked\n");
  fs_.before_open = [&](const std::string& path) {
    if (path == "/logs/f.log" && disk().stat(path)) {
      ASSERT_TRUE(disk().rename(path, "/logs/f.log-20261122"));
    }
  };
  start({"/logs/*.log"}, {}, false);
  std::string all = read();
  pass(limits_.rescan_interval);
  all += read();
  EXPECT_THAT(all, HasSubstr("written while nobody looked\n"));
  EXPECT_EQ(probe_.lost, 0u);
}

TEST_F(TailerTest, FileThatIsWrittenAnewWithTheSameLengthIsReadAgain) {
  disk().write_file("/logs/a.log", "status 1 ok\n");
  disk().write_file("/logs/b.log", "status 1 ok\n");
  limits_.max_open_files = 1;
  start({"/logs/*.log"});
  EXPECT_EQ(read(), "status 1 ok\nstatus 1 ok\n");
  for (const char* name : {"/logs/a.log", "/logs/b.log"}) {
    for (const char* status : {"status 2 ok\n", "status 3 ok\n"}) {
      disk().write_file(name, status);
      for (int i = 0; i < 2; ++i) pass(limits_.rescan_interval);
      EXPECT_EQ(read(), status);
      disk().set_mtime(name, clock_.wall());
      for (int i = 0; i < 2; ++i) pass(limits_.rescan_interval);
      EXPECT_EQ(read(), "") << "only touched";
    }
  }
  EXPECT_EQ(probe_.lost, 0u);
}

TEST_F(TailerTest, PathThatOneGlobLeadsToTwiceDoesNotHideAnotherThatIsGone) {
  disk().write_file("/srv/log/log/x.log", "x\n");
  disk().write_file("/srv/log/log/y.log", "y\n");
  start({"/srv/**/log/**/*.log"});
  std::string first = read();
  EXPECT_EQ(first.size(), 4u) << first;
  ASSERT_TRUE(disk().rename("/srv/log/log/y.log", "/srv/log/log/y.old-name"));
  pass(limits_.rescan_interval);
  disk().append_file("/srv/log/log/y.old-name", "more\n");
  pass(milliseconds(300));  // files without a name are looked at more often
  EXPECT_EQ(read(), "more\n");
}

}  // namespace
}  // namespace sidelight
