// One way of reading a line. The formats of parser.h are made of these.
#pragma once

#include <memory>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/error.h"
#include "agent/parse/parser.h"
#include "agent/parse/record.h"
#include "agent/parse/timestamp.h"

namespace sidelight {

// Of UTF-8. The first line of a file may have one; it says nothing.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// One thread: implementations hold scratch memory.
class LineParser {
 public:
  virtual ~LineParser() = default;
  // See Parser::announce().
  virtual void announce(std::string_view /*window*/) {}
  // Fills `out` (clear before the call) from `text`, which has 64 readable bytes behind it. False: the line
  // is not of this format, and `out` holds anything.
  virtual bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) = 0;
};

// The whole line is the message.
std::unique_ptr<LineParser> make_raw_line_parser();
// A JSON object.
std::unique_ptr<LineParser> make_json_line_parser();
// key=value pairs. `strict`: only lines that begin with a pair and have another one (for guessing).
std::unique_ptr<LineParser> make_logfmt_line_parser(bool strict);
// nginx's and Apache's access logs. `log_format` as in nginx's configuration; empty: combined with any number
// of key="value" behind it.
Expected<std::unique_ptr<LineParser>> make_nginx_access_line_parser(std::string_view log_format);
// nginx's error log.
std::unique_ptr<LineParser> make_nginx_error_line_parser();
// RE2 with named groups.
Expected<std::unique_ptr<LineParser>> make_regex_line_parser(const std::string& pattern);
// Free text: the message is the whole line, and time, level and process are taken from its beginning where
// they are certain. Always true.
std::unique_ptr<LineParser> make_text_line_parser();
// Whichever of the above fits the line.
std::unique_ptr<LineParser> make_automatic_line_parser();

}  // namespace sidelight
