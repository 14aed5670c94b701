// A name server that does not answer. In a test program that has unanswered_names.cc in it, getaddrinfo() for
// a name under ".unanswered.invalid" waits; all other names are looked up as ever.
#pragma once

#include <cstddef>

namespace sidelight::test {

// One at a time. Names are answered (there is no such one) when it ends, or after kPatience: what waits for a
// lookup takes that long and then finds waiting() too small, so that a test fails and does not hang.
class UnansweredNames {
 public:
  UnansweredNames();
  ~UnansweredNames();
  UnansweredNames(const UnansweredNames&) = delete;
  UnansweredNames& operator=(const UnansweredNames&) = delete;

  // Lookups that wait now.
  std::size_t waiting() const;
  // Blocks until `n` wait; false when they did not come within kPatience.
  bool wait_for(std::size_t n) const;
  // Answers those that wait, and all to come.
  void answer() const;
};

}  // namespace sidelight::test
