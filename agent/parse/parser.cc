#include "agent/parse/parser.h"

#include <utility>

#include "agent/parse/line_parser.h"

namespace sidelight {
namespace {

class FormatParser final : public Parser {
 public:
  FormatParser(std::unique_ptr<LineParser> line, TimeZone zone, std::string_view complaint)
      : line_(std::move(line)), zone_(std::move(zone)), complaint_(complaint) {}

  void announce(std::string_view window) override { line_->announce(window); }

  void parse(const Event& event, std::int64_t now_ns, Arena& arena, Record& out) override {
    out.clear();
    const TimeContext context{&zone_, now_ns, &time_memory_};
    if (!line_->parse_line(event.text, context, arena, out)) {
      out.clear();
      out.message = event.text;
      out.parse_error = complaint_;
    }
    out.event = &event;
    out.time_unread = out.time_unread && !out.timestamp_ns;
    if (!out.timestamp_ns && !event.container_time.empty()) {
      out.timestamp_ns = parse_time(event.container_time, context);
    }
  }

 private:
  std::unique_ptr<LineParser> line_;
  TimeZone zone_;
  TimeMemory time_memory_;
  std::string_view complaint_;
};

// The line parser of a format, and what its failure is called.
Expected<std::unique_ptr<LineParser>> make_line_parser(const ParseOptions& options,
                                                       std::string_view& complaint) {
  switch (options.format) {
    case Format::automatic:
      return make_automatic_line_parser();
    case Format::raw:
      return make_raw_line_parser();
    case Format::json:
      complaint = "the line is no JSON object";
      return make_json_line_parser();
    case Format::logfmt:
      complaint = "the line holds no key=value pairs";
      return make_logfmt_line_parser(false);
    case Format::nginx_access:
      complaint = "the line does not match the access log format";
      return make_nginx_access_line_parser(options.nginx_format);
    case Format::nginx_error:
      complaint = "the line does not match nginx's error log format";
      return make_nginx_error_line_parser();
    case Format::regex:
      complaint = "the line does not match the pattern";
      return make_regex_line_parser(options.pattern);
  }
  return fail("unknown format");
}

}  // namespace

Expected<std::unique_ptr<Parser>> make_parser(const ParseOptions& options) {
  auto zone = TimeZone::load(options.timezone);
  if (!zone) return std::unexpected(zone.error());
  std::string_view complaint;
  auto line = make_line_parser(options, complaint);
  if (!line) return std::unexpected(line.error());
  return std::make_unique<FormatParser>(std::move(*line), std::move(*zone), complaint);
}

}  // namespace sidelight
