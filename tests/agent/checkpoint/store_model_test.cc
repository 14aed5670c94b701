// The store against a map: random puts, forgets, syncs, faults and power cuts. What comes back is always the
// map as it was after some operation, the last synced one or a later.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/agent/checkpoint/stored.h"

namespace sidelight {
namespace {

using Model = std::map<std::string, CheckpointState>;

class Life {
 public:
  explicit Life(unsigned seed) : random_(seed) {
    s_.fs.track_syncs();
    history_.emplace_back();
    s_.reopen();
  }

  void operations(int n) {
    while (n-- > 0 && !testing::Test::HasFailure()) step();
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  void step() {
    switch (below(20)) {
      case 0:
        crash();
        break;
      case 1:
        fault();
        break;
      case 2:
      case 3:
        forget();
        break;
      case 4:
      case 5:
      case 6:
      case 7:
        sync();
        break;
      default:
        put();
    }
  }

  void put() {
    std::vector<CheckpointState> states;
    Model next = history_.back();
    const std::size_t n = 1 + below(3);
    for (std::size_t i = 0; i < n; ++i) {
      auto state = test::state_of(static_cast<int>(below(6)), ++offset_);
      if (below(40) == 0) state.carry = std::string(below(300'000), 'x');
      next[state.key] = state;
      states.push_back(std::move(state));
    }
    seqs_.push_back(s_.store->put(states));
    history_.push_back(std::move(next));
  }

  void forget() {
    Model next = history_.back();
    const std::string key = test::key_of(static_cast<int>(below(6)));
    next.erase(key);
    seqs_.push_back(s_.store->forget(key));
    history_.push_back(std::move(next));
  }

  void sync() {
    if (seqs_.empty()) return;
    const std::size_t which = below(seqs_.size());
    if (s_.store->sync_to(seqs_[which])) synced_ = std::max(synced_, which + 1);
  }

  void fault() {
    static const char* const kOps[] = {"write", "sync", "rename", "open", "truncate", "sync_dir"};
    if (below(3) == 0) {
      s_.fs.set_free_bytes(below(300'000));
    } else {
      s_.fs.fail_next(kOps[below(std::size(kOps))], EIO);
    }
  }

  void crash() {
    s_.close();
    s_.fs.cut_power([this](std::size_t n) { return below(n); });
    s_.fs.clear_faults();
    s_.fs.set_free_bytes(64u << 20);
    s_.reopen();
    ASSERT_TRUE(s_.store) << s_.error;
    const Model loaded = s_.states();
    std::size_t which = synced_;
    while (which < history_.size() && history_[which] != loaded) ++which;
    ASSERT_LT(which, history_.size())
        << "not what was synced, nor anything later; " << s_.log.lines.size() << " messages";
    EXPECT_EQ(s_.probe.damages, 0);
    history_.assign(1, loaded);
    seqs_.clear();
    synced_ = 0;
  }

  std::mt19937 random_;
  test::Stored s_;
  std::vector<Model> history_;  // [i]: after i operations
  std::vector<std::uint64_t> seqs_;
  std::size_t synced_ = 0;
  std::uint64_t offset_ = 0;
};

TEST(StoreModel, PowerCutsLoseNothingThatWasSynced) {
  const char* seeds = std::getenv("SIDELIGHT_MODEL_SEEDS");
  const unsigned n = seeds != nullptr ? static_cast<unsigned>(std::atoi(seeds)) : 20;
  for (unsigned seed = 0; seed < n; ++seed) {
    Life(seed).operations(200);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sidelight
