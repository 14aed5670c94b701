// Random sequences of what happens to log files, checked against a model: every line that a reader could have
// had arrives under exactly one id.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "tests/agent/pipeline/worker_rig.h"

namespace sidelight::test {
namespace {

int seeds() {
  const char* n = std::getenv("SIDELIGHT_MODEL_SEEDS");
  return n != nullptr ? std::atoi(n) : 1000;
}

// What the glob does with rotated names. `elsewhere`: they are in another directory, which it matches.
enum class Glob { live_only, rotated_too, elsewhere };

class Model {
 public:
  Model(unsigned seed, Glob glob)
      : random_(seed), rig_(TailOptions{{pattern(glob)}, {}, {}}), elsewhere_(glob == Glob::elsewhere) {
    if (elsewhere_) std::filesystem::create_directories(rig_.path("old"));
  }

  void run() {
    rig_.start();
    const int steps = 20 + pick(40);
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    if (!rig_.running()) start();
    finish_partials();
    rig_.settle();
    rig_.settle();
    verify();
  }

  std::string history;

 private:
  static const char* pattern(Glob glob) {
    if (glob == Glob::elsewhere) return "{*.log,old/*}";
    return glob == Glob::live_only ? "*.log" : "*.log*";
  }
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  std::string name() { return pick(3) == 0 ? "b.log" : "a.log"; }

  std::string rotated(const std::string& file, int n) const {
    return (elsewhere_ ? "old/" : "") + file + "." + std::to_string(n);
  }

  // Where files are told apart by their beginning alone, it is long enough for that.
  std::string line(const std::string& file) {
    const std::string text = file + " n=" + std::to_string(next_++) +
                             std::string(static_cast<std::size_t>(pick(60)), 'x') +
                             std::string(elsewhere_ ? 1024 : 0, '.');
    return text;
  }

  void note(const std::string& what) {
    history += what + "\n";
    if (std::getenv("SIDELIGHT_MODEL_SEED") != nullptr) std::fprintf(stderr, "- %s\n", what.c_str());
  }

  void step() {
    switch (pick(17)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return write();
      case 4:
        return write_partial();
      case 5:
        return rotate();
      case 6:
        return copytruncate();
      case 7:
        return remove();
      case 8:
        if (rig_.running())
          crash();
        else
          start();
        return;
      case 9:
        if (rig_.running())
          stop();
        else
          start();
        return;
      case 10:
        if (rig_.running()) rig_.acknowledge(static_cast<std::size_t>(pick(4)));
        return note("acknowledge");
      case 11:
        return swap_symlink();
      case 12:
        return compress();
      case 13:
        if (!rig_.running()) return;
        note("reload");
        return rig_.reload_undrained([] {});
      default:
        if (!rig_.running()) return;
        note("turn");
        rig_.turn(pick(4) != 0);
        return;
    }
  }

  void write() {
    const auto file = name();
    const int lines = 1 + pick(5);
    note("write " + file + " x" + std::to_string(lines) + " from " + std::to_string(next_));
    std::string bytes = complete(file);
    for (int i = 0; i < lines; ++i) {
      const auto text = line(file);
      put_in(file, text);
      bytes += text + "\n";
    }
    rig_.append(file, bytes);
  }

  void write_partial() {
    const auto file = name();
    if (partial_.contains(file)) return;
    const auto text = line(file);
    const auto cut = static_cast<std::size_t>(1 + pick(static_cast<int>(text.size()) - 1));
    note("partial " + file + " " + text.substr(0, cut));
    rig_.append(file, text.substr(0, cut));
    partial_[file] = {text, cut};
    touched_.insert(file);
  }

  // The rest of an unfinished line, with its newline.
  std::string complete(const std::string& file) {
    const auto it = partial_.find(file);
    if (it == partial_.end()) return {};
    const std::string rest = it->second.first.substr(it->second.second) + "\n";
    put_in(file, it->second.first);
    partial_.erase(it);
    return rest;
  }

  void finish_partials() {
    for (const char* file : {"a.log", "b.log"})
      if (const auto rest = complete(file); !rest.empty()) rig_.append(file, rest);
  }

  void put_in(const std::string& file, const std::string& text) {
    lines_in_[file].insert(text);
    expected_.insert(text);
    touched_.insert(file);
  }

  void shift(const std::string& file) {
    const int keep = 3;
    const std::string last = rotated(file, keep);
    for (const auto& gone : {last, last + ".gz"})
      if (rig_.exists(gone)) drop(gone);
    for (int i = keep - 1; i >= 1; --i) {
      for (const char* suffix : {"", ".gz"}) {
        const std::string from = rotated(file, i) + suffix;
        const std::string to = rotated(file, i + 1) + suffix;
        if (!rig_.exists(from)) continue;
        rig_.rename(from, to);
        lines_in_[to] = std::move(lines_in_[from]);
        lines_in_.erase(from);
      }
    }
  }

  // The file goes for good. A worker that has it open still reads it; without one its lines are lost.
  void drop(const std::string& file) {
    note("  drops " + file);
    if (rig_.running()) rig_.turn();
    auto& lines = lines_in_[file];
    if (rig_.running()) {
      held_.insert(lines.begin(), lines.end());
    } else {
      may_be_lost_.insert(lines.begin(), lines.end());
    }
    lines_in_.erase(file);
    rig_.remove(file);
  }

  void rotate() {
    const auto file = name();
    if (!rig_.exists(file) || links_.contains(file)) return;
    // A writer that has the file open ends its line in the renamed one.
    const bool late = partial_.contains(file) && pick(2) == 0;
    note("rotate " + file + (late ? ", in mid-line" : ""));
    auto rest = complete(file);
    if (!late && !rest.empty()) rig_.append(file, rest);
    shift(file);
    rig_.rename(file, rotated(file, 1));
    if (late) {
      if (rig_.running() && pick(2) == 0) rig_.turn();
      rig_.append(rotated(file, 1), rest);
    }
    lines_in_[rotated(file, 1)] = std::move(lines_in_[file]);
    lines_in_.erase(file);
  }

  void copytruncate() {
    const auto file = name();
    if (!rig_.exists(file) || links_.contains(file)) return;
    note("copytruncate " + file);
    if (const auto rest = complete(file); !rest.empty()) rig_.append(file, rest);
    shift(file);
    rig_.copy(file, rotated(file, 1));
    if (rig_.running() && pick(3) == 0) rig_.turn();  // looks between copy and truncation
    rig_.truncate(file);
    lines_in_[rotated(file, 1)] = std::move(lines_in_[file]);
    lines_in_.erase(file);
  }

  void compress() {
    const std::string file = rotated(name(), 1 + pick(3));
    if (!rig_.exists(file)) return;
    note("gzip " + file);
    if (rig_.running()) rig_.turn();
    const bool seen_at_work = rig_.running() && pick(3) == 0;
    rig_.gzip(file, seen_at_work);
    if (seen_at_work) {
      rig_.turn();
      rig_.remove(file);
    }
    lines_in_[file + ".gz"] = std::move(lines_in_[file]);
    lines_in_.erase(file);
  }

  void remove() {
    const auto file = name();
    if (!rig_.exists(file) || links_.contains(file)) return;
    note("delete " + file);
    if (const auto rest = complete(file); !rest.empty()) rig_.append(file, rest);
    drop(file);
  }

  void swap_symlink() {
    const std::string target = "target-" + std::to_string(next_++) + ".txt";
    const auto text = line("link");
    note("symlink c.log -> " + target);
    rig_.append(target, text + "\n");
    expected_.insert(text);
    if (rig_.running())
      rig_.turn();  // a link that was swapped twice unseen leads to what nobody was told of
    else
      may_be_lost_.insert(last_link_.begin(), last_link_.end());
    last_link_.insert(text);
    rig_.symlink(target, "c.log");
    links_.insert("c.log");
    if (rig_.running()) {
      rig_.turn();
      held_.insert(text);
    } else {
      may_be_lost_.insert(text);
    }
  }

  void crash() {
    note("kill -9");
    lose_unstored(held_);
    rig_.crash();
  }

  void stop() {
    note("stop");
    finish_partials();
    rig_.finish();
    held_.clear();
  }

  void start() {
    note("start");
    rig_.start();
  }

  // Only the dead process had these open.
  void lose_unstored(std::set<std::string>& lines) {
    may_be_lost_.insert(lines.begin(), lines.end());
    lines.clear();
  }

  void verify() {
    std::map<std::string, int> times;
    for (const auto& [id, doc] : rig_.stored) ++times[doc.message];
    for (const auto& [text, n] : times) {
      EXPECT_EQ(n, 1) << "doubled: " << text;
      EXPECT_TRUE(expected_.contains(text)) << "torn or made up: " << text;
    }
    for (const auto& text : expected_) {
      EXPECT_TRUE(may_be_lost_.contains(text) || times.contains(text)) << "lost: " << text;
    }
  }

  std::mt19937 random_;
  Rig rig_;
  const bool elsewhere_;
  int next_ = 0;
  std::map<std::string, std::set<std::string>> lines_in_;  // by the file that holds them now
  std::map<std::string, std::pair<std::string, std::size_t>>
      partial_;  // by file: the line, how much of it is written
  std::set<std::string> touched_;
  std::set<std::string> links_;
  std::set<std::string> last_link_;
  std::set<std::string> expected_;
  std::set<std::string> held_;  // in deleted files that the running worker has open
  std::set<std::string> may_be_lost_;
};

// SIDELIGHT_MODEL_SEED=n runs that one alone and tells what happens.
void run_seeds(Glob glob) {
  const char* only = std::getenv("SIDELIGHT_MODEL_SEED");
  const int first = only != nullptr ? std::atoi(only) : 0;
  const int end = only != nullptr ? first + 1 : seeds();
  for (int seed = first; seed < end; ++seed) {
    Model model(static_cast<unsigned>(seed), glob);
    model.run();
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed << "\n" << model.history;
      return;
    }
  }
}

TEST(WorkerModel, EveryLineArrivesOnceWhenTheGlobMatchesLiveNamesOnly) {
  run_seeds(Glob::live_only);
}
TEST(WorkerModel, EveryLineArrivesOnceWhenTheGlobMatchesRotatedNamesToo) {
  run_seeds(Glob::rotated_too);
}
TEST(WorkerModel, EveryLineArrivesOnceWhenRotatedFilesAreInAnotherDirectory) {
  run_seeds(Glob::elsewhere);
}

}  // namespace
}  // namespace sidelight::test
