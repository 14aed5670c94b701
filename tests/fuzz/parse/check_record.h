// What every record must fulfil, whatever the line was. Shared by the fuzz targets and the property tests.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "agent/base/ecs_fields.h"
#include "agent/parse/field_value.h"
#include "agent/parse/parser.h"

namespace sidelight {

// Says nothing, or what is wrong with the record.
inline std::string complaint_about(const Record& r, const Event& event) {
  // Documents are lines: what is copied into them as it is must not hold a newline.
  const auto valid = [](const Field& f) {
    return f.kind == ValueKind::text || (nlohmann::json::accept(f.value) && !f.value.contains('\n'));
  };
  std::set<std::string> keys;
  for (const Field& f : r.ecs) {
    const auto field = find_ecs(f.key);
    if (!field) return "not an ECS field: " + std::string(f.key);
    if (!keys.insert(std::string(f.key)).second) return "ECS field twice: " + std::string(f.key);
    if (!valid(f)) return "invalid JSON in " + std::string(f.key);
    if (f.kind != ValueKind::json) continue;
    const auto v = nlohmann::json::parse(f.value);
    const EcsType type = ecs_type(*field);
    const bool fits = type == EcsType::long_int  ? v.is_number_integer()
                      : type == EcsType::real    ? v.is_number()
                      : type == EcsType::boolean ? v.is_boolean()
                                                 : v.is_string();
    if (!fits) return "a value that the mapping refuses in " + std::string(f.key);
  }
  keys.clear();
  for (const Field& f : r.labels) {
    if (!keys.insert(std::string(f.key)).second) return "label twice: " + std::string(f.key);
    if (!is_harmless_key(f.key)) return "harmful label: " + std::string(f.key);
    if (f.plain_key && !is_plain_key(f.key)) return "not a plain key: " + std::string(f.key);
    if (!valid(f)) return "invalid JSON in label " + std::string(f.key);
  }
  if (r.labels.size() > 128) return "too many labels";
  if (r.message_kind == ValueKind::json && (!nlohmann::json::accept(r.message) || r.message.front() != '"')) {
    return "the message is no JSON string";
  }
  if (!r.parse_error.empty() && (r.message != event.text || !r.ecs.empty() || !r.labels.empty())) {
    return "a failed parse left something behind";
  }
  if (r.timestamp_ns && *r.timestamp_ns < 0) return "a time before 1970";
  return {};
}

inline std::unique_ptr<Parser> parser_for_fuzzing(const ParseOptions& options) {
  auto parser = make_parser(options);
  if (!parser) std::abort();
  return std::move(*parser);
}

inline void fuzz_parser(Parser& parser, const std::uint8_t* data, std::size_t size) {
  static constexpr std::int64_t kNow = 1'795'377'662'000'000'000;  // 2026-11-22T20:01:02Z
  Arena arena(1024);
  Event event;
  event.text = arena.copy({reinterpret_cast<const char*>(data), size});
  Record record;
  parser.parse(event, kNow, arena, record);
  const std::string complaint = complaint_about(record, event);
  if (complaint.empty()) return;
  std::fprintf(stderr, "%s\n", complaint.c_str());
  std::abort();
}

// All that a record says.
inline std::string text_of(const Record& r) {
  std::string out = (r.timestamp_ns ? std::to_string(*r.timestamp_ns) : "-") + "|" + std::string(r.level) +
                    "|" + std::string(r.message) + "|" + std::string(r.parse_error);
  const auto add = [&out](const Field& f) {
    out += "|" + std::string(f.key) + (f.kind == ValueKind::json ? "=" : ":") + std::string(f.value);
  };
  out += r.message_kind == ValueKind::json ? "|json" : "|text";
  for (const Field& f : r.ecs) add(f);
  out += "|labels";
  for (const Field& f : r.labels) add(f);
  return out;
}

// Where the lines of a window give other records together than each alone: says which, or nothing. `cut`
// makes of a line the part that is the event's text.
template <class Cut>
std::string complaint_about_window(const ParseOptions& options, std::string_view bytes, Cut cut) {
  static constexpr std::int64_t kNow = 1'795'377'662'000'000'000;  // 2026-11-22T20:01:02Z
  const auto together = parser_for_fuzzing(options);
  Arena arena;
  const std::string_view window = arena.copy(bytes);
  together->announce(window);
  for (std::string_view rest = window; !rest.empty();) {
    const auto newline = std::min(rest.find('\n'), rest.size() - 1);
    Event event;
    event.text = cut(rest.substr(0, rest[newline] == '\n' ? newline : newline + 1));
    rest.remove_prefix(newline + 1);
    Record one;
    together->parse(event, kNow, arena, one);
    const auto alone = parser_for_fuzzing(options);
    Event copy;
    copy.text = arena.copy(event.text);
    Record other;
    alone->parse(copy, kNow, arena, other);
    if (text_of(one) != text_of(other))
      return std::string(event.text) + "\nis " + text_of(one) + "\nand alone " + text_of(other);
  }
  return {};
}

inline void fuzz_window(const ParseOptions& options, const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const bool wrapped = data[0] % 2 == 1;  // as a container runtime does
  const auto cut = [&](std::string_view line) {
    const auto blank = wrapped ? line.find(' ') : std::string_view::npos;
    return blank == std::string_view::npos ? line : line.substr(blank + 1);
  };
  const std::string complaint =
      complaint_about_window(options, {reinterpret_cast<const char*>(data), size}, cut);
  if (complaint.empty()) return;
  std::fprintf(stderr, "%s\n", complaint.c_str());
  std::abort();
}

}  // namespace sidelight
