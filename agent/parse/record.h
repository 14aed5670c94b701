// A parsed event on its way to the encoder: views and a few numbers, no heap objects of its own beyond two
// reused vectors.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/decode/event.h"

namespace sidelight {

enum class ValueKind : std::uint8_t {
  text,  // bytes to be escaped (and repaired to valid UTF-8) as a JSON string
  json,  // a complete, valid JSON value in valid UTF-8, copied as it is
};

struct Field {
  std::string_view key;  // ECS: dotted name ("http.request.method"); labels: the name as the application
                         // wrote it, unescaped text
  std::string_view value;
  ValueKind kind = ValueKind::text;
  static constexpr std::uint16_t kUnknown = 0xFFFF;
  std::uint16_t ordinal =
      kUnknown;  // ECS: the key's place in ecs_fields.h where the parser knows it, so that nobody looks twice
  bool plain_key =
      false;  // labels: the key is known to be harmless, and printable ASCII that needs no escape
};

// Reused from event to event; clear() before each. Views live as long as the event's window and the arena.
struct Record {
  const Event* event = nullptr;
  std::optional<std::int64_t> timestamp_ns;  // UTC; absent: the line has none
  std::string_view
      level;  // normalised: trace debug info notice warning error critical alert emergency, or empty
  std::string_view message;                  // empty: the line has none
  ValueKind message_kind = ValueKind::text;  // json: `message` is a complete JSON string literal
  std::vector<Field>
      ecs;  // unique keys, all of them in ecs_fields.h; @timestamp, message, log.level are not among them
  std::vector<Field> labels;     // unique keys; everything that ECS does not know
  std::string_view parse_error;  // set: the line did not parse as its format and `message` is the whole line
  bool time_unread = false;  // the line has a time, but not in a form that we know; it is among the labels

  // The keys of the line that became the parts above, with what the line says of time and level, for those
  // who ask by its own names. Without a key: the part is missing, or has none. They mean nothing once the
  // part itself is gone.
  Field time_in_line;
  Field level_in_line;
  std::string_view message_key;

  // What about the event is not as it was configured or expected, if anything: it is shipped all the same,
  // marked and counted.
  std::string_view complaint() const {
    if (!parse_error.empty()) return parse_error;
    if (time_unread) return "its time is in no form that is known";
    if (event != nullptr && event->not_wrapped) return "a line is not wrapped as `container` says";
    return {};
  }

  void clear() {
    event = nullptr;
    timestamp_ns.reset();
    level = {};
    message = {};
    message_kind = ValueKind::text;
    ecs.clear();
    labels.clear();
    parse_error = {};
    time_unread = false;
    time_in_line = level_in_line = {};
    message_key = {};
  }
};

}  // namespace sidelight
