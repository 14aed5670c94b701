#include "collectors/process/process_table.h"

#include <algorithm>

namespace sidelight {

ProcessTable::Total& ProcessTable::total_of(const std::string& name, MonoTime now) {
  const bool known = totals_.contains(name) || last_seen_.size() < kMaxNames;
  if (!known || name == kOthers) return totals_[kOthers];
  last_seen_[name] = now;
  return totals_[name];
}

void ProcessTable::update(const std::vector<ProcessSample>& processes, MonoTime now) {
  std::erase_if(last_seen_, [&](const auto& seen) {
    if (now - seen.second < kForget) return false;
    totals_.erase(seen.first);
    return true;
  });
  for (auto& [name, total] : totals_) total = {total.cpu_seconds, 0, 0, false};
  std::map<Id, double> cpu;
  for (const ProcessSample& p : processes) {
    Total& total = total_of(p.name, now);
    if (!total.alive) total.open_fds = 0;
    total.alive = true;
    const auto before = cpu_.find({p.id, p.start_ticks});
    total.cpu_seconds += std::max(0.0, p.cpu_seconds - (before == cpu_.end() ? 0 : before->second));
    total.resident_bytes += p.resident_bytes;
    if (!p.open_fds) {
      total.open_fds.reset();
    } else if (total.open_fds) {
      *total.open_fds += *p.open_fds;
    }
    cpu[{p.id, p.start_ticks}] = p.cpu_seconds;
  }
  cpu_ = std::move(cpu);
}

}  // namespace sidelight
