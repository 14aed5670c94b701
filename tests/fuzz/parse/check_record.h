// What every record must fulfil, whatever the line was. Shared by the fuzz targets and the property tests.
#pragma once

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
  const auto valid = [](const Field& f) {
    return f.kind == ValueKind::text || nlohmann::json::accept(f.value);
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

}  // namespace sidelight
