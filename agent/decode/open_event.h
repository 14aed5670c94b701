// An event that may still grow.
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"
#include "agent/decode/event.h"

namespace sidelight {

struct OpenEvent {
  struct Part {
    std::string_view text;
    bool new_line;  // a newline stands between it and the part before
  };

  bool active = false;
  Event event;
  std::vector<Part> parts;
  std::size_t bytes = 0;  // of the joined text
  std::size_t lines = 0;  // of text, pieces joined
  std::uint64_t physical_lines = 0;
  bool in_pieces = false;  // the last line is not complete
  // How a replay has to start in order to find this event again.
  LaneState state_before = LaneState::clear;
  std::uint8_t context_before = 0;
  bool in_mid_line = false;

  void start(std::uint64_t begin, LaneState state, std::uint8_t context, bool mid_line) {
    active = true;
    event = Event{};
    event.begin = begin;
    parts.clear();
    bytes = 0;
    lines = 0;
    physical_lines = 0;
    in_pieces = false;
    state_before = state;
    context_before = context;
    in_mid_line = mid_line;
  }

  void append(std::string_view text, bool new_line) {
    parts.push_back({text, new_line});
    bytes += text.size() + (new_line ? 1 : 0);
  }

  // The text, without blank lines at its end. A view into `window` where the parts lie in it as they are to
  // be joined, else a copy.
  std::string_view join(std::string_view window, Arena& arena) {
    while (parts.size() > 1 && parts.back().new_line && parts.back().text.empty()) {
      parts.pop_back();
      --bytes;
    }
    if (parts.size() == 1) return parts[0].text;
    if (lie_in(window)) return {parts[0].text.data(), bytes};
    char* const begin = arena.allocate(bytes);
    char* out = begin;
    for (const Part& p : parts) {
      if (p.new_line) *out++ = '\n';
      if (!p.text.empty()) std::memcpy(out, p.text.data(), p.text.size());
      out += p.text.size();
    }
    return {begin, bytes};
  }

 private:
  bool lie_in(std::string_view window) const {
    const char* const last = window.data() + window.size();
    const char* at = parts[0].text.data();
    if (at < window.data() || at >= last) return false;
    for (const Part& p : parts) {
      if (p.new_line) {
        if (at >= last || *at != '\n') return false;
        ++at;
      }
      if (p.text.data() != at) return false;
      at += p.text.size();
    }
    return true;
  }
};

}  // namespace sidelight
