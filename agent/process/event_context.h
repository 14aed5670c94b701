// What is known of an event beside its record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/arena.h"
#include "agent/parse/record.h"
#include "agent/parse/time_zone.h"

namespace sidelight {

// Fields that every event of an input has unless its line brings them itself. Outlives what refers to it.
struct ConstantFields {
  std::string service;
  std::vector<std::pair<std::string, std::string>> fields;  // ECS names
  std::vector<std::pair<std::string, std::string>> labels;
};

struct EventContext {
  Arena& arena;                    // of the batch: what a record refers to must last as long
  std::int64_t time_ns = 0;        // the record's own, or what stands for it; the same in a replay
  std::int64_t now_ns = 0;         // completes times without a year
  const TimeZone* zone = nullptr;  // of times without one; never null
  std::string_view key;            // of the file's generation
  const ConstantFields* constants = nullptr;
};

}  // namespace sidelight
