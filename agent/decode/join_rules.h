// Which lines belong to the line before them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "agent/base/error.h"
#include "agent/decode/framer.h"

namespace sidelight {

// Immutable, thread-safe.
class JoinRules {
 public:
  virtual ~JoinRules() = default;
  // Whether `line` (not empty) continues the event that the lines before it formed. `context` is what the
  // rules remember of those lines, 0 at first; it is replaced, and means something to the same rules alone.
  virtual bool continues(std::uint8_t& context, std::string_view line) const = 0;
};

// Null for MultilinePreset::none. Fails on a pattern that RE2 does not take.
Expected<std::unique_ptr<JoinRules>> make_join_rules(const MultilineOptions& options);

}  // namespace sidelight
