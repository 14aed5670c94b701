#include "agent/pipeline/stream.h"

#include <algorithm>

namespace sidelight {
namespace {

// Lines without a time that are read within one second share their @timestamp: a mark costs one durable
// write.
constexpr std::int64_t kMarkEvery = 1'000'000'000;

}  // namespace

std::int64_t Stream::fallback_time(std::uint64_t offset, std::int64_t now_ns) {
  const bool replay = offset < replay_until;
  const TimeMark* covering = nullptr;
  for (const auto& m : time_marks)
    if (m.offset <= offset) covering = &m;
  if (covering != nullptr) {
    const bool is_last = covering == &time_marks.back();
    if (!is_last || replay || now_ns - covering->time_ns < kMarkEvery) return covering->time_ns;
  }
  now_ns -=
      now_ns % 1'000'000;  // the time of reading, to the millisecond: more digits would promise too much
  time_marks.push_back({offset, now_ns});
  std::sort(time_marks.begin(), time_marks.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
  unsaved = true;
  return now_ns;
}

void Stream::trim() {
  const auto low = committed.position.low();
  std::erase_if(cuts, [&](std::uint64_t c) { return c < low; });
  // The last mark at or before `low` still covers what follows.
  while (time_marks.size() > 1 && time_marks[1].offset <= low) time_marks.erase(time_marks.begin());
  if (!carry.empty() && (committed.position.lane[0] > 0 || committed.position.carry_done)) {
    carry.clear();
    carry.shrink_to_fit();
  }
}

CheckpointState Stream::state() const {
  CheckpointState s;
  s.key = file->key;
  s.path = file->path;
  s.real = file->real;
  s.dev = file->seen.dev;
  s.inode = file->seen.inode;
  s.birth_ns = file->seen.birth_ns;
  s.size = file->seen.size;
  s.head_len = file->head.len;
  s.head_hash = file->head.hash;
  s.lane = committed.position.lane;
  s.frame_state = committed.position.pack_state();
  s.tail_len = committed.tail.len;
  s.tail_hash = committed.tail.hash;
  s.cuts = cuts;
  s.time_marks = time_marks;
  s.carry = carry;
  s.carry_from = carry_from;
  if (committed.memory) s.processors = *committed.memory;
  s.finished = file->place != Place::live && !file->file && file->settled && file->at_end();
  return s;
}

}  // namespace sidelight
