// Puts the key/value pairs of a line where they belong: time, level, message, ECS fields, labels. One set of
// rules for all formats.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"
#include "agent/parse/field_value.h"
#include "agent/parse/key_roles.h"
#include "agent/parse/record.h"
#include "agent/parse/timestamp.h"

namespace sidelight {

// begin(), any number of put()s, finish(). Keys are unescaped UTF-8; keys and values must outlive the record.
// Of equal keys the last one stays, of those that its place can take. A value that its place cannot take (a
// word for a number, an object for a keyword) becomes a label, so that no line can conflict with the mapping.
// One thread.
class RecordBuilder {
 public:
  // More labels than this go, as text, into one called kOverflow.
  static constexpr std::size_t kMostLabels = 128;
  static constexpr std::string_view kOverflow = "_overflow";

  // `record` must be clear.
  void begin(const TimeContext& context, Arena& arena, Record& record);
  // By the rules of key_roles.h. `key` is the dotted path from the top.
  void put(std::string_view key, const FieldValue& value);
  // `known.alone` is for all keys of a line or for none.
  [[gnu::always_inline]] void put(std::string_view key, const KnownKey& known, const FieldValue& value) {
    if (known.shortcut == Shortcut::label) {
      record_->labels.push_back(as_field(key, value));
      record_->labels.back().plain_key = true;
    } else if (known.shortcut == Shortcut::field && value.shape == Shape::string) {
      const EcsOrdinal field = known.role->ecs;
      record_->ecs.push_back({ecs_name(field), value.bytes, ValueKind::json, field});
    } else if (known.shortcut == Shortcut::message && value.shape == Shape::string) {
      set_message(key, value);
    } else if (known.shortcut == Shortcut::time && set_time_in_known_second(key, value)) {
      return;
    } else {
      put_by_rules(key, known, value);
    }
  }
  // For formats that know what they have. False: the value does not fit, and nothing was put.
  bool put_ecs(EcsOrdinal field, std::string_view source_key, const FieldValue& value, bool alone = false);
  bool put_time(std::string_view key, std::uint8_t rank, const FieldValue& value, bool alone = false);
  bool put_level(std::string_view key, std::uint8_t rank, const FieldValue& value, bool alone = false);
  bool put_message(std::string_view key, std::uint8_t rank, const FieldValue& value, bool alone = false);
  void put_label(std::string_view key, const FieldValue& value, KnownKey known = {});
  // Completes the record.
  void finish();

 private:
  // The part of the record that several keys compete for.
  struct Slot {
    bool set = false;
    std::uint8_t rank = 0;
    std::string_view key;
    FieldValue value;
  };
  static Field as_field(std::string_view key, const FieldValue& value) {
    return {key, value.bytes, value.shape == Shape::text ? ValueKind::text : ValueKind::json};
  }
  void set_message(std::string_view key, const FieldValue& value) {
    record_->message_key = key;
    record_->message = value.bytes;
    record_->message_kind = value.shape == Shape::string ? ValueKind::json : ValueKind::text;
  }
  void set_time(std::string_view key, const FieldValue& value, std::int64_t ns) {
    record_->timestamp_ns = ns;
    record_->time_in_line = as_field(key, value);
  }
  bool set_time_in_known_second(std::string_view key, const FieldValue& value) {
    if (value.shape != Shape::string) return false;
    const auto ns = parse_time_in_known_second(value.bytes.substr(1, value.bytes.size() - 2), context_);
    if (ns) set_time(key, value, *ns);
    return ns.has_value();
  }
  void put_by_rules(std::string_view key, const KnownKey& known, const FieldValue& value);
  bool claim(Slot& slot, std::string_view key, std::uint8_t rank, const FieldValue& value);
  bool convert(EcsOrdinal field, const FieldValue& value, Field& out);
  bool convert_number(EcsType type, const FieldValue& value, Field& out);

  std::string_view level_of(std::string_view word);

  struct KnownLevel {
    KeyTag word;
    std::string_view level;
  };
  std::array<KnownLevel, 8> known_levels_{};
  TimeContext context_;
  Arena* arena_ = nullptr;
  Record* record_ = nullptr;
  Slot time_, level_, message_;
  std::vector<Slot> ecs_sources_;  // parallel to record_->ecs, but for keys that are alone
  std::vector<Field> overflow_;
};

}  // namespace sidelight
