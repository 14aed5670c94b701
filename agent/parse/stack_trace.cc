#include "agent/parse/stack_trace.h"

#include <algorithm>
#include <cstddef>

namespace sidelight {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         c == '.' || c == '`';
}

std::string_view trim_left(std::string_view s) {
  s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
  return s;
}

// "java.lang.IllegalStateException: boom", "System.IO.IOException", "ValueError: bad" with any name.
bool names_error(std::string_view line, bool any_name, StackTrace& out) {
  std::size_t n = 0;
  while (n < line.size() && is_name(line[n])) ++n;
  const std::string_view name = line.substr(0, n);
  const std::string_view rest = line.substr(n);
  if (name.empty() || is_digit(name[0]) || name[0] == '.' ||
      !(rest.empty() || rest.starts_with(':') || rest.starts_with(" (")))
    return false;
  if (!any_name && (name.find('.') == std::string_view::npos ||
                    !(name.ends_with("Exception") || name.ends_with("Error") || name.ends_with("Throwable"))))
    return false;
  out.type = name;
  out.message = rest.starts_with(':') ? trim_left(rest.substr(1)) : std::string_view{};
  return true;
}

// The same behind other words: "Exception in thread "main" java.lang.Error: boom".
bool names_error_somewhere(std::string_view line, StackTrace& out) {
  for (std::size_t at = 0; at < line.size();) {
    if (names_error(line.substr(at), false, out)) return true;
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

bool is_frame(std::string_view line) {
  const std::string_view text = trim_left(line);
  // Prose may be indented too.
  const bool call =
      text.size() < line.size() && text.starts_with("at ") && text.find('(') != std::string_view::npos;
  return call || text.starts_with("---> ") || text.starts_with("Caused by: ");
}

// The last line at the margin says what went wrong.
void read_python(std::string_view text, StackTrace& out) {
  for (std::size_t end = text.size(); end > 0;) {
    const std::size_t newline = text.rfind('\n', end - 1);
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    const std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && trim_left(line).size() == line.size()) {
      if (names_error(line, true, out) && out.head.empty()) out.head = line;
      return;
    }
    end = newline == std::string_view::npos ? 0 : newline;
  }
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
  for (Line line = first;;) {
    const bool behind_first = line.begin > 0;
    if (trim_left(line.text).starts_with("Traceback (most recent call last):")) {
      out.head = without_line_ends(text.substr(0, line.begin));
      out.trace = text.substr(line.begin);
      read_python(out.trace, out);
      if (out.head.empty()) out.head = first.text;
      return out;
    }
    if (behind_first && line.text.starts_with("goroutine ") && line.text.ends_with("]:")) {
      out.head = without_line_ends(text.substr(0, line.begin));
      out.trace = text.substr(line.begin);
      return out;
    }
    if (behind_first && (is_frame(line.text) || names_error(trim_left(line.text), false, out))) {
      out.head = without_line_ends(text.substr(0, line.begin));
      out.trace = text.substr(line.begin);
      // The line before the frames names the error: it belongs to both.
      if (out.type.empty() && first.text.size() + 1 == line.begin && names_error_somewhere(first.text, out))
        out.trace = text;
      return out;
    }
    const std::size_t next = line.begin + line.text.size() + 1;
    if (next >= text.size()) return std::nullopt;
    line = line_at(text, next);
  }
}

}  // namespace sidelight
