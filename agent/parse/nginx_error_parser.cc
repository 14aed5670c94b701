#include <array>

#include "agent/parse/http_fields.h"
#include "agent/parse/level.h"
#include "agent/parse/line_parser.h"
#include "agent/parse/record_builder.h"

namespace sidelight {
namespace {

std::size_t digits_at(std::string_view s) {
  std::size_t n = 0;
  while (n < s.size() && s[n] >= '0' && s[n] <= '9') ++n;
  return n;
}

FieldValue text_value(std::string_view s) {
  return {Shape::text, false, s};
}

// "2026/11/22 20:01:02 [error] 12#34: *56 text, client: 10.0.0.1, server: shop, request: "GET / HTTP/1.1",
// host: "shop"".
class NginxErrorLineParser final : public LineParser {
 public:
  bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) override {
    if (text.size() < 30 || text[4] != '/') return false;
    const auto time = match_time(text, context);
    if (!time) return false;
    std::string_view rest = text.substr(time->length);
    if (!rest.starts_with(" [")) return false;
    const std::size_t close = rest.find("] ");
    if (close == std::string_view::npos) return false;
    const std::string_view level = normalise_level(rest.substr(2, close - 2));
    if (level.empty()) return false;
    rest.remove_prefix(close + 2);
    builder_.begin(context, arena, out);
    if (!process(rest)) return false;
    out.timestamp_ns = time->ns;
    out.level = level;
    details(rest, arena);
    out.message = rest;
    builder_.finish();
    return true;
  }

 private:
  // "12#34: *56 ": process, thread, connection.
  bool process(std::string_view& rest) {
    const std::size_t pid = digits_at(rest);
    if (pid == 0 || pid == rest.size() || rest[pid] != '#') return false;
    put("process.pid", rest.substr(0, pid));
    rest.remove_prefix(pid + 1);
    const std::size_t tid = digits_at(rest);
    if (tid == 0 || !rest.substr(tid).starts_with(": ")) return false;
    put("process.thread.id", rest.substr(0, tid));
    rest.remove_prefix(tid + 2);
    if (!rest.starts_with('*')) return true;
    const std::size_t connection = digits_at(rest.substr(1));
    if (connection == 0 || !rest.substr(1 + connection).starts_with(' ')) return true;
    builder_.put_label("connection", text_value(rest.substr(1, connection)));
    rest.remove_prefix(connection + 2);
    return true;
  }

  // Takes the fields that nginx appends off the end of `rest`, which keeps the text before them.
  void details(std::string_view& rest, Arena& arena) {
    static constexpr std::array<std::string_view, 7> kNames = {"referrer", "host",   "upstream", "subrequest",
                                                               "request",  "server", "client"};
    for (const std::string_view name : kNames) {
      const std::size_t at = find_detail(rest, name);
      if (at == std::string_view::npos) continue;
      std::string_view value = rest.substr(at + 2 + name.size() + 2);
      rest = rest.substr(0, at);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
      put_detail(name, value, arena);
    }
  }

  // ", name: ", the last one of the line.
  static std::size_t find_detail(std::string_view s, std::string_view name) {
    std::size_t at = s.rfind(name);
    while (at != std::string_view::npos && at >= 2) {
      if (s.substr(at - 2, 2) == ", " && s.substr(at + name.size()).starts_with(": ")) return at - 2;
      at = s.rfind(name, at - 1);
    }
    return std::string_view::npos;
  }

  void put_detail(std::string_view name, std::string_view value, Arena& arena) {
    if (name == "client") {
      put_nginx_variable(builder_, "remote_addr", value, arena);
    } else if (name == "host") {
      put_nginx_variable(builder_, "host", value, arena);
    } else if (name == "referrer") {
      put_nginx_variable(builder_, "http_referer", value, arena);
    } else if (name == "request") {
      put_request_line(builder_, value);
    } else if (!value.empty()) {
      builder_.put_label(name, text_value(value));
    }
  }

  void put(std::string_view ecs, std::string_view value) {
    const auto field = find_ecs(ecs);
    if (!field || !builder_.put_ecs(*field, ecs, text_value(value)))
      builder_.put_label(ecs, text_value(value));
  }

  RecordBuilder builder_;
};

}  // namespace

std::unique_ptr<LineParser> make_nginx_error_line_parser() {
  return std::make_unique<NginxErrorLineParser>();
}

}  // namespace sidelight
