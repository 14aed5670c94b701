// The fields of the Elastic Common Schema (ECS 8.11) that documents may carry at the top level, with the
// types that the index template gives them. Everything else an application writes goes under `labels`, so
// that no service can conflict with the mapping of another. Field names and types: the ECS field reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sidelight {

enum class EcsType : std::uint8_t {
  keyword,   // a JSON string
  text,      // a JSON string, analysed
  long_int,  // an integer within int64
  real,      // a finite double
  date,      // a string in RFC 3339
  ip,        // a string holding an IPv4 or IPv6 address
  boolean,   // true or false
};

// Index into the table, which is sorted by dotted name (bytewise). No name is the parent of another, and
// names with a common parent are neighbours, so fields written in ordinal order nest without going back.
using EcsOrdinal = std::uint16_t;

// All of these are pure and thread-safe.
// @timestamp, message, log.level, log.file.path, log.offset, event.id and labels are not in the table: the
// program sets them itself.
std::optional<EcsOrdinal> find_ecs(std::string_view dotted_name);
// Whether some name of the table begins with `dotted_prefix` and a dot, so that an object may be searched for
// fields.
bool is_ecs_parent(std::string_view dotted_prefix);
// `ordinal` < ecs_count(). The view is static.
std::string_view ecs_name(EcsOrdinal ordinal);
EcsType ecs_type(EcsOrdinal ordinal);
std::size_t ecs_count();

}  // namespace sidelight
