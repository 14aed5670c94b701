#include "collectors/log_metrics/event_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/base/ecs_fields.h"
#include "agent/base/number.h"
#include "agent/parse/key_roles.h"

namespace sidelight {
namespace {

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

template <class Fields>
const Field* named(const Fields& fields, std::string_view name) {
  const auto it = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.key == name; });
  return it == fields.end() ? nullptr : &*it;
}

std::optional<std::string_view> constant(const std::vector<std::pair<std::string, std::string>>& all,
                                         std::string_view name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.first == name; });
  if (it == all.end()) return std::nullopt;
  return std::string_view(it->second);
}

}  // namespace

std::optional<FieldRef> parse_field_ref(std::string_view text) {
  FieldRef out;
  if (const std::size_t bar = text.find('|'); bar != std::string_view::npos) {
    const std::string_view transform = trimmed(text.substr(bar + 1));
    if (transform != "class" && transform != "lower") return std::nullopt;
    out.transform = transform == "class" ? FieldRef::Transform::status_class : FieldRef::Transform::lower;
    text = text.substr(0, bar);
  }
  for (;;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view name = trimmed(text.substr(0, comma));
    if (name.empty()) return std::nullopt;
    out.names.emplace_back(name);
    if (comma == text.size()) return out;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::string_view> EventView::find(std::string_view name, ValueKind& kind) const {
  kind = ValueKind::text;
  if (name == "level" || name == "log.level") {
    if (record_.level.empty()) return std::nullopt;
    return record_.level;
  }
  if (name == "message") {
    kind = record_.message_kind;
    return record_.message;
  }
  if (name == "service" || name == "service.name") {
    if (!constants_.service.empty()) return std::string_view(constants_.service);
    if (const Field* f = named(record_.ecs, "service.name")) return kind = f->kind, f->value;
    name = "service";
  }
  const std::string_view own = name.starts_with("labels.") ? name.substr(7) : name;
  if (const Field* f = named(record_.labels, own)) return kind = f->kind, f->value;
  if (const Field* f = named(record_.ecs, name)) return kind = f->kind, f->value;
  if (auto part = find_part(name, kind)) return part;
  if (auto c = constant(constants_.labels, own)) return c;
  return constant(constants_.fields, name);
}

// A key of the line that is no label, since the parser knows what it is: `event` is the message of a line
// that has no other, `severity` the level, `logger` the field log.logger.
std::optional<std::string_view> EventView::find_part(std::string_view name, ValueKind& kind) const {
  if (name == record_.message_key && !record_.message.empty())
    return kind = record_.message_kind, record_.message;
  const auto said = [&](const Field& f) { return kind = f.kind, std::optional(f.value); };
  if (name == record_.level_in_line.key && !record_.level.empty()) return said(record_.level_in_line);
  if (name == record_.time_in_line.key && record_.timestamp_ns) return said(record_.time_in_line);
  const KeyRole& role = find_role(name);
  if (role.role != Role::ecs && role.role != Role::ecs_string && role.role != Role::ecs_number)
    return std::nullopt;
  const Field* f = named(record_.ecs, ecs_name(role.ecs));
  return f == nullptr ? std::nullopt : said(*f);
}

bool EventView::has(const FieldRef& field) const {
  ValueKind kind{};
  return std::any_of(field.names.begin(), field.names.end(),
                     [&](const std::string& name) { return find(name, kind).has_value(); });
}

std::string_view EventView::text(const FieldRef& field) {
  for (const std::string& name : field.names) {
    ValueKind kind{};
    auto value = find(name, kind);
    if (!value) continue;
    std::string_view v = *value;
    if (kind == ValueKind::json && v.size() >= 2 && v.front() == '"') {
      v = v.substr(1, v.size() - 2);
      if (v.find('\\') != std::string_view::npos) {
        const auto parsed = nlohmann::json::parse(*value, nullptr, false);
        if (!parsed.is_string()) continue;
        unescaped_ = parsed.get<std::string>();
        v = unescaped_;
      }
    } else if (kind == ValueKind::json && v == "null") {
      continue;
    }
    if (v.empty() || v == "-") continue;
    return v;
  }
  return {};
}

std::string apply(FieldRef::Transform transform, std::string_view value) {
  std::string out(value);
  if (transform == FieldRef::Transform::lower) {
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (transform == FieldRef::Transform::status_class) {
    const bool status = out.size() == 3 && out[0] >= '1' && out[0] <= '5' && out[1] >= '0' && out[1] <= '9' &&
                        out[2] >= '0' && out[2] <= '9';
    out = status ? std::string(1, out[0]) + "xx" : std::string();
  }
  return out;
}

std::optional<double> number_of(std::string_view value) {
  return parse_number(trimmed(value));
}

}  // namespace sidelight
