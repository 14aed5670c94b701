#include "agent/decode/join_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string>

#include "agent/base/exception_line.h"

namespace sidelight {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}
bool is_space(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim_left(std::string_view s) {
  s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
  return s;
}

template <std::size_t N>
bool starts_with_any(std::string_view s, const std::array<std::string_view, N>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view p) { return s.starts_with(p); });
}

// The digits at the start of `s` are taken away; false when there are none.
bool take_digits(std::string_view& s) {
  std::size_t n = 0;
  while (n < s.size() && is_digit(s[n])) ++n;
  s.remove_prefix(n);
  return n > 0;
}

// "java.lang.IllegalStateException: boom": the line that a logger writes between its message and the frames.
bool is_exception_line(std::string_view line) {
  return read_exception_line(line, ErrorNames::certain).has_value();
}

// Whether a line says all it has to say: a JSON object, whose parser would choke on a trace behind it. Its
// ends decide.
bool is_complete(std::string_view line) {
  const std::string_view inside = trim_left(line.substr(line.starts_with('{') ? 1 : line.size()));
  return inside.starts_with('"') && line.ends_with('}');
}

// What the line that is the last one means to a trace that comes next; the presets' contexts begin with
// these.
enum Head : std::uint8_t {
  nothing,   // there was none: a trace is an event of its own
  complete,  // nor does a trace, or what is left of one, belong to this one
  waiting,   // a trace may be this one's
  first_of_preset,
};
std::uint8_t head_for(std::string_view line) {
  return is_complete(line) ? complete : waiting;
}

// Throwable.printStackTrace and the loggers' variations of it; the two lines of java.util.logging.
class JavaRules final : public JoinRules {
  enum Context : std::uint8_t { behind_head = first_of_preset, in_message, in_frames };

 public:
  bool continues(std::uint8_t& context, std::string_view line) const override {
    const std::uint8_t before = context;
    switch (trace_line(line)) {
      case Trace::error:
        context = in_message;
        // One behind the frames of another, which does not call itself its cause, was thrown on its own.
        return before != nothing && before != complete && before != in_frames;
      case Trace::cause:
        context = in_message;
        return before != complete;
      case Trace::frame:
        context = in_frames;
        return before != complete;
      case Trace::none:
        break;
    }
    // The message of an exception may go on: "  Detail: Key (id)=(1) already exists." of PostgreSQL's driver.
    if (before == in_message && (is_space(line[0]) || is_postgres_detail(line))) return true;
    context = is_head(line) ? std::uint8_t{behind_head} : head_for(line);
    return before == behind_head && is_text(line);
  }

 private:
  // "Nov 22, 2026 8:01:02 PM shop.Main main", in any language: a time of day, a class and a method.
  static bool is_head(std::string_view line) {
    if (is_space(line[0]) || line.size() > 512) return false;
    const std::size_t method = line.rfind(' ');
    if (method == std::string_view::npos || method == 0 || method + 1 == line.size()) return false;
    const auto is_method = [](char c) { return is_word(c) || c == '$' || c == '<' || c == '>'; };
    if (!std::all_of(line.begin() + static_cast<std::ptrdiff_t>(method) + 1, line.end(), is_method))
      return false;
    std::string_view when = line.substr(0, method);
    const std::size_t place = when.rfind(' ');
    if (place == std::string_view::npos) return false;
    const std::string_view name = when.substr(place + 1);
    if (name.empty() || class_name_at(name).size() != name.size()) return false;
    when = when.substr(0, place);
    if (when.ends_with("AM") || when.ends_with("PM")) {
      when.remove_suffix(2);
      while (!when.empty() && !is_digit(when.back())) when.remove_suffix(1);
    }
    const std::size_t n = when.size();
    return n > 8 && is_digit(when[n - 1]) && is_digit(when[n - 2]) && when[n - 3] == ':' &&
           is_digit(when[n - 4]) && is_digit(when[n - 5]) && when[n - 6] == ':';
  }
  static bool is_text(std::string_view line) {
    constexpr std::array<std::string_view, 7> kLevels = {
        "SEVERE: ", "WARNING: ", "INFO: ", "CONFIG: ", "FINE: ", "FINER: ", "FINEST: "};
    return starts_with_any(line, kLevels);
  }

  enum class Trace { none, error, cause, frame };

  static Trace trace_line(std::string_view line) {
    constexpr std::array<std::string_view, 3> kCauses = {"Caused by: ", "Suppressed: ", "Wrapped by: "};
    const std::string_view text = trim_left(line);
    if (starts_with_any(text, kCauses)) return Trace::cause;
    if (text.size() == line.size()) return is_exception_line(line) ? Trace::error : Trace::none;
    return is_frame(text) ? Trace::frame : Trace::none;
  }
  static bool is_frame(std::string_view text) {
    if (text.starts_with("at ") || text.starts_with("[CIRCULAR REFERENCE") || text == "(Coroutine boundary)")
      return true;
    if (!text.starts_with("... ")) return false;
    // "... 3 more", "... 27 frames excluded", "... suppressed 3 lines"
    text.remove_prefix(text.starts_with("... suppressed ") ? 15 : 4);
    return take_digits(text) && text.size() > 1 && text[0] == ' ' && is_word(text[1]);
  }
};

// The traceback module: header, indented frames, the exception at the margin, then perhaps a chained
// traceback.
class PythonRules final : public JoinRules {
  enum Context : std::uint8_t {
    in_frames = first_of_preset,
    behind_exception,
    in_group,
    chained,
    in_statement
  };

 public:
  bool continues(std::uint8_t& context, std::string_view line) const override {
    const std::uint8_t before = context;
    const std::string_view text = trim_left(line);
    if (text.starts_with("Traceback (most recent call last):")) {
      context = in_frames;
      return before == waiting || before == chained || (before > waiting && text.size() < line.size());
    }
    if (text.starts_with("+ Exception Group Traceback (most recent call last):")) {
      context = in_group;
      return before == waiting || before == chained;
    }
    if (before > waiting && goes_on(context, line)) return true;
    context = head_for(line);
    return false;
  }

 private:
  static constexpr std::array<std::string_view, 2> kChains = {
      "During handling of the above exception, another exception occurred:",
      "The above exception was the direct cause of the following exception:"};
  // SQLAlchemy's, behind the driver's message.
  static constexpr std::array<std::string_view, 4> kOrm = {"[SQL: ", "[parameters: ", "[generated in ",
                                                           "(Background on this error at: "};

  static bool goes_on(std::uint8_t& context, std::string_view line) {
    if (context == in_statement) {
      if (line.ends_with(']')) context = behind_exception;
      return true;
    }
    if (is_space(line[0])) return true;
    if (context == behind_exception && line.starts_with("[SQL: ") &&
        !line.ends_with(']')) {  // over several lines
      context = in_statement;
      return true;
    }
    if (context == in_frames) {
      context = behind_exception;
      return read_exception_line(line, ErrorNames::any).has_value();
    }
    if (starts_with_any(line, kChains)) {
      context = chained;
      return true;
    }
    return is_postgres_detail(line) || starts_with_any(line, kOrm);
  }
};

// The runtime's panics and fatal errors, and debug.Stack() behind a log line.
class GoRules final : public JoinRules {
  enum Context : std::uint8_t { panicked = first_of_preset, in_stack, announced };

 public:
  bool continues(std::uint8_t& context, std::string_view line) const override {
    const std::uint8_t before = context;
    if (is_goroutine(line)) {
      context = in_stack;
      return before != nothing && before != complete;
    }
    if (line.starts_with("panic: ") || line.starts_with("fatal error: ")) {
      context = panicked;
      return before == panicked || before == announced;
    }
    if (line.starts_with("runtime: ")) {  // "runtime: goroutine stack exceeds 1000000000-byte limit"
      context = announced;
      return before == announced;
    }
    if (before == panicked && line == "runtime stack:") {
      context = in_stack;
      return true;
    }
    const bool more = (before == panicked &&
                       (line[0] == '\t' || line.starts_with("[signal ") || line.starts_with("goroutine "))) ||
                      (before == in_stack && is_stack_line(line));
    if (!more) context = head_for(line);
    return more;
  }

 private:
  static bool is_goroutine(std::string_view line) {
    if (!line.starts_with("goroutine ")) return false;
    std::string_view rest = line.substr(10);
    return take_digits(rest) && rest.starts_with(" ") && rest.ends_with("]:");
  }
  static bool is_register(std::string_view line) {
    const std::string_view name = line.substr(0, line.find(' '));
    return name.size() >= 2 && name.size() <= 6 && trim_left(line.substr(name.size())).starts_with("0x");
  }
  static bool is_stack_line(std::string_view line) {
    if (line[0] == '\t' || line.starts_with("created by ") || line.starts_with("exit status ") ||
        line.starts_with("...additional frames elided"))
      return true;
    const std::size_t paren = line.find('(');
    const std::size_t space = line.find(' ');
    return (paren != std::string_view::npos && paren > 0 && paren < space && line.back() == ')') ||
           is_register(line);
  }
};

// Exception.ToString(), and the indented messages of the console logger.
class DotnetRules final : public JoinRules {
  enum Context : std::uint8_t { in_exception = first_of_preset, in_frames };

 public:
  bool continues(std::uint8_t& context, std::string_view line) const override {
    const std::uint8_t before = context;
    const std::string_view text = trim_left(line);
    const bool indented = text.size() < line.size();
    if (text.starts_with("--- End of ") || (indented && text.starts_with("at "))) {
      context = in_frames;
      return before != complete;
    }
    if (text.starts_with("---> ")) {
      context = in_exception;
      return before != complete;
    }
    if (is_exception_line(text)) {
      context = in_exception;
      // Behind the frames of another, and at the margin, it was thrown on its own.
      return before != nothing && before != complete && (before != in_frames || indented);
    }
    // The exception's message may go on, and "  Exception data:" may follow the frames.
    if (before > waiting && (indented || is_postgres_detail(line))) return true;
    context = head_for(line);
    return before != complete && line.starts_with("      ");
  }
};

// gdb and glibc backtraces, Boost.Stacktrace, sanitizer reports, an uncaught exception's what().
class CppRules final : public JoinRules {
  enum Context : std::uint8_t { behind_ruler = first_of_preset, in_report };

 public:
  bool continues(std::uint8_t& context, std::string_view line) const override {
    if (line.starts_with("====================")) {
      const bool closes = context == in_report;
      context = closes ? std::uint8_t{waiting} : std::uint8_t{behind_ruler};
      return closes;
    }
    if (is_report_head(line)) {
      const bool joined = context == behind_ruler;
      context = in_report;
      return joined;
    }
    if (context == in_report &&
        (is_space(line[0]) || starts_with_any(line, kReportLines) || is_process_mark(line)))
      return true;
    const bool alone = context == complete;
    context = head_for(line);
    return !alone && is_frame(line);
  }

 private:
  static constexpr std::array<std::string_view, 19> kReportLines = {"READ of size",
                                                                    "WRITE of size",
                                                                    "SUMMARY: ",
                                                                    "Shadow byte",
                                                                    "=>0x",
                                                                    "0x",
                                                                    "freed by thread",
                                                                    "previously allocated",
                                                                    "allocated by",
                                                                    "Address 0x",
                                                                    "Thread T",
                                                                    "Direct leak of",
                                                                    "Indirect leak of",
                                                                    "HINT: ",
                                                                    "Hint: ",
                                                                    "Uninitialized value",
                                                                    "AddressSanitizer ",
                                                                    "ThreadSanitizer ",
                                                                    "Memory access at"};

  static bool is_process_mark(std::string_view line) {
    if (!line.starts_with("==")) return false;
    std::string_view rest = line.substr(2);
    return take_digits(rest) && rest.starts_with("==");
  }
  static bool is_report_head(std::string_view line) {
    if (line.starts_with("WARNING: ThreadSanitizer")) return true;
    if (!is_process_mark(line)) return false;
    const std::string_view text = line.substr(line.find("==", 2) + 2);
    return text.starts_with("ERROR: ") || text.starts_with("WARNING: ");
  }
  static bool is_frame(std::string_view line) {
    constexpr std::array<std::string_view, 3> kHeadings = {"Backtrace:", "Stack trace:", "backtrace:"};
    if (starts_with_any(line, kHeadings)) return true;
    std::string_view text = trim_left(line);
    const bool indented = text.size() < line.size();
    if (indented && (text.starts_with("what():") || is_source_place(text))) return true;
    std::string_view number = text;
    if (number.starts_with('#')) {  // #0  0x000055 in main () at main.cc:3
      number.remove_prefix(1);
      return take_digits(number) && !number.empty() && is_space(number[0]);
    }
    if (take_digits(number) && number.starts_with("# ")) return true;  // Boost: " 0# main at main.cc:3"
    return is_symbol(text);
  }
  // gdb's second line of a long frame: "    at main.cc:3", "    from /lib/libc.so.6".
  static bool is_source_place(std::string_view text) {
    if (text.starts_with("from /")) return true;
    if (!text.starts_with("at ")) return false;
    const std::size_t colon = text.rfind(':');
    return colon != std::string_view::npos && colon + 1 < text.size() && is_digit(text[colon + 1]);
  }
  // backtrace_symbols(): "./shop(main+0x1d) [0x55d0c0de]".
  static bool is_symbol(std::string_view text) {
    if (!text.ends_with(']') || text.empty()) return false;
    const std::size_t bracket = text.rfind("[0x");
    if (bracket == std::string_view::npos || bracket == 0) return false;
    const std::string_view where = text.substr(0, bracket);
    const std::size_t space = where.find(' ');
    return where.find('/') != std::string_view::npos &&
           (space == std::string_view::npos || space + 1 == where.size());
  }
};

class PatternRules final : public JoinRules {
 public:
  explicit PatternRules(const std::string& pattern) : start_(pattern, RE2::Quiet) {}
  const RE2& start() const { return start_; }
  bool continues(std::uint8_t& /*context*/, std::string_view line) const override {
    return !RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), start_);
  }

 private:
  RE2 start_;
};

}  // namespace

Expected<std::unique_ptr<JoinRules>> make_join_rules(const MultilineOptions& options) {
  switch (options.preset) {
    case MultilinePreset::none:
      break;
    case MultilinePreset::java:
      return std::make_unique<JavaRules>();
    case MultilinePreset::python:
      return std::make_unique<PythonRules>();
    case MultilinePreset::go:
      return std::make_unique<GoRules>();
    case MultilinePreset::dotnet:
      return std::make_unique<DotnetRules>();
    case MultilinePreset::cpp:
      return std::make_unique<CppRules>();
    case MultilinePreset::custom: {
      if (options.start_pattern.empty()) return fail("multiline: the start pattern is empty");
      auto rules = std::make_unique<PatternRules>(options.start_pattern);
      if (!rules->start().ok())
        return fail("multiline: the start pattern is not valid: " + rules->start().error());
      return rules;
    }
  }
  return nullptr;
}

}  // namespace sidelight
