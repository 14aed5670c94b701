#include "agent/process/event_field.h"

#include <algorithm>

#include "agent/base/rfc3339.h"
#include "agent/parse/json_token.h"

namespace sidelight {
namespace {

// Of all that processors add; a line itself brings RecordBuilder::kMostLabels at most.
constexpr std::size_t kMostLabels = 512;

const std::string* find_constant(const std::vector<std::pair<std::string, std::string>>& fields,
                                 std::string_view name) {
  const auto it = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == name; });
  return it == fields.end() ? nullptr : &it->second;
}

void put_field(std::vector<Field>& fields, const Field& field, bool by_ordinal) {
  for (Field& f : fields) {
    if (by_ordinal ? f.ordinal != field.ordinal : f.key != field.key) continue;
    f = field;
    return;
  }
  if (fields.size() < kMostLabels) fields.push_back(field);
}

}  // namespace

FieldValue value_of(std::string_view bytes, ValueKind kind) {
  if (kind == ValueKind::text || bytes.empty()) return {Shape::text, false, bytes};
  switch (bytes.front()) {
    case '"':
      return {Shape::string, bytes.find('\\') != std::string_view::npos, bytes};
    case '{':
    case '[':
      return {Shape::container, false, bytes};
    case 't':
    case 'f':
      return {Shape::boolean, false, bytes};
    case 'n':
      return {Shape::null, false, bytes};
    default:
      return {classify_number(bytes) == NumberShape::integer ? Shape::integer : Shape::real, false, bytes};
  }
}

EventField::EventField(std::string_view name) : name_(name) {
  if (name == "message") {
    kind_ = Kind::message;
  } else if (name == "level" || name == "log.level") {
    kind_ = Kind::level;
  } else if (name == "@timestamp") {
    kind_ = Kind::time;
  } else if (name.starts_with("labels.") && name.size() > 7) {
    name_ = name.substr(7);
  } else if (const auto ordinal = find_ecs(name == "service" ? "service.name" : name)) {
    kind_ = Kind::ecs;
    ordinal_ = *ordinal;
    name_ = ecs_name(*ordinal);
  }
}

std::optional<FieldValue> EventField::value(const Record& record, const EventContext& context) const {
  switch (kind_) {
    case Kind::message:
      return value_of(record.message, record.message_kind);
    case Kind::level:
      if (record.level.empty()) return std::nullopt;
      return value_of(record.level, ValueKind::text);
    case Kind::time: {
      char* const to = context.arena.allocate(kRfc3339Max);
      return value_of({to, write_rfc3339(to, context.time_ns)}, ValueKind::text);
    }
    case Kind::ecs:
      for (const Field& f : record.ecs)
        if (f.ordinal == ordinal_) return value_of(f.value, f.kind);
      if (context.constants == nullptr) return std::nullopt;
      if (name_ == "service.name" && !context.constants->service.empty())
        return value_of(context.constants->service, ValueKind::text);
      if (const auto* constant = find_constant(context.constants->fields, name_))
        return value_of(*constant, ValueKind::text);
      return std::nullopt;
    case Kind::label:
      for (const Field& f : record.labels)
        if (f.key == name_) return value_of(f.value, f.kind);
      if (context.constants == nullptr) return std::nullopt;
      if (const auto* constant = find_constant(context.constants->labels, name_))
        return value_of(*constant, ValueKind::text);
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string_view> EventField::text(const Record& record, const EventContext& context) const {
  const auto v = value(record, context);
  if (!v) return std::nullopt;
  return plain_text(*v, context.arena);
}

bool EventField::remove(Record& record) const {
  switch (kind_) {
    case Kind::message: {
      const bool had = !record.message.empty();
      record.message = {};
      record.message_kind = ValueKind::text;
      return had;
    }
    case Kind::level: {
      const bool had = !record.level.empty();
      record.level = {};
      return had;
    }
    case Kind::time:
      return false;
    case Kind::ecs:
      return std::erase_if(record.ecs, [&](const Field& f) { return f.ordinal == ordinal_; }) > 0;
    case Kind::label:
      return std::erase_if(record.labels, [&](const Field& f) { return f.key == name_; }) > 0;
  }
  return false;
}

void EventField::put(RecordBuilder& builder, const FieldValue& value) const {
  bool taken = false;
  switch (kind_) {
    case Kind::message:
      taken = builder.put_message(name_, 0, value);
      break;
    case Kind::level:
      taken = builder.put_level(name_, 0, value);
      break;
    case Kind::time:
      taken = builder.put_time(name_, 0, value);
      break;
    case Kind::ecs:
      taken = builder.put_ecs(ordinal_, name_, value);
      break;
    case Kind::label:
      break;
  }
  if (!taken) builder.put_label(name_, value);
}

void merge(const Record& from, bool with_message, Record& into) {
  if (from.timestamp_ns) {
    into.timestamp_ns = from.timestamp_ns;
    into.time_in_line = from.time_in_line;
  }
  if (!from.level.empty()) {
    into.level = from.level;
    into.level_in_line = from.level_in_line;
  }
  if (with_message) {
    into.message_key = from.message_key;
    into.message = from.message;
    into.message_kind = from.message_kind;
  }
  for (const Field& f : from.ecs) put_field(into.ecs, f, true);
  for (const Field& f : from.labels) put_field(into.labels, f, false);
}

}  // namespace sidelight
