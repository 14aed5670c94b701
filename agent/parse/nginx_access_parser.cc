#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "agent/parse/http_fields.h"
#include "agent/parse/key_value.h"
#include "agent/parse/line_parser.h"
#include "agent/parse/record_builder.h"

namespace sidelight {
namespace {

// ngx_http_log_module's predefined format up to where Apache's `common` ends, and its continuation.
constexpr std::string_view kCommon =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
constexpr std::string_view kCombinedRest = " \"$http_referer\" \"$http_user_agent\"";

bool is_variable_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A log_format compiled to variables with the text behind each.
class LogFormat {
 public:
  struct Part {
    std::string variable;
    std::string literal;  // what follows the variable
    bool is_list = false;
  };

  static Expected<LogFormat> compile(std::string_view format) {
    LogFormat out;
    std::string* literal = &out.head_;
    for (std::size_t i = 0; i < format.size();) {
      if (format[i] != '$') {
        *literal += format[i++];
        continue;
      }
      const bool braced = i + 1 < format.size() && format[i + 1] == '{';
      std::size_t begin = i + (braced ? 2 : 1);
      std::size_t end = begin;
      while (end < format.size() && is_variable_char(format[end])) ++end;
      if (end == begin || (braced && (end == format.size() || format[end] != '}'))) {
        return fail("nginx log_format: a '$' without a variable name at character " + std::to_string(i + 1));
      }
      if (!out.parts_.empty() && literal->empty()) {
        return fail("nginx log_format: $" + out.parts_.back().variable +
                    " and the variable behind it have nothing between them");
      }
      const std::string_view name = format.substr(begin, end - begin);
      out.parts_.push_back({std::string(name), {}, name.starts_with("upstream_")});
      literal = &out.parts_.back().literal;
      i = end + (braced ? 1 : 0);
    }
    if (out.parts_.empty()) return fail("nginx log_format: it names no variable");
    return out;
  }

  // Consumes from `text` what matches, giving each variable to `put`.
  template <class Put>
  bool match(std::string_view& text, Put put) const {
    std::string_view rest = text;
    if (!rest.starts_with(head_)) return false;
    rest.remove_prefix(head_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      const std::size_t n = part.literal.empty() ? last_length(rest, part.is_list)
                                                 : find_literal(rest, part.literal, part.is_list);
      if (n == std::string_view::npos) return false;
      put(std::string_view(part.variable), rest.substr(0, n));
      rest.remove_prefix(n + part.literal.size());
    }
    text = rest;
    return true;
  }

 private:
  // nginx says of each upstream that a request went to what $upstream_* hold, with ", " between them, and " :
  // " behind a redirect. Whether what stands at `at` is of that.
  static bool separates(std::string_view rest, std::size_t at) {
    if (rest[at] == ',') return rest.substr(at).starts_with(", ");
    return rest[at] == ' ' && ((at > 0 && rest[at - 1] == ',') || rest.substr(at).starts_with(" : ") ||
                               (at > 1 && rest[at - 1] == ':' && rest[at - 2] == ' '));
  }
  // A quote inside a value comes as \x22 from nginx and as \" from Apache.
  static std::size_t find_literal(std::string_view rest, std::string_view literal, bool is_list) {
    // The separators themselves may be meant to stand behind a variable.
    is_list = is_list && !literal.starts_with(", ") && !literal.starts_with(" : ");
    for (std::size_t at = rest.find(literal); at != std::string_view::npos; at = rest.find(literal, at + 1)) {
      if (is_list && separates(rest, at)) continue;
      std::size_t backslashes = 0;
      while (backslashes < at && rest[at - 1 - backslashes] == '\\') ++backslashes;
      if (literal.front() != '"' || backslashes % 2 == 0) return at;
    }
    return std::string_view::npos;
  }
  static std::size_t last_length(std::string_view rest, bool is_list) {
    std::size_t blank = rest.find(' ');
    while (is_list && blank != std::string_view::npos && separates(rest, blank))
      blank = rest.find(' ', blank + 1);
    return blank == std::string_view::npos ? rest.size() : blank;
  }

  std::string head_;
  std::vector<Part> parts_;
};

class NginxAccessLineParser final : public LineParser {
 public:
  // `rest` continues `first` where the line goes on; without it (a format of the user's) the line must end.
  NginxAccessLineParser(LogFormat first, LogFormat rest)
      : first_(std::move(first)), rest_(std::move(rest)), predefined_(true) {}
  explicit NginxAccessLineParser(LogFormat whole) : first_(std::move(whole)) {}

  bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) override {
    builder_.begin(context, arena, out);
    out.message = text;
    std::string_view rest = text;
    std::string_view status;
    const auto put = [&](std::string_view name, std::string_view value) {
      if (name == "status") status = value;
      // The record may outlive this parser.
      put_nginx_variable(builder_, arena.copy(name), value, arena);
    };
    if (!first_.match(rest, put)) return false;
    if (predefined_) {
      if (!plausible_status(status) || !out.timestamp_ns) return false;
      if (rest.starts_with(" \"") && !rest_.match(rest, put)) return false;
      extended(rest, arena);
    } else if (!rest.empty()) {
      return false;
    }
    builder_.finish();
    return true;
  }

 private:
  static bool plausible_status(std::string_view s) {
    return s == "-" || (s.size() == 3 && s[0] >= '0' && s[0] <= '9' && s[1] >= '0' && s[1] <= '9' &&
                        s[2] >= '0' && s[2] <= '9');
  }

  // key="value" and key=value; the first quoted text alone is nginx's usual $http_x_forwarded_for, the first
  // number with a fraction alone a $request_time. Whatever else there is stays in the message. A value
  // without quotes goes on behind the separators of upstreams: see LogFormat::separates().
  void extended(std::string_view rest, Arena& arena) {
    bool forwarded = false;
    bool timed = false;
    Pair pair;
    while (next_pair(rest, arena, pair)) {
      while (pair.has_value && !pair.quoted) {
        const std::size_t separator = rest.starts_with(" : ")                              ? 3
                                      : pair.value.ends_with(',') && rest.starts_with(' ') ? 1
                                                                                           : 0;
        if (separator == 0) break;
        const std::size_t end = std::min(rest.find(' ', separator), rest.size());
        pair.value = {pair.value.data(), pair.value.size() + end};
        rest.remove_prefix(end);
      }
      if (!pair.key.empty() && pair.has_value) {
        put_nginx_variable(builder_, pair.key, pair.value, arena);
      } else if (pair.quoted && !forwarded) {
        forwarded = true;
        put_nginx_variable(builder_, "http_x_forwarded_for", pair.value, arena);
      } else if (!pair.has_value && !timed && pair.key.find('.') != std::string_view::npos &&
                 pair.key.find_first_not_of("0123456789.") == std::string_view::npos) {
        timed = true;
        put_nginx_variable(builder_, "request_time", pair.key, arena);
      }
    }
  }

  LogFormat first_;
  LogFormat rest_;
  bool predefined_ = false;
  RecordBuilder builder_;
};

}  // namespace

Expected<std::unique_ptr<LineParser>> make_nginx_access_line_parser(std::string_view log_format) {
  const bool predefined = log_format.empty() || log_format == "combined";
  auto first = LogFormat::compile(predefined ? kCommon : log_format);
  if (!first) return std::unexpected(first.error());
  if (!predefined) return std::make_unique<NginxAccessLineParser>(std::move(*first));
  auto rest = LogFormat::compile(kCombinedRest);
  if (!rest) return std::unexpected(rest.error());
  return std::make_unique<NginxAccessLineParser>(std::move(*first), std::move(*rest));
}

}  // namespace sidelight
