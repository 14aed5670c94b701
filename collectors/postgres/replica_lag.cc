#include "collectors/postgres/replica_lag.h"

#include <algorithm>

namespace sidelight {

ReplicaLag ReplicaLagMeter::measure(const ReplicaPosition& p) {
  ReplicaLag out;
  // After a restart of the receiver the stream begins at a segment's start, before what is replayed.
  std::optional<double> end = p.received;
  if (p.announced) end = std::max(end.value_or(0), *p.announced);
  if (end && p.replayed) out.bytes = std::max(0.0, *end - *p.replayed);
  if (p.streaming && out.bytes && *out.bytes == 0) {
    had_all_ = p.now;
    out.seconds = 0;
    return out;
  }
  std::optional<double> since = p.last_commit;
  if (had_all_) since = std::max(since.value_or(0), *had_all_);
  if (since) out.seconds = std::max(0.0, p.now - *since);
  return out;
}

}  // namespace sidelight
