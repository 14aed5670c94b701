// Counters of many members (partitions) as one of their root. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace sidelight {

// A sum over members would fall when a partition is dropped, which looks like a reset: all that the others
// ever counted would be counted again. So increments are added up. A member that counts less than before
// began again at zero.
class RolledCounter {
 public:
  // One pass: begin(), add() for each member there is, end().
  void begin();
  void add(const std::string& root, std::uint64_t member, double value);
  // Forgets members and roots that were not seen in this pass.
  void end();
  double total(const std::string& root) const;
  std::size_t size() const { return members_.size(); }

 private:
  struct Member {
    double value = 0;
    unsigned pass = 0;
  };
  struct Root {
    double total = 0;
    unsigned pass = 0;
  };
  unsigned pass_ = 0;
  std::map<std::uint64_t, Member> members_;
  std::map<std::string, Root> roots_;
};

}  // namespace sidelight
