// Takes a field apart: JSON, logfmt, key/value pairs, a regular expression.
#include <algorithm>

#include "agent/parse/line_parser.h"
#include "agent/process/event_field.h"
#include "agent/process/processor.h"

namespace sidelight {
namespace {

// Pairs with separators of the user's choice; values may stand in double quotes.
class PairParser final : public LineParser {
 public:
  PairParser(std::string between, std::string equals)
      : between_(std::move(between)), equals_(std::move(equals)) {}

  bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) override {
    builder_.begin(context, arena, out);
    bool any = false;
    while (!text.empty()) {
      if (text.starts_with(between_)) {
        text.remove_prefix(between_.size());
        continue;
      }
      any = pair(text) || any;
    }
    builder_.finish();
    return any;
  }

 private:
  // Takes the pair that `text` begins with. A piece without a key is passed over.
  bool pair(std::string_view& text) {
    const std::size_t end = std::min(text.find(between_), text.size());
    const std::size_t equals = text.substr(0, end).find(equals_);
    if (equals == std::string_view::npos || equals == 0) {
      text.remove_prefix(end);
      return false;
    }
    const std::string_view key = trimmed(text.substr(0, equals));
    text.remove_prefix(equals + equals_.size());
    while (!text.empty() && is_blank(text.front()) && !text.starts_with(between_)) text.remove_prefix(1);
    std::string_view value = text.substr(0, std::min(text.find(between_), text.size()));
    std::size_t taken = value.size();
    if (text.starts_with('"')) {
      if (const std::size_t quote = text.find('"', 1); quote != std::string_view::npos) {
        value = text.substr(1, quote - 1);
        taken = std::min(text.find(between_, quote + 1), text.size());
      }
    } else {
      value = trimmed(value);
    }
    text.remove_prefix(taken);
    if (key.empty()) return false;
    builder_.put(key, {Shape::text, false, value});
    return true;
  }

  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  static std::string_view trimmed(std::string_view s) {
    while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && is_blank(s.back())) s.remove_suffix(1);
    return s;
  }

  std::string between_;
  std::string equals_;
  RecordBuilder builder_;
};

class ParseField final : public Processor {
 public:
  ParseField(const ParseFieldOptions& options, std::unique_ptr<LineParser> parser)
      : field_(options.field), prefix_(options.prefix), remove_(options.remove), parser_(std::move(parser)) {}

  Verdict process(Record& record, const EventContext& context, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    const auto found = field_.value(record, context);
    if (!found) return Verdict::keep;
    // Of its own, since parsers look a little beyond the end.
    const std::string_view text = context.arena.copy(plain_text(*found, context.arena));
    if (text.empty()) return Verdict::keep;
    parsed_.clear();
    if (!parser_->parse_line(text, {context.zone, context.now_ns}, context.arena, parsed_))
      return Verdict::keep;
    if (remove_) field_.remove(record);
    // Some formats take the whole text for the message where they find none.
    const bool message = !parsed_.message.empty() && parsed_.message.data() != text.data();
    if (prefix_.empty()) {
      merge(parsed_, message, record);
    } else {
      merge_as_labels(message, context.arena, record);
    }
    return Verdict::keep;
  }
  bool keeps_texts() const override { return false; }

 private:
  void merge_as_labels(bool message, Arena& arena, Record& record) {
    labels_.clear();
    const auto add = [&](std::string_view key, std::string_view value, ValueKind kind) {
      char* const name = arena.allocate(prefix_.size() + key.size());
      prefix_.copy(name, prefix_.size());
      key.copy(name + prefix_.size(), key.size());
      labels_.labels.push_back({harmless_key({name, prefix_.size() + key.size()}, arena), value, kind});
    };
    if (message) add("message", parsed_.message, parsed_.message_kind);
    if (!parsed_.level.empty()) add("level", parsed_.level, ValueKind::text);
    for (const Field& f : parsed_.ecs) add(f.key, f.value, f.kind);
    for (const Field& f : parsed_.labels) add(f.key, f.value, f.kind);
    merge(labels_, false, record);
  }

  EventField field_;
  std::string prefix_;
  bool remove_;
  std::unique_ptr<LineParser> parser_;
  Record parsed_;
  Record labels_;
};

Expected<std::unique_ptr<LineParser>> parser_of(const ParseFieldOptions& options) {
  switch (options.format) {
    case FieldFormat::json:
      return make_json_line_parser();
    case FieldFormat::logfmt:
      return make_logfmt_line_parser(false);
    case FieldFormat::key_value:
      return std::make_unique<PairParser>(options.pair_separator, options.value_separator);
    case FieldFormat::regex:
      break;
  }
  return make_regex_line_parser(options.pattern);
}

}  // namespace

Expected<ProcessorPtr> make_parse_field(const ParseFieldOptions& options) {
  auto parser = parser_of(options);
  if (!parser) return std::unexpected(parser.error());
  return std::make_unique<ParseField>(options, std::move(*parser));
}

}  // namespace sidelight
