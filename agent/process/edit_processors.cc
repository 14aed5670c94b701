// The processors that change fields: add, remove, rename, copy, truncate.
#include <algorithm>

#include "agent/base/json_text.h"
#include "agent/process/event_field.h"
#include "agent/process/pii_scanner.h"
#include "agent/process/processor.h"
#include "agent/process/wildcard.h"

namespace sidelight {
namespace {

// Puts single values into records, by the rules that lines are parsed by.
class Putter {
 public:
  void put(const EventField& field, const FieldValue& value, const EventContext& context, Record& record) {
    scratch_.clear();
    builder_.begin({context.zone, context.now_ns}, context.arena, scratch_);
    field.put(builder_, value);
    builder_.finish();
    // What the field could not take has become a label.
    merge(scratch_, field.kind() == EventField::Kind::message && scratch_.labels.empty(), record);
  }

 private:
  RecordBuilder builder_;
  Record scratch_;
};

class Add final : public Processor {
 public:
  explicit Add(const AddOptions& options) : overwrite_(options.overwrite) {
    for (const auto& [name, value] : options.fields) fields_.emplace_back(EventField(name), value);
  }
  Verdict process(Record& record, const EventContext& context, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    for (const auto& [field, value] : fields_) {
      if (!overwrite_ && field.value(record, context)) continue;
      putter_.put(field, {Shape::text, false, value}, context, record);
    }
    return Verdict::keep;
  }
  bool keeps_texts() const override {
    using enum PiiKind;
    const PiiScanner scanner({email, phone, card, iban, bearer, jwt});
    std::vector<PiiMatch> found;
    for (const auto& [field, value] : fields_) scanner.find(value, found);
    return found.empty();
  }

 private:
  std::vector<std::pair<EventField, std::string>> fields_;
  bool overwrite_;
  Putter putter_;
};

class Remove final : public Processor {
 public:
  explicit Remove(const RemoveOptions& options) {
    for (const std::string& name : options.fields) {
      if (holds_wildcard(name)) {
        globs_.push_back(name.starts_with("labels.") ? name.substr(7) : name);
      } else {
        fields_.emplace_back(name);
      }
    }
  }
  Verdict process(Record& record, const EventContext& /*context*/, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    for (const EventField& f : fields_) f.remove(record);
    for (const std::string& glob : globs_) {
      const auto fits = [&](const Field& f) { return matches_wildcard(glob, f.key); };
      std::erase_if(record.ecs, fits);
      std::erase_if(record.labels, fits);
    }
    return Verdict::keep;
  }

 private:
  std::vector<EventField> fields_;
  std::vector<std::string> globs_;
};

class Move final : public Processor {
 public:
  Move(const MoveOptions& options, bool keep) : from_(options.from), to_(options.to), keep_(keep) {}
  Verdict process(Record& record, const EventContext& context, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    const auto value = from_.value(record, context);
    if (!value) return Verdict::keep;
    if (!keep_) from_.remove(record);
    putter_.put(to_, *value, context, record);
    return Verdict::keep;
  }

 private:
  EventField from_;
  EventField to_;
  bool keep_;
  Putter putter_;
};

class Truncate final : public Processor {
 public:
  explicit Truncate(const TruncateOptions& options) : field_(options.field), bytes_(options.bytes) {}
  Verdict process(Record& record, const EventContext& context, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    const auto value = field_.value(record, context);
    if (!value || value->bytes.size() <= bytes_ || value->shape == Shape::container) {
      if (value && value->shape == Shape::container && value->bytes.size() > bytes_)
        cut(value->bytes, record, context);
      return Verdict::keep;
    }
    if (value->is_string()) cut(plain_text(*value, context.arena), record, context);
    return Verdict::keep;
  }
  bool keeps_texts() const override { return false; }

 private:
  // An object or array that is too long goes on as the beginning of its text.
  void cut(std::string_view text, Record& record, const EventContext& context) {
    if (text.size() <= bytes_) return;
    std::size_t n = bytes_;
    // Not inside a character.
    for (int back = 0; back < 3 && n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80; ++back) --n;
    putter_.put(field_, {Shape::text, false, text.substr(0, n)}, context, record);
  }

  EventField field_;
  std::size_t bytes_;
  Putter putter_;
};

}  // namespace

ProcessorPtr make_add(const AddOptions& options) {
  return std::make_unique<Add>(options);
}
ProcessorPtr make_remove(const RemoveOptions& options) {
  return std::make_unique<Remove>(options);
}
ProcessorPtr make_rename(const MoveOptions& options) {
  return std::make_unique<Move>(options, false);
}
ProcessorPtr make_copy(const MoveOptions& options) {
  return std::make_unique<Move>(options, true);
}
ProcessorPtr make_truncate(const TruncateOptions& options) {
  return std::make_unique<Truncate>(options);
}

}  // namespace sidelight
