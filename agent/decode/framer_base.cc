#include "agent/decode/framer_base.h"

#include <algorithm>

namespace sidelight {
namespace {

// Of a character in UTF-8 that the end of `bytes` cuts in two: so many bytes of it are there.
std::size_t begun_character(std::string_view bytes) {
  for (std::size_t n = 1; n <= std::min<std::size_t>(3, bytes.size()); ++n) {
    const auto c = static_cast<unsigned char>(bytes[bytes.size() - n]);
    if ((c & 0xC0) == 0x80) continue;
    const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 1;
    return length > n && c < 0xF5 ? n : 0;
  }
  return 0;
}

}  // namespace

FramePosition FramerBase::frame(const FrameInput& given, Arena& arena, std::vector<Event>& out,
                                FrameStats& stats) const {
  const Output output{arena, out, stats};
  FrameInput in = given;
  if (in.cut_at_end && !in.is_last && options_.encoding == Encoding::utf8) {
    const std::size_t begun = begun_character(in.bytes);
    if (begun > 0 && begun == in.bytes.size()) return in.from;
    in.bytes.remove_suffix(begun);
  }
  if (!in.carry.empty() && in.from.in_carry()) [[unlikely]]
    return frame_carried(in, output);
  const LineWindow window{.bytes = in.bytes,
                          .offset = in.offset,
                          .file_start = 0,
                          .line_limit = line_limit(),
                          .cut_at_end = in.cut_at_end,
                          .cuts = in.cuts,
                          .big_endian = false};
  return frame_marked(window, in.from, output);
}

FramePosition FramerBase::begin_at(std::uint64_t offset, std::string_view file_start) const {
  FramePosition at;
  at.lane.fill(offset);
  at.utf16_swapped = offset > 0 && mark_contradicts(file_start);
  return at;
}

// Whether a byte order mark says the other order than is configured.
bool FramerBase::mark_contradicts(std::string_view file_start) const {
  return is_wide(options_.encoding) &&
         file_start.starts_with(options_.encoding == Encoding::utf16be ? "\xFF\xFE" : "\xFE\xFF");
}

bool FramerBase::ends_line(std::string_view bytes, const FramePosition& at) const {
  if (!is_wide(options_.encoding)) return bytes.ends_with('\n');
  const bool big = (options_.encoding == Encoding::utf16be) != at.utf16_swapped;
  return bytes.ends_with(big ? std::string_view("\0\n", 2) : std::string_view("\n\0", 2));
}

// The carry and the window are laid one behind the other, as if they were one file whose first carry.size()
// bytes came from elsewhere.
FramePosition FramerBase::frame_carried(const FrameInput& in, Output out) const {
  const std::uint64_t shift = in.carry.size();
  char* const joined = out.arena.allocate(in.carry.size() + in.bytes.size());
  std::memcpy(joined, in.carry.data(), in.carry.size());
  if (!in.bytes.empty()) std::memcpy(joined + in.carry.size(), in.bytes.data(), in.bytes.size());
  std::vector<std::uint64_t> cuts(in.cuts.begin(), in.cuts.end());
  for (std::uint64_t& c : cuts) c += shift;
  const LineWindow window{.bytes = {joined, in.carry.size() + in.bytes.size()},
                          .offset = 0,
                          .file_start = shift,
                          .line_limit = line_limit(),
                          .cut_at_end = in.cut_at_end,
                          .cuts = cuts,
                          .big_endian = false};
  const FramePosition from = in.from.from_carry(shift);
  const std::size_t first = out.events.size();
  FramePosition to = frame_marked(window, from, out);
  const auto unshift = [shift](std::uint64_t v) { return v > shift ? v - shift : 0; };
  for (std::size_t i = first; i < out.events.size(); ++i) {
    out.events[i].begin = unshift(out.events[i].begin);
    out.events[i].end = unshift(out.events[i].end);
  }
  for (std::size_t i = 0; i < kLanes; ++i) {
    to.carry_done[i] = to.lane[i] >= shift;
    to.lane[i] = unshift(to.lane[i]);
    if (to.carry_done[i]) continue;
    // Still open: all of it is presented again.
    to.lane_state[i] = from.lane_state[i];
    to.context[i] = from.context[i];
    to.line = from.line;
  }
  return to;
}

FramePosition FramerBase::frame_marked(LineWindow window, FramePosition from, Output out) const {
  const Encoding encoding = obey_mark(window, from);
  return frame_window(window, from, encoding, out);
}

Encoding FramerBase::obey_mark(LineWindow& window, FramePosition& from) const {
  if (!is_wide(options_.encoding)) return options_.encoding;
  if (from.low() <= window.file_start && window.offset <= window.file_start) {
    const std::string_view start =
        window.bytes.substr(static_cast<std::size_t>(window.file_start - window.offset));
    if (mark_contradicts(start)) from.utf16_swapped = true;
  }
  window.big_endian = (options_.encoding == Encoding::utf16be) != from.utf16_swapped;
  return window.big_endian ? Encoding::utf16be : Encoding::utf16le;
}

}  // namespace sidelight
