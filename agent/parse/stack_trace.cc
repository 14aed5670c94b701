#include "agent/parse/stack_trace.h"

#include <algorithm>
#include <cstddef>

#include "agent/base/exception_line.h"

namespace sidelight {
namespace {

std::string_view trim_left(std::string_view s) {
  s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
  return s;
}

bool names_error(std::string_view line, ErrorNames names, StackTrace& out) {
  const auto found = read_exception_line(line, names);
  if (!found) return false;
  out.type = found->type;
  out.message = found->message;
  return true;
}

// The same behind other words: "Exception in thread "main" java.lang.Error: boom".
bool names_error_somewhere(std::string_view line, StackTrace& out) {
  for (std::size_t at = 0; at < line.size();) {
    if (names_error(line.substr(at), ErrorNames::certain, out)) return true;
    at = line.find(' ', at);
    if (at == std::string_view::npos) return false;
    ++at;
  }
  return false;
}

// A line and where it stands in the text.
struct Line {
  std::size_t begin = 0;
  std::string_view text;
};

Line line_at(std::string_view text, std::size_t begin) {
  return {begin, text.substr(begin, text.find('\n', begin) - begin)};
}

bool begins_traceback(std::string_view line) {
  return trim_left(line).starts_with("Traceback (most recent call last):");
}

bool is_frame(std::string_view line) {
  const std::string_view text = trim_left(line);
  // Prose may be indented too.
  const bool call =
      text.size() < line.size() && text.starts_with("at ") && text.find('(') != std::string_view::npos;
  return call || text.starts_with("---> ") || text.starts_with("Caused by: ");
}

// Behind the frames of the last traceback, the first line at the margin says what went wrong; what drivers
// and mappers add ("DETAIL: ...", "[SQL: ...]") comes behind it.
void read_python(std::string_view text, StackTrace& out) {
  std::string_view said;
  bool in_frames = false;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::string_view line = line_at(text, begin).text;
    begin += line.size() + 1;
    if (begins_traceback(line)) {
      in_frames = true;
    } else if (in_frames && !line.empty() && trim_left(line).size() == line.size()) {
      said = line;
      in_frames = false;
    }
  }
  if (names_error(said, ErrorNames::any, out) && out.head.empty()) out.head = said;
}

// The panic before the goroutines, if there is one: where its line begins.
std::optional<std::size_t> read_go(std::string_view before, StackTrace& out) {
  for (std::size_t begin = 0; begin < before.size();) {
    const Line line = line_at(before, begin);
    for (const std::string_view type : {"panic", "fatal error"}) {
      if (!line.text.starts_with(type) || !line.text.substr(type.size()).starts_with(": ")) continue;
      out.type = type;
      out.message = line.text.substr(type.size() + 2);
      return begin;
    }
    begin += line.text.size() + 1;
  }
  return std::nullopt;
}

std::string_view without_line_ends(std::string_view s) {
  while (!s.empty() && (s.back() == '\n' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

}  // namespace

std::optional<StackTrace> find_stack_trace(std::string_view text) {
  StackTrace out;
  const Line first = line_at(text, 0);
  // What goes on from an event that was closed before has no head of its own.
  if (first.text.size() == text.size() || is_frame(first.text)) return std::nullopt;
  // From `begin` on, and what was said before. Without a line of its own before it, its first line is both.
  const auto split = [&](std::size_t begin) {
    out.head = begin > 0 ? without_line_ends(text.substr(0, begin)) : first.text;
    out.trace = text.substr(begin);
    return out;
  };
  Line before;
  for (Line line = first;;) {
    const bool behind_first = line.begin > 0;
    if (begins_traceback(line.text)) {
      out.head = without_line_ends(text.substr(0, line.begin));
      out.trace = text.substr(line.begin);
      read_python(out.trace, out);
      if (out.head.empty()) out.head = first.text;
      return out;
    }
    if (behind_first && line.text.starts_with("goroutine ") && line.text.ends_with("]:"))
      return split(read_go(text.substr(0, line.begin), out).value_or(line.begin));
    if (behind_first && names_error(trim_left(line.text), ErrorNames::certain, out)) return split(line.begin);
    if (behind_first && is_frame(line.text)) {
      // The line before the frames may name the error.
      const bool named = names_error(before.text, ErrorNames::qualified, out) ||
                         (before.begin == 0 && names_error_somewhere(before.text, out));
      return split(named ? before.begin : line.begin);
    }
    before = line;
    const std::size_t next = line.begin + line.text.size() + 1;
    if (next >= text.size()) return std::nullopt;
    line = line_at(text, next);
  }
}

}  // namespace sidelight
