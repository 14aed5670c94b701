#include "collectors/postgres/rolled_counter.h"

namespace sidelight {

void RolledCounter::begin() {
  ++pass_;
}

void RolledCounter::add(const std::string& root, std::uint64_t member, double value) {
  Root& r = roots_[root];
  Member& m = members_[member];
  r.total += value >= m.value ? value - m.value : value;
  m.value = value;
  r.pass = m.pass = pass_;
}

void RolledCounter::end() {
  std::erase_if(members_, [&](const auto& entry) { return entry.second.pass != pass_; });
  std::erase_if(roots_, [&](const auto& entry) { return entry.second.pass != pass_; });
}

double RolledCounter::total(const std::string& root) const {
  const auto it = roots_.find(root);
  return it == roots_.end() ? 0 : it->second.total;
}

}  // namespace sidelight
