// Things kept for reuse.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace sidelight {

// The last one put is the first one taken, since its memory is the warmest. No cap of its own: there are
// never more than were in use at once, which is what the owner bounds; and those that were not needed for a
// while are given back. Not thread-safe. T is a pointer-like type.
template <class T>
class Spares {
 public:
  // Null when there is none.
  T take() {
    if (things_.empty()) return T();
    T thing = std::move(things_.back());
    things_.pop_back();
    unused_ = std::min(unused_, things_.size());
    return thing;
  }
  void put(T thing) { things_.push_back(std::move(thing)); }
  // Those that nobody took since the last call; to be destroyed by the caller, outside of its lock.
  std::vector<T> take_unused() {
    const auto end = things_.begin() + static_cast<std::ptrdiff_t>(unused_);
    std::vector<T> out(std::make_move_iterator(things_.begin()), std::make_move_iterator(end));
    things_.erase(things_.begin(), end);
    unused_ = things_.size();
    return out;
  }
  std::size_t size() const { return things_.size(); }

 private:
  std::vector<T> things_;
  std::size_t unused_ = 0;  // the fewest there were since the last take_unused()
};

}  // namespace sidelight
