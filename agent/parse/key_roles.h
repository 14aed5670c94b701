// What well-known logging libraries call the parts of a record, so that the same part is found under the same
// ECS name whoever wrote it.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/base/ecs_fields.h"

namespace sidelight {

enum class Role : std::uint8_t {
  other,
  time,
  level,
  message,
  ecs,         // any scalar is the ECS field `ecs`
  ecs_string,  // only a string is; numbers and the like mean something else under this key
  ecs_number,  // only a number is
  labels,      // members of an object under this key are labels
};

struct KeyRole {
  Role role = Role::other;
  std::uint8_t rank = 0;  // of several keys for one part the lowest wins; the others become labels
  bool parent = false;    // an object under this key holds parts of the record: its members are looked up as
                          // "<as>.<member>"
  EcsOrdinal ecs = 0;
  std::string_view as;  // "error" for `err`, mostly the key itself; static
};

// `key` is the dotted path from the top of the line ("msg", "log.level"). Covers ECS names too (Role::ecs).
// The role is static; thread-safe.
const KeyRole& find_role(std::string_view key);

}  // namespace sidelight
