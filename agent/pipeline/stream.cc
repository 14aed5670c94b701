#include "agent/pipeline/stream.h"

#include <algorithm>
#include <iterator>

namespace sidelight {
namespace {

// Lines without a time that are read within one second share their @timestamp: a mark costs one durable
// write.
constexpr std::int64_t kMarkEvery = 1'000'000'000;

// While a document waits for days, marks behind it come to be many, and each checkpoint holds them.
constexpr std::size_t kMostMarks = 128;
constexpr std::size_t kExactMarks = 32;  // the newest
constexpr std::int64_t kHour = 3600 * kMarkEvery;

constexpr std::size_t kMostGrowth = 64;

// Drops every other mark. Documents of a replay get a time a little earlier than before; those that are
// delivered are known by their id, and a dated index stays the same, since the hour does.
void thin(std::vector<TimeMark>& marks) {
  std::size_t kept = 1;
  bool dropped = false;  // the one before
  for (std::size_t i = 1; i < marks.size(); ++i) {
    const bool exact = i + kExactMarks >= marks.size();
    dropped = !exact && !dropped && marks[i].time_ns / kHour == marks[kept - 1].time_ns / kHour;
    if (!dropped) marks[kept++] = marks[i];
  }
  marks.resize(kept);
}

}  // namespace

std::int64_t Stream::fallback_time(std::uint64_t offset, std::int64_t now_ns) {
  const bool replay = offset < replay_until;
  const auto behind = std::upper_bound(time_marks.begin(), time_marks.end(), offset,
                                       [](std::uint64_t o, const TimeMark& m) { return o < m.offset; });
  if (behind != time_marks.begin()) {
    const auto covering = std::prev(behind);
    const bool is_last = behind == time_marks.end();
    if (!is_last || replay || now_ns - covering->time_ns < kMarkEvery) return covering->time_ns;
  }
  now_ns -=
      now_ns % 1'000'000;  // the time of reading, to the millisecond: more digits would promise too much
  time_marks.insert(behind, {offset, now_ns});
  if (time_marks.size() > kMostMarks) thin(time_marks);
  unsaved = true;
  return now_ns;
}

void Stream::note_size(std::uint64_t size, MonoTime now) {
  while (growth.size() > 1 && growth[growth.size() - 2].size >= size) growth.pop_back();
  if (!growth.empty() && growth.back().size >= size) {
    growth.back().size = size;
    return;
  }
  if (size <= committed.position.low()) return;
  growth.push_back({size, now});
  if (growth.size() <= kMostGrowth) return;
  // Of the two that are nearest in time the older time goes on: an age may come out too high by what lies
  // between them.
  std::size_t nearest = 1;
  for (std::size_t i = 2; i < growth.size(); ++i)
    if (growth[i].since - growth[i - 1].since < growth[nearest].since - growth[nearest - 1].since)
      nearest = i;
  growth[nearest].since = growth[nearest - 1].since;
  growth.erase(growth.begin() + static_cast<std::ptrdiff_t>(nearest) - 1);
}

MonoTime Stream::behind_since(MonoTime now) const {
  MonoTime since = std::min(oldest_unsettled, now);
  const auto low = committed.position.low();
  const auto first =
      std::find_if(growth.begin(), growth.end(), [&](const Growth& g) { return g.size > low; });
  if (first != growth.end()) since = std::min(since, first->since);
  return since;
}

void Stream::trim() {
  const auto low = committed.position.low();
  std::erase_if(growth, [&](const Growth& g) { return g.size <= low; });
  std::erase_if(cuts, [&](std::uint64_t c) { return c < low; });
  // The last mark at or before `low` still covers what follows.
  while (time_marks.size() > 1 && time_marks[1].offset <= low) time_marks.erase(time_marks.begin());
  if (!carry.empty() && !committed.position.in_carry()) {
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
