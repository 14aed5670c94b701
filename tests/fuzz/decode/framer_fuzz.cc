// Any bytes under any options: framing in one piece and in two gives the same events, and nothing is read
// outside the window. The first two bytes choose the options and where the file is split.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/decode/framer.h"

namespace sidelight {
namespace {

struct Seen {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint8_t lane;
  std::string text;
  bool operator==(const Seen&) const = default;
};

FramePosition frame(const Framer& framer, const std::string& file, const FramePosition& from, std::size_t end,
                    bool cut, std::vector<Seen>& seen) {
  const std::vector<char> window(file.begin() + static_cast<std::ptrdiff_t>(from.low()),
                                 file.begin() + static_cast<std::ptrdiff_t>(end));
  Arena arena;
  std::vector<Event> events;
  FrameStats stats;
  FrameInput in;
  in.bytes = {window.data(), window.size()};
  in.offset = from.low();
  in.from = from;
  in.cut_at_end = cut;
  const FramePosition to = framer.frame(in, arena, events, stats);
  for (const Event& e : events) seen.push_back({e.begin, e.end, e.lane, std::string(e.text)});
  return to;
}

std::vector<Seen> of_lane(const std::vector<Seen>& all, std::uint8_t lane) {
  std::vector<Seen> out;
  for (const Seen& s : all) {
    if (s.lane == lane) out.push_back(s);
  }
  return out;
}

}  // namespace
}  // namespace sidelight

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sidelight;
  if (size < 2) return 0;
  const std::string file(reinterpret_cast<const char*>(data) + 2, size - 2);
  DecodeOptions options;
  options.encoding = static_cast<Encoding>(data[0] % 5);
  options.container = static_cast<ContainerFormat>(data[0] / 5 % 4);
  options.multiline.preset = static_cast<MultilinePreset>(data[0] / 20 % 7);
  options.multiline.start_pattern = "^[A-Z]";
  options.multiline.max_lines = 5;
  options.max_event_bytes = 32;
  const auto framer = make_framer(options);
  if (!framer) return 0;
  std::vector<Seen> whole;
  frame(**framer, file, {}, file.size(), true, whole);
  std::vector<Seen> parts;
  const std::size_t split = file.size() * data[1] / 256;
  const FramePosition at = frame(**framer, file, {}, split, false, parts);
  if (at.low() > split) std::abort();
  frame(**framer, file, at, file.size(), true, parts);
  for (std::uint8_t lane = 0; lane < kLanes; ++lane) {
    if (of_lane(whole, lane) != of_lane(parts, lane)) std::abort();
  }
  return 0;
}
