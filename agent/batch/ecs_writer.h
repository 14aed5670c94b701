// Writes a record's ECS fields as nested objects, from names that were laid out once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/base/ecs_fields.h"
#include "agent/parse/record.h"

namespace sidelight {

// A field of a record and its place in the ECS table.
struct EcsRef {
  const Field* field;
  EcsOrdinal ordinal;
};

// Immutable; thread-safe.
class EcsWriter {
 public:
  EcsWriter();

  // The most that put() writes for one name, or touches behind what it wrote.
  static constexpr std::size_t kNameBound = 80;

  // Writes `fields`, in the table's order and each at most once, preceded by commas, as members of the object
  // that is open. `inside` is 0 where that is the document, or 1 where it is the object that all their names
  // begin with ("log").
  char* put(char* out, std::span<const EcsRef> fields, std::size_t inside) const;

 private:
  static constexpr std::size_t kMostParents = 3;
  static constexpr std::size_t kRoom = 64;  // copied at once, whatever the name takes
  struct Name {
    std::array<char, 2 * kRoom> text{};                 // "http":{"request":{"method":
    std::array<std::uint16_t, kMostParents> parents{};  // which object: equal numbers are the same object
    std::array<std::uint8_t, kMostParents + 1> segment_at{};  // where in `text` each part of the name begins
    std::uint8_t size = 0;
    std::uint8_t depth = 0;  // parents in use
  };
  static Name lay_out(std::string_view name);
  std::vector<Name> names_;  // by ordinal
};

}  // namespace sidelight
