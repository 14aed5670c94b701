// A parsed event as rules see it: values by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/batch/encoder.h"
#include "agent/parse/record.h"

namespace sidelight {

// What a rule reads: the first of `names` that the event has, transformed.
struct FieldRef {
  enum class Transform { none, status_class, lower };
  std::vector<std::string> names;
  Transform transform = Transform::none;
};

// Parses "a,b|class". Nothing for an empty name or an unknown transformation.
std::optional<FieldRef> parse_field_ref(std::string_view text);

// Views into a record and the constants of its file; both outlive it.
class EventView {
 public:
  EventView(const Record& record, const DocConstants& constants) : record_(record), constants_(constants) {}

  // Whether any of the names is there, even with an empty value.
  bool has(const FieldRef& field) const;
  // The value as text, without the transformation; "" when there is none, and for "-", which is how nginx
  // writes that. The view lives until the next call, or as long as the record.
  std::string_view text(const FieldRef& field);

 private:
  std::optional<std::string_view> find(std::string_view name, ValueKind& kind) const;
  std::optional<std::string_view> find_part(std::string_view name, ValueKind& kind) const;

  const Record& record_;
  const DocConstants& constants_;
  std::string unescaped_;
};

std::string apply(FieldRef::Transform transform, std::string_view value);
// A finite number, also where it stands in quotes.
std::optional<double> number_of(std::string_view value);

}  // namespace sidelight
