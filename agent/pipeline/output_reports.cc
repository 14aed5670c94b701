#include "agent/pipeline/output_reports.h"

#include <algorithm>

namespace sidelight {

void OutputStates::output_up(std::size_t output, bool up, std::string_view cause) {
  const std::lock_guard lock(mutex_);
  states_[output].known = true;
  states_[output].up = up;
  states_[output].cause = cause;
  const auto down =
      std::find_if(states_.begin(), states_.end(), [](const State& s) { return s.known && !s.up; });
  if (down != states_.end()) {
    probe_.output_up(false, down->cause);
  } else {
    probe_.output_up(true, "");
  }
}

void OutputStates::in_flight(std::size_t output, std::uint64_t requests, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  states_[output].requests = requests;
  states_[output].bytes = bytes;
  std::uint64_t all_requests = 0;
  std::uint64_t all_bytes = 0;
  for (const State& s : states_) {
    all_requests += s.requests;
    all_bytes += s.bytes;
  }
  probe_.in_flight(all_requests, all_bytes);
}

void OutputStates::concurrency_limit(std::size_t output, double requests) {
  const std::lock_guard lock(mutex_);
  states_[output].limit = requests;
  double all = 0;
  for (const State& s : states_) all += s.limit;
  probe_.concurrency_limit(all);
}

}  // namespace sidelight
