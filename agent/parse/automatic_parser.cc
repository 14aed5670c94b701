#include <utility>

#include "agent/parse/line_parser.h"

namespace sidelight {
namespace {

// What a line can be is told by its first bytes, so that most lines meet one parser only.
bool begins_like_json(std::string_view s) {
  std::size_t i = 0;
  while (i < s.size() && (s[i] == ' ' || s[i] == '\t')) ++i;
  return i < s.size() && (s[i] == '{' || s.substr(i).starts_with("\xEF\xBB\xBF{"));
}

// "address - user [" within the beginning, and a quoted request behind it.
bool begins_like_access_log(std::string_view s) {
  const std::size_t blank = s.substr(0, 256).find(' ');
  if (blank == std::string_view::npos || !s.substr(blank).starts_with(" - ")) return false;
  const std::size_t time = s.substr(0, 512).find(" [", blank);
  return time != std::string_view::npos && s.find("] \"", time) != std::string_view::npos;
}

bool begins_like_error_log(std::string_view s) {
  return s.size() > 30 && s[4] == '/' && s[7] == '/' && s.substr(19, 2) == " [";
}

bool begins_like_logfmt(std::string_view s) {
  static constexpr std::size_t kLongestFirstKey = 64;
  const std::size_t equals = s.substr(0, kLongestFirstKey).find('=');
  return equals != std::string_view::npos && equals > 0 &&
         s.substr(0, equals).find_first_of(" \t\"") == std::string_view::npos;
}

class AutomaticLineParser final : public LineParser {
 public:
  explicit AutomaticLineParser(std::unique_ptr<LineParser> access) : access_(std::move(access)) {}

  void announce(std::string_view window) override { json_->announce(window); }

  bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) override {
    if (begins_like_json(text) && tried(*json_, text, context, arena, out)) return true;
    if (begins_like_error_log(text) && tried(*error_, text, context, arena, out)) return true;
    if (begins_like_access_log(text) && tried(*access_, text, context, arena, out)) return true;
    if (begins_like_logfmt(text) && tried(*logfmt_, text, context, arena, out)) return true;
    return text_->parse_line(text, context, arena, out);
  }

 private:
  static bool tried(LineParser& parser, std::string_view text, const TimeContext& context, Arena& arena,
                    Record& out) {
    if (parser.parse_line(text, context, arena, out)) return true;
    out.clear();
    return false;
  }

  std::unique_ptr<LineParser> access_;
  std::unique_ptr<LineParser> json_ = make_json_line_parser();
  std::unique_ptr<LineParser> error_ = make_nginx_error_line_parser();
  std::unique_ptr<LineParser> logfmt_ = make_logfmt_line_parser(true);
  std::unique_ptr<LineParser> text_ = make_text_line_parser();
};

}  // namespace

std::unique_ptr<LineParser> make_automatic_line_parser() {
  return std::make_unique<AutomaticLineParser>(std::move(*make_nginx_access_line_parser({})));
}

}  // namespace sidelight
