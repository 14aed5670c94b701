#include <algorithm>
#include <charconv>

#include "agent/base/ecs_fields.h"
#include "agent/parse/level.h"
#include "agent/parse/line_parser.h"
#include "agent/parse/stack_trace.h"

namespace sidelight {
namespace {

// The beginning of a line in which time and level stand.
constexpr std::size_t kLookedAt = 240;
// Words before the time, and before the level behind it, that are looked at.
constexpr int kWordsBeforeTime = 4;
constexpr int kWordsBeforeLevel = 10;
constexpr std::string_view kFail = "fail";  // a level only where it is the first word, before a colon

const EcsOrdinal kProcessPid = find_ecs("process.pid").value_or(0);
const EcsOrdinal kErrorMessage = find_ecs("error.message").value_or(0);
const EcsOrdinal kErrorTrace = find_ecs("error.stack_trace").value_or(0);
const EcsOrdinal kErrorType = find_ecs("error.type").value_or(0);

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_word(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::size_t digits_at(std::string_view s, std::size_t at) {
  std::size_t n = 0;
  while (at + n < s.size() && is_digit(s[at + n])) ++n;
  return n;
}

// One line's beginning, while time, level and process are searched in it.
class TextScan {
 public:
  TextScan(std::string_view head, const TimeContext& context, Record& out)
      : s_(head), context_(context), out_(out) {}

  void run() {
    if (s_.empty() || is_blank(s_[0])) return;  // a continuation line
    priority();
    if (glog() || redis()) return;
    if (!time_near_start()) {
      if (out_.level.empty()) level_at_start();
      return;
    }
    if (out_.level.empty()) out_.level = level_behind(at_);
    process();
  }

 private:
  // "<134>" or "<134>1 " of syslog (RFC 3164, RFC 5424).
  void priority() {
    if (s_[0] != '<') return;
    const std::size_t n = digits_at(s_, 1);
    if (n == 0 || n > 3 || 1 + n >= s_.size() || s_[1 + n] != '>') return;
    unsigned value = 0;
    std::from_chars(s_.data() + 1, s_.data() + 1 + n, value);
    if (value > 191) return;
    out_.level = normalise_level(static_cast<std::int64_t>(value % 8));
    at_ = n + 2;
    if (s_.substr(at_).starts_with("1 ")) at_ += 2;
  }

  // "I1122 20:01:02.123456   1234 file.cc:12] text".
  bool glog() {
    const std::string_view level = normalise_level(s_.substr(0, 1));
    if (level.empty() || !is_upper(s_[0])) return false;
    const auto time = match_glog_time(s_.substr(1), context_);
    if (!time) return false;
    out_.timestamp_ns = time->ns;
    out_.level = level;
    return true;
  }

  // "1234:M 22 Nov 2026 20:01:02.123 * Ready".
  bool redis() {
    const std::size_t n = digits_at(s_, 0);
    if (n == 0 || n > 10 || s_.size() < n + 4 || s_[n] != ':' || !is_upper(s_[n + 1]) || s_[n + 2] != ' ')
      return false;
    const auto time = match_time(s_.substr(n + 3), context_);
    if (!time) return false;
    out_.timestamp_ns = time->ns;
    put_pid(s_.substr(0, n));
    const std::size_t mark = n + 3 + time->length + 1;
    switch (mark < s_.size() ? s_[mark] : '\0') {
      case '.':
        out_.level = "debug";
        break;
      case '-':
        out_.level = "info";
        break;
      case '*':
        out_.level = "notice";
        break;
      case '#':
        out_.level = "warning";
        break;
      default:
        break;
    }
    return true;
  }

  // Finds the time behind at most a few words that are no prose (a level, a host, an identifier), and moves
  // behind it.
  bool time_near_start() {
    for (int words = 0; words <= kWordsBeforeTime && at_ < s_.size(); ++words) {
      while (at_ < s_.size() && (is_blank(s_[at_]) || s_[at_] == '[' || s_[at_] == '(')) ++at_;
      if (time_here()) return true;
      std::size_t end = at_;
      while (end < s_.size() && !is_blank(s_[end])) ++end;
      if (!may_precede_time(s_.substr(at_, end - at_))) return false;
      at_ = end;
    }
    return false;
  }

  bool time_here() {
    const std::string_view rest = s_.substr(at_);
    if (const auto time = match_time(rest, context_)) {
      out_.timestamp_ns = time->ns;
      at_ += time->length;
      return true;
    }
    // Seconds or milliseconds since 1970, only where they are the first thing said.
    const std::size_t n = digits_at(rest, 0);
    if ((n != 10 && n != 13) || (at_ > 2 && out_.level.empty())) return false;
    std::size_t end = n;
    if (n == 10 && end < rest.size() && rest[end] == '.') end += 1 + digits_at(rest, end + 1);
    if (end < rest.size() && !is_blank(rest[end]) && rest[end] != ']') return false;
    const auto ns = epoch_to_ns(rest.substr(0, end));
    if (!ns) return false;
    out_.timestamp_ns = *ns;
    at_ += end;
    return true;
  }

  bool may_precede_time(std::string_view word) {
    std::size_t letters = 0;
    while (letters < word.size() && is_word(word[letters])) ++letters;
    if (out_.level.empty()) out_.level = level_word(word.substr(0, letters), true);
    if (!out_.level.empty()) return true;
    return std::any_of(word.begin(), word.end(), [](char c) { return !is_word(c) || is_digit(c); });
  }

  // `certain`: it stands where levels stand, so lower case will do. `heads`: first, before a colon.
  static std::string_view level_word(std::string_view word, bool certain, bool heads = false) {
    if (word.size() < 3) return {};
    if (heads && word == kFail) return normalise_level(word);
    const std::string_view level = level_in_text(word);
    if (level.empty() || certain ||
        std::all_of(word.begin(), word.end(), [](char c) { return is_upper(c) || is_digit(c); })) {
      return level;
    }
    return {};
  }

  // Walks the words behind the time. A word in lower case is a level only in brackets, before a colon or as
  // the first word.
  std::string_view level_behind(std::size_t at) const {
    std::size_t first = at;
    for (int words = 0; words < kWordsBeforeLevel; ++words) {
      while (at < s_.size() && !is_word(s_[at])) ++at;
      std::size_t end = at;
      while (end < s_.size() && is_word(s_[end])) ++end;
      if (end == at) return {};
      const std::string_view word = s_.substr(at, end - at);
      const char before = at > 0 ? s_[at - 1] : ' ';
      const char after = end < s_.size() ? s_[end] : ' ';
      const bool opened =
          before == '[' || before == '<' || before == '(' || before == '|' || before == '=' || before == ':';
      const bool closed = after == ']' || after == '>' || after == ')' || after == '|' || after == ':';
      // Parts of names and paths ("trace.Error", "error-handler", "/warn") say nothing about the line.
      const bool part = before == '.' || before == '/' || before == '-' || before == '@' || after == '.' ||
                        after == '/' || after == '-' || after == '=' || after == '@';
      // Monolog's "production.ERROR: text".
      if (words == 0) first = at;
      if (before == '.' && after == ':' && s_.substr(first, at - first).find(' ') == std::string_view::npos) {
        const auto level = level_word(word, false);
        if (!level.empty()) return level;
      }
      if (!part) {
        if (after == ':' && postgres_word(word)) return "info";
        const auto level =
            level_word(word, words == 0 || after == ':' || (opened && closed), words == 0 && after == ':');
        if (!level.empty()) return level;
        if (opened && closed && word.size() == 1 && is_upper(word[0])) {
          const auto letter = normalise_level(word);
          if (!letter.empty()) return letter;
        }
      }
      at = end;
    }
    return {};
  }

  static bool postgres_word(std::string_view word) {
    return word == "LOG" || word == "DETAIL" || word == "HINT" || word == "STATEMENT" || word == "CONTEXT" ||
           word == "QUERY";
  }

  // "ERROR: text", "[warn] text", "WARNING:root:text", without any time; "fail: Shop[0]" of .NET's console.
  void level_at_start() {
    std::size_t begin = 0;
    if (s_[0] == '[' || s_[0] == '<') begin = 1;
    std::size_t end = begin;
    while (end < s_.size() && is_word(s_[end])) ++end;
    const char after = end < s_.size() ? s_[end] : ' ';
    if (after != ' ' && after != ':' && after != ']' && after != '>' && after != '\t' && after != '|') return;
    out_.level = level_word(s_.substr(begin, end - begin), begin == 1 || after == ':', after == ':');
  }

  // "host prog[123]:" of syslog, "[123] LOG:" and "[123] user@db LOG:" of PostgreSQL, behind the time.
  void process() {
    const std::size_t open = s_.find('[', at_);
    if (open == std::string_view::npos) return;
    const std::size_t n = digits_at(s_, open + 1);
    const std::size_t close = open + 1 + n;
    if (n == 0 || n > 10 || close + 1 >= s_.size() || s_[close] != ']') return;
    const std::string_view between = s_.substr(at_, open - at_);
    // A zone that says nothing to us may stand between.
    const bool zone = between.size() >= 4 && between.size() <= 8 && between.front() == ' ' &&
                      std::all_of(between.begin() + 1, between.end() - 1, is_upper) && between.back() == ' ';
    const bool postgres =
        (between == " " || zone) && s_[close + 1] == ' ' && postgres_severity_follows(close + 2);
    const bool syslog = s_[close + 1] == ':' && open > at_ && !is_blank(s_[open - 1]) &&
                        std::count(between.begin(), between.end(), ' ') == 2 && between.front() == ' ';
    if (postgres || syslog) put_pid(s_.substr(open + 1, n));
  }

  bool postgres_severity_follows(std::size_t at) const {
    for (int words = 0; words < 4; ++words) {
      std::size_t end = at;
      while (end < s_.size() && is_upper(s_[end])) ++end;
      if (end > at && end < s_.size() && s_[end] == ':') return true;
      at = s_.find(' ', at);
      if (at == std::string_view::npos) return false;
      ++at;
    }
    return false;
  }

  void put_pid(std::string_view digits) {
    if (digits.empty() || (digits[0] == '0' && digits.size() > 1)) return;  // no JSON number
    out_.ecs.push_back({ecs_name(kProcessPid), digits, ValueKind::json, kProcessPid});
  }

  std::string_view s_;
  const TimeContext& context_;
  Record& out_;
  std::size_t at_ = 0;
};

class RawLineParser final : public LineParser {
 public:
  bool parse_line(std::string_view text, const TimeContext& /*context*/, Arena& /*arena*/,
                  Record& out) override {
    out.message = text;
    return true;
  }
};

class TextLineParser final : public LineParser {
 public:
  bool parse_line(std::string_view text, const TimeContext& context, Arena& /*arena*/, Record& out) override {
    out.message = text;
    std::string_view head = text.substr(0, kLookedAt);
    head = head.substr(0, head.find('\n'));
    TextScan(head, context, out).run();
    if (const auto newline = text.find('\n'); newline != std::string_view::npos) [[unlikely]]
      more_lines(text, newline + 1, out);
    return true;
  }

 private:
  static void more_lines(std::string_view text, std::size_t second, Record& out) {
    // java.util.logging: time and place on one line, "SEVERE: text" on the next.
    if (out.level.empty() && out.timestamp_ns) {
      const std::string_view line = text.substr(second, 16);
      const auto colon = line.find(':');
      if (colon != std::string_view::npos) out.level = level_of_line(line.substr(0, colon));
    }
    const auto found = find_stack_trace(text);
    if (!found) return;
    out.message = found->head;
    if (out.level.empty()) {  // the runtime of Go, which may have said something before
      if (found->type == "panic") out.level = normalise_level("panic");
      if (found->type == "fatal error") out.level = normalise_level("fatal");
    }
    const auto put = [&](EcsOrdinal field, std::string_view value) {
      if (!value.empty()) out.ecs.push_back({ecs_name(field), value, ValueKind::text, field});
    };
    put(kErrorMessage, found->message);
    put(kErrorTrace, found->trace);
    put(kErrorType, found->type);
  }

  static std::string_view level_of_line(std::string_view word) {
    return word.size() >= 3 && std::all_of(word.begin(), word.end(), is_upper) ? level_in_text(word)
                                                                               : std::string_view{};
  }
};

}  // namespace

std::unique_ptr<LineParser> make_raw_line_parser() {
  return std::make_unique<RawLineParser>();
}
std::unique_ptr<LineParser> make_text_line_parser() {
  return std::make_unique<TextLineParser>();
}

}  // namespace sidelight
