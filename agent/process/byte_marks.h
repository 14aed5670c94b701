// Sorts the bytes of a text into the few classes that the search for personal data starts from, many at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sidelight {

// Bit i tells about byte i of a block.
struct ByteMarks {
  std::uint64_t digits = 0;
  std::uint64_t letters = 0;  // of ASCII
  std::uint64_t numbers = 0;  // digits, and all that may stand between the digits of one number
  std::uint64_t anchors = 0;  // '@', and the first bytes of "%40", "bea" in any case, and "eyJ"
};

inline constexpr std::size_t kMarkedBytes = 64;
// So many are read: what an anchor begins goes on behind the block.
inline constexpr std::size_t kMarkedReach = kMarkedBytes + 2;

// The class of ByteMarks::numbers.
bool may_be_in_number(char c);

// Marks the block at `block`, of which kMarkedReach bytes must be readable. Any bytes; thread-safe.
ByteMarks mark_bytes(const char* block);
// The same without the processor's vector instructions, for processors that have others, and as the measure
// of mark_bytes.
ByteMarks mark_bytes_portable(const char* block);

}  // namespace sidelight
