// How far a replica is behind, seen from itself. Pure.
#pragma once

#include <optional>

namespace sidelight {

// Log positions in bytes, times in seconds since 1970 by the replica's own clock.
struct ReplicaPosition {
  double now = 0;
  std::optional<double> received = {};     // by the stream; nothing when it never streamed
  std::optional<double> replayed = {};     // nothing before the first record
  std::optional<double> announced = {};    // the end of the primary's log, as it last told
  std::optional<double> last_commit = {};  // when the last replayed transaction was committed on the primary
  bool streaming = false;
};

struct ReplicaLag {
  std::optional<double> seconds;
  std::optional<double> bytes;
};

// Remembers when the replica last had everything: an idle primary commits nothing, and then the age of the
// last commit says nothing about the lag.
class ReplicaLagMeter {
 public:
  // 0 s while the stream is up and all that it brought is replayed. Else the time since the last replayed
  // commit or, if that is later, since the replica was last seen to have everything; it is at most so far
  // behind. Without a stream it grows: nobody knows what the primary did meanwhile.
  ReplicaLag measure(const ReplicaPosition& position);

 private:
  std::optional<double> had_all_;
};

}  // namespace sidelight
