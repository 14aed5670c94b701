#include "agent/parse/key_value.h"
#include "agent/parse/line_parser.h"
#include "agent/parse/record_builder.h"
#include "agent/parse/stack_trace.h"

namespace sidelight {
namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '@' || c == '/';
}

bool is_name(std::string_view key) {
  for (const char c : key) {
    if (!is_name(c)) return false;
  }
  return !key.empty();
}

class LogfmtLineParser final : public LineParser {
 public:
  explicit LogfmtLineParser(bool strict) : strict_(strict) {}

  bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) override {
    if (text.contains('\n')) [[unlikely]] {
      if (parse_traced(text, context, arena, out)) return true;
      out.clear();
    }
    if (!take_pairs(text, context, arena, out)) return false;
    builder_.finish();
    return true;
  }

 private:
  // A line, and the stack trace that was joined to it.
  bool parse_traced(std::string_view text, const TimeContext& context, Arena& arena, Record& out) {
    const auto trace = find_stack_trace(text);
    if (!trace || trace->trace.size() == text.size() || !take_pairs(trace->head, context, arena, out))
      return false;
    const auto put = [&](std::string_view field, std::string_view value) {
      if (!value.empty()) builder_.put(field, {Shape::text, false, value});
    };
    put("error.message", trace->message);
    put("error.stack_trace", trace->trace);
    put("error.type", trace->type);
    builder_.finish();
    return true;
  }

  bool take_pairs(std::string_view text, const TimeContext& context, Arena& arena, Record& out) {
    builder_.begin(context, arena, out);
    out.message = text;  // for a line without a message of its own
    std::string_view rest = text;
    if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
    Pair pair;
    int pairs = 0;
    while (next_pair(rest, arena, pair)) {
      if (strict_ && (!pair.has_value || !is_name(pair.key))) return false;
      if (pair.has_value) {
        builder_.put(pair.key, {Shape::text, false, pair.value});
        ++pairs;
      } else {
        builder_.put_label(pair.key, {Shape::boolean, false, "true"});  // logfmt: a name alone is a flag
      }
    }
    return rest.empty() && pairs >= (strict_ ? 2 : 1);
  }

  bool strict_;
  RecordBuilder builder_;
};

}  // namespace

std::unique_ptr<LineParser> make_logfmt_line_parser(bool strict) {
  return std::make_unique<LogfmtLineParser>(strict);
}

}  // namespace sidelight
