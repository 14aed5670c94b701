// What all framers share: the carry from an earlier generation and the byte order mark.
#pragma once

#include "agent/decode/framer.h"
#include "agent/decode/line_reader.h"

namespace sidelight {

class FramerBase : public Framer {
 public:
  explicit FramerBase(const DecodeOptions& options) : options_(options) {}
  FramePosition frame(const FrameInput& given, Arena& arena, std::vector<Event>& out,
                      FrameStats& stats) const final;
  FramePosition begin_at(std::uint64_t offset, std::string_view file_start) const final;
  bool ends_line(std::string_view bytes, const FramePosition& at) const final;

 protected:
  struct Output {
    Arena& arena;
    std::vector<Event>& events;
    FrameStats& stats;
  };
  // As Framer::frame, without a carry. `encoding` is the one to use: options_.encoding but for the mark.
  virtual FramePosition frame_window(const LineWindow& window, const FramePosition& from, Encoding encoding,
                                     Output out) const = 0;
  // The encoding to use: options_.encoding but for the mark, which the window and the position are told of.
  Encoding obey_mark(LineWindow& window, FramePosition& from) const;
  // See LineWindow.
  virtual std::size_t line_limit() const = 0;

  const DecodeOptions options_;

 private:
  FramePosition frame_carried(const FrameInput& in, Output out) const;
  FramePosition frame_marked(LineWindow window, FramePosition from, Output out) const;
  bool mark_contradicts(std::string_view file_start) const;
};

inline bool is_wide(Encoding e) {
  return e == Encoding::utf16le || e == Encoding::utf16be;
}

}  // namespace sidelight
