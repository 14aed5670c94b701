// Framing of whole strings, for tests.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "agent/decode/framer.h"

namespace sidelight::testing {

// An event that owns its text.
struct Framed {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string text;
  std::string time;
  int lane = 0;
  std::string flags;  // c container, w not wrapped, t truncated, u unterminated, > continuation
  bool operator==(const Framed&) const = default;
};

inline void PrintTo(const Framed& e, std::ostream* os) {
  *os << "[" << e.begin << "," << e.end << ") lane " << e.lane << " " << e.flags << " '"
      << e.text.substr(0, 80) << "' (" << e.text.size() << ")";
}

inline Framed own(const Event& e) {
  std::string flags;
  if (e.from_container) flags += 'c';
  if (e.not_wrapped) flags += 'w';
  if (e.truncated) flags += 't';
  if (e.unterminated) flags += 'u';
  if (e.continuation) flags += '>';
  return {e.begin, e.end, std::string(e.text), std::string(e.container_time), e.lane, flags};
}

struct Result {
  std::vector<Framed> events;
  FramePosition position;
  FrameStats stats;
};

// Frames file bytes [from.low(), end) of `file` in one call.
inline Result frame_once(const Framer& framer, std::string_view file, const FramePosition& from,
                         std::uint64_t end, bool cut_at_end, std::span<const std::uint64_t> cuts = {},
                         std::string_view carry = {}) {
  Result r;
  Arena arena;
  std::vector<Event> events;
  // A heap copy of exactly this size: sanitizers see a read past it.
  const std::string_view part = file.substr(from.low(), end - from.low());
  const std::vector<char> window(part.begin(), part.end());
  const FrameInput in{.bytes = {window.data(), window.size()},
                      .offset = from.low(),
                      .from = from,
                      .cut_at_end = cut_at_end,
                      .cuts = cuts,
                      .carry = carry};
  r.position = framer.frame(in, arena, events, r.stats);
  for (const Event& e : events) r.events.push_back(own(e));
  return r;
}

inline Result frame_all(const Framer& framer, std::string_view file, bool cut_at_end = true) {
  return frame_once(framer, file, {}, file.size(), cut_at_end);
}

inline std::vector<std::string> texts(const Result& r) {
  std::vector<std::string> out;
  for (const Framed& e : r.events) out.push_back(e.text);
  return out;
}

inline std::unique_ptr<Framer> framer_for(const DecodeOptions& options) {
  auto framer = make_framer(options);
  return framer ? std::move(*framer) : nullptr;
}

// By lane, then by place: the order that the contract gives.
inline void sort_by_lane(std::vector<Framed>& events) {
  std::stable_sort(events.begin(), events.end(),
                   [](const Framed& a, const Framed& b) { return a.lane < b.lane; });
}

}  // namespace sidelight::testing
