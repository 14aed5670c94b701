// A field of an event, by the name that a configuration uses.
//
// message, level (log.level), @timestamp and service (service.name) are what they say; a name of the Elastic
// Common Schema is that field; any other name is the label of that name, which `labels.` in front says
// explicitly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/ecs_fields.h"
#include "agent/parse/field_value.h"
#include "agent/parse/record.h"
#include "agent/parse/record_builder.h"
#include "agent/process/event_context.h"

namespace sidelight {

// Immutable; thread-safe.
class EventField {
 public:
  explicit EventField(std::string_view name);

  // As the record has it, in the shape it has; nothing when it is absent. Constants count.
  std::optional<FieldValue> value(const Record& record, const EventContext& context) const;
  // The value as text.
  std::optional<std::string_view> text(const Record& record, const EventContext& context) const;
  // Takes it out of the record; a message becomes empty. @timestamp and constants stay. False when it was not
  // there.
  bool remove(Record& record) const;
  // Hands a value to the builder of a record: where the field cannot take it, it becomes a label.
  void put(RecordBuilder& builder, const FieldValue& value) const;

  enum class Kind : std::uint8_t { message, level, time, ecs, label };
  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }  // of labels without "labels."

 private:
  Kind kind_ = Kind::label;
  EcsOrdinal ordinal_ = 0;
  std::string name_;
};

// A field's value with its shape.
FieldValue value_of(std::string_view bytes, ValueKind kind);

// Puts what `from` brings into `into`: its fields and labels take the place of those of the same name; its
// time, level and message only where it has them (`with_message`).
void merge(const Record& from, bool with_message, Record& into);

}  // namespace sidelight
