// Cuts a window into physical lines: terminators, forced cuts, the length limit, holes and byte order marks.
// No state of its own beyond a position, so that what it gives depends on the bytes, the position and the
// cuts alone.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "agent/decode/event.h"

namespace sidelight {

struct PhysicalLine {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // past the terminator; the cut; or begin + line_limit when overlong
  std::string_view raw;   // without terminator ('\n', and '\r' before it) and byte order mark
  bool terminated = false;
  bool overlong = false;  // the rest is skipped by the reader
  bool middle = false;    // begins in mid-line
};

// The part of a file that is looked at, and its rules.
struct LineWindow {
  std::string_view bytes;
  std::uint64_t offset = 0;  // of bytes[0]
  std::uint64_t file_start =
      0;  // where the file begins: a byte order mark may stand there, and UTF-16 units are aligned to it
  std::size_t line_limit = 0;  // a line with no newline in so many bytes is overlong; even
  bool cut_at_end = false;
  std::span<const std::uint64_t> cuts;
  bool big_endian = false;  // Wide only
};

// Wide: UTF-16 units, else bytes. The window must outlive the reader.
template <bool Wide>
class LineReader {
 public:
  enum class Step {
    line,  // `line` was filled
    cut,   // a forced cut lies at position(): close what is open
    end,   // nothing more can be said about these bytes
  };

  LineReader(const LineWindow& window, LineState state)
      : w_(window), pos_(window.offset), end_(window.offset + window.bytes.size()), state_(state) {
    while (cut_ < w_.cuts.size() && w_.cuts[cut_] < pos_) ++cut_;
  }

  std::uint64_t position() const { return pos_; }
  LineState state() const { return state_; }
  std::uint64_t skipped() const { return skipped_; }  // bytes of overlong lines passed over so far

  Step next(PhysicalLine& line) {
    for (;;) {
      std::uint64_t stop = end_;
      bool hard = w_.cut_at_end;
      if (cut_ < w_.cuts.size()) [[unlikely]] {
        if (w_.cuts[cut_] == pos_) return take_cut();
        if (w_.cuts[cut_] <= end_) {
          stop = w_.cuts[cut_];
          hard = true;
        }
      }
      if (pos_ == stop) return Step::end;
      if (state_ != LineState::at_line || is_hole(pos_, stop)) [[unlikely]] {
        const Special s = special(stop, hard);
        if (s == Special::again) continue;
        if (s == Special::wait) return Step::end;
      }
      const char* const from = at(pos_);
      const std::size_t limit = w_.line_limit - (is_odd(pos_) ? 1 : 0);
      const bool limited = stop - pos_ >= limit;
      const std::size_t span = limited ? limit : static_cast<std::size_t>(stop - pos_);
      const char* const newline = find_newline(from, from + span);
      if (newline != nullptr) [[likely]] {
        finish(line, newline, pos_ + static_cast<std::uint64_t>(newline - from) + kUnit, true);
        state_ = LineState::at_line;
        return Step::line;
      }
      if (!limited && !hard) return Step::end;
      finish(line, from + span, pos_ + span, false);
      line.overlong = limited;
      // A lone byte order mark is no beginning of a line.
      state_ = limited                            ? LineState::skipping
               : line.raw.empty() && !line.middle ? LineState::at_line
                                                  : LineState::mid_line;
      return Step::line;
    }
  }

  // Whether a unit begins at an odd distance before `offset`: a piece that begins there starts with half a
  // unit.
  bool is_odd(std::uint64_t offset) const { return Wide && ((offset - w_.file_start) & 1) != 0; }

 private:
  static constexpr std::size_t kUnit = Wide ? 2 : 1;
  enum class Special { proceed, again, wait };

  const char* at(std::uint64_t offset) const { return w_.bytes.data() + (offset - w_.offset); }

  Step take_cut() {
    while (cut_ < w_.cuts.size() && w_.cuts[cut_] == pos_) ++cut_;
    return Step::cut;
  }

  bool is_hole(std::uint64_t offset, std::uint64_t stop) const {
    if constexpr (Wide) {
      return stop - offset >= 2 && at(offset)[0] == 0 && at(offset)[1] == 0;
    } else {
      return offset != stop && *at(offset) == 0;
    }
  }

  // What is rare: the rest of an overlong line, the rest of a cut line, NULs at a line's beginning.
  Special special(std::uint64_t stop, bool hard) {
    if (state_ == LineState::mid_line) return Special::proceed;
    if (state_ == LineState::skipping) {
      const char* const newline = find_newline(at(pos_), at(stop));
      const std::uint64_t to = newline != nullptr
                                   ? pos_ + static_cast<std::uint64_t>(newline - at(pos_)) + kUnit
                                   : last_whole_unit(stop, hard);
      skipped_ += to - pos_;
      if (newline != nullptr) state_ = LineState::at_line;
      if (to == pos_) return Special::wait;
      pos_ = to;
      return Special::again;
    }
    std::uint64_t p = pos_;
    while (stop - p >= kUnit && is_hole(p, stop)) p += kUnit;
    // The end of a file may be preallocated NULs that text will replace: they count as a hole once text
    // follows, at a cut, or when the window can take no more.
    if (stop - p < kUnit && !hard && stop - pos_ < w_.line_limit) return Special::wait;
    if (hard && stop - p == 1 && kUnit == 2 && *at(p) == 0) p = stop;  // half a NUL
    pos_ = p;
    return Special::again;
  }

  // A newline must not be missed because a window ended inside it.
  std::uint64_t last_whole_unit(std::uint64_t stop, bool hard) const {
    return is_odd(stop) && !hard ? stop - 1 : stop;
  }

  const char* find_newline(const char* from, const char* to) const {
    if constexpr (!Wide) {
      return static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(to - from)));
    } else {
      const char* p = from;
      if (is_odd(w_.offset + static_cast<std::uint64_t>(p - w_.bytes.data()))) ++p;
      const char low = w_.big_endian ? '\0' : '\n';
      const char high = w_.big_endian ? '\n' : '\0';
      for (; to - p >= 2; p += 2) {
        if (p[0] == low && p[1] == high) return p;
      }
      return nullptr;
    }
  }

  void finish(PhysicalLine& line, const char* text_end, std::uint64_t end, bool terminated) {
    const char* text = at(pos_);
    line.begin = pos_;
    line.end = end;
    line.terminated = terminated;
    line.overlong = false;
    line.middle = state_ == LineState::mid_line;
    if (pos_ == w_.file_start && !line.middle) [[unlikely]]
      text += mark_size(text, text_end);
    if (terminated) text_end -= carriage_return_size(text, text_end);
    line.raw = {text, static_cast<std::size_t>(text_end - text)};
    pos_ = end;
  }

  std::size_t carriage_return_size(const char* text, const char* text_end) const {
    if constexpr (Wide) {
      if (text_end - text < 2) return 0;
      const char low = w_.big_endian ? text_end[-1] : text_end[-2];
      const char high = w_.big_endian ? text_end[-2] : text_end[-1];
      return low == '\r' && high == 0 ? 2 : 0;
    } else {
      return text_end != text && text_end[-1] == '\r' ? 1 : 0;
    }
  }

  std::size_t mark_size(const char* text, const char* text_end) const {
    const std::string_view s(text, static_cast<std::size_t>(text_end - text));
    if constexpr (Wide) {
      return s.starts_with(w_.big_endian ? "\xFE\xFF" : "\xFF\xFE") ? 2 : 0;
    } else {
      return s.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    }
  }

  const LineWindow& w_;
  std::uint64_t pos_;
  std::uint64_t end_;
  LineState state_;
  std::size_t cut_ = 0;
  std::uint64_t skipped_ = 0;
};

}  // namespace sidelight
