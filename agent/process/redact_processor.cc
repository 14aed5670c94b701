// Redacts a record: message, fields, labels, their keys, and the line that it was made of.
#include <algorithm>

#include "agent/parse/field_value.h"
#include "agent/process/escaped_text.h"
#include "agent/process/event_field.h"
#include "agent/process/processor.h"
#include "agent/process/redactor.h"
#include "agent/process/wildcard.h"

namespace sidelight {
namespace {

constexpr std::size_t kMostKeyBytes = 64 * 1024;
constexpr std::string_view kHiddenLine = "[redacted]";

class Redact final : public Processor {
 public:
  Redact(const RedactOptions& options, std::unique_ptr<Redactor> redactor, bool line_decides)
      : redactor_(std::move(redactor)), line_decides_(line_decides && redactor_->finds_in_whole()) {
    for (const std::string& name : options.fields) {
      if (holds_wildcard(name)) {
        globs_.push_back(name.starts_with("labels.") ? name.substr(7) : name);
      } else {
        fields_.emplace_back(name);
      }
    }
  }

  Verdict process(Record& record, const EventContext& context, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    const std::string_view line = record.event->text;
    cuts_.clear();
    hidden_.clear();
    hide_line_ = false;
    const bool cut = (!fields_.empty() || !globs_.empty()) && hide_fields(record, context, line);
    std::string_view clean = line;
    const bool found = redactor_->redact_line(line, cuts_, text_);
    if (hide_line_) {
      clean = kHiddenLine;
    } else if (found) {
      clean = context.arena.copy(text_);
    }
    // Most lines hold nothing: then neither do their pieces.
    if (!cut && !found && line_decides_) return Verdict::keep;
    const bool whole_line = record.message_kind == ValueKind::text && record.message.data() == line.data() &&
                            record.message.size() == line.size();
    if (whole_line) {
      record.message = clean;
    } else {
      redact_value(record.message, record.message_kind, context.arena);
    }
    for (Field& f : record.ecs)
      if (redact_value(f.value, f.kind, context.arena)) hidden_.push_back(f.ordinal);
    redact_labels(record, context.arena);
    if (!hidden_.empty()) move_unfit(record);
    if (clean.data() != line.data()) {
      event_ = *record.event;
      event_.text = clean;
      record.event = &event_;
    }
    return Verdict::keep;
  }
  // The line is not what it was: it tells nothing about the texts any more.
  bool keeps_texts() const override { return false; }

 private:
  bool redact_value(std::string_view& value, ValueKind& kind, Arena& arena) {
    if (value.empty()) return false;
    if (kind == ValueKind::text || (value.front() != '{' && value.front() != '[')) {
      const std::string_view text =
          kind == ValueKind::json && value.front() == '"' ? json_characters(value, arena) : value;
      if (!redactor_->redact(text, text_)) return false;
      kind = ValueKind::text;
    } else {
      const ChangeText change = [this](std::string_view s, std::string& out) {
        return redactor_->redact(s, out);
      };
      if (!rewrite_json(value, change, arena, text_)) return false;
    }
    value = arena.copy(text_);
    return true;
  }

  void redact_labels(Record& record, Arena& arena) {
    for (std::size_t i = 0; i < record.labels.size(); ++i) {
      Field& label = record.labels[i];
      redact_value(label.value, label.kind, arena);
      if (!redactor_->redact(label.key, text_)) continue;
      const std::string bare = text_.empty() ? "_" : text_;
      text_ = bare;
      const auto taken = [&](const Field& f) { return f.key == text_; };
      for (std::size_t n = 2; std::any_of(record.labels.begin(), record.labels.end(), taken); ++n)
        text_ = bare + "#" + std::to_string(n);
      label.key = harmless_key(arena.copy(text_), arena);
      label.plain_key = false;
    }
  }

  // A mask is no number, address or time: what the mapping would refuse becomes a label.
  void move_unfit(Record& record) {
    const auto unfit = [&](const Field& f) {
      const auto hidden = std::find(hidden_.begin(), hidden_.end(), f.ordinal);
      if (hidden == hidden_.end() || f.ordinal >= ecs_count()) return false;
      const EcsType type = ecs_type(f.ordinal);
      return type != EcsType::keyword && type != EcsType::text;
    };
    for (const Field& f : record.ecs) {
      const auto same = [&](const Field& l) { return l.key == f.key; };
      if (unfit(f) && std::none_of(record.labels.begin(), record.labels.end(), same))
        record.labels.push_back({f.key, f.value, ValueKind::text});
    }
    std::erase_if(record.ecs, unfit);
  }

  // Replaces whole fields; notes where their values stand in the line.
  bool hide_fields(Record& record, const EventContext& context, std::string_view line) {
    bool any = false;
    const auto hide = [&](std::string_view& value, ValueKind& kind) {
      if (value.empty()) return;
      note_in_line(value, kind, line);
      const std::string text = redactor_->replacement(plain(value, kind, context.arena), "redacted");
      value = context.arena.copy(text);
      kind = ValueKind::text;
      any = true;
    };
    const auto chosen = [&](EventField::Kind kind, std::string_view key) {
      const auto is = [&](const EventField& f) { return f.kind() == kind && f.name() == key; };
      const auto fits = [&](const std::string& g) { return matches_wildcard(g, key); };
      return std::any_of(fields_.begin(), fields_.end(), is) ||
             std::any_of(globs_.begin(), globs_.end(), fits);
    };
    const auto is_message = [](const EventField& f) { return f.kind() == EventField::Kind::message; };
    if (std::any_of(fields_.begin(), fields_.end(), is_message)) hide(record.message, record.message_kind);
    for (Field& f : record.ecs)
      if (chosen(EventField::Kind::ecs, f.key)) {
        hide(f.value, f.kind);
        hidden_.push_back(f.ordinal);
      }
    for (Field& f : record.labels)
      if (chosen(EventField::Kind::label, f.key)) hide(f.value, f.kind);
    std::sort(cuts_.begin(), cuts_.end(),
              [](const PiiMatch& a, const PiiMatch& b) { return a.begin < b.begin; });
    return any;
  }

  static std::string_view plain(std::string_view value, ValueKind kind, Arena& arena) {
    return kind == ValueKind::json && value.front() == '"' ? json_characters(value, arena) : value;
  }

  // A value that the line does not hold as it is, because of escapes, takes the whole line with it.
  void note_in_line(std::string_view value, ValueKind kind, std::string_view line) {
    if (kind == ValueKind::json && value.front() == '"') value = value.substr(1, value.size() - 2);
    if (value.empty()) return;
    bool there = value.data() >= line.data() && value.data() + value.size() <= line.data() + line.size();
    if (there) {
      const auto at = static_cast<std::size_t>(value.data() - line.data());
      cuts_.push_back({at, at + value.size(), PiiKind::custom, 0});
    }
    // Elsewhere too, unless it is so short that it would be everywhere.
    constexpr std::size_t kTelling = 4;
    if (there && value.size() < kTelling) return;
    for (std::size_t at = line.find(value); at != std::string_view::npos;
         at = line.find(value, at + value.size())) {
      cuts_.push_back({at, at + value.size(), PiiKind::custom, 0});
      there = true;
    }
    hide_line_ = hide_line_ || !there;
  }

  std::unique_ptr<Redactor> redactor_;
  bool line_decides_;
  std::vector<EventField> fields_;
  std::vector<std::string> globs_;
  std::string text_;
  std::vector<PiiMatch> cuts_;
  std::vector<EcsOrdinal> hidden_;  // ECS fields that hold a mask now
  bool hide_line_ = false;
  Event event_;  // in place of the one that the record came with
};

std::string without_newline(std::string s) {
  while (!s.empty() && (s.back() == '\n' || s.back() == '\r')) s.pop_back();
  return s;
}

}  // namespace

std::string redaction_problem(const RedactOptions& options) {
  auto made = Redactor::make(options, {});
  return made ? std::string() : made.error().message;
}

Expected<ProcessorPtr> make_redact(const RedactOptions& options, FileSystem& fs, bool line_decides) {
  std::string key = options.key;
  if (!options.key_file.empty()) {
    auto read = fs.read_file(options.key_file, kMostKeyBytes);
    if (!read) return fail("key_file: " + read.error().message, read.error().code);
    key = without_newline(std::move(*read));
  }
  if (options.action == RedactAction::hash && key.empty())
    return fail("action: hash needs a key that is not empty (key_file)");
  auto redactor = Redactor::make(options, std::move(key));
  if (!redactor) return std::unexpected(redactor.error());
  return std::make_unique<Redact>(options, std::move(*redactor), line_decides);
}

}  // namespace sidelight
