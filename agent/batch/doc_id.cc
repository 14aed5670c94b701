#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "agent/batch/batch.h"
#include "agent/batch/field_writer.h"

namespace sidelight {
namespace {

// Eight digits of `v` at once, the last ones where it has fewer; up to eight bytes are written.
char* put_short_hex(char* out, std::uint32_t v) {
  std::uint64_t x = v;
  x = (x & 0xFFFF'0000u) << 16 | (x & 0xFFFFu);
  x = (x & 0x0000'FF00'0000'FF00u) << 8 | (x & 0x0000'00FF'0000'00FFu);
  x = (x & 0x00F0'00F0'00F0'00F0u) << 4 | (x & 0x000F'000F'000F'000Fu);  // a digit a byte, the lowest first
  const std::uint64_t letters = (x + 0x0606'0606'0606'0606u) >> 4 & 0x0101'0101'0101'0101u;
  x += 0x3030'3030'3030'3030u + letters * ('a' - '0' - 10);
  const auto digits = std::max(1u, (static_cast<unsigned>(std::bit_width(v)) + 3) / 4);
  const unsigned unused = 8 * (8 - digits);
  const std::uint64_t text =
      std::endian::native == std::endian::little ? std::byteswap(x) >> unused : x << unused;
  std::memcpy(out, &text, sizeof text);
  return out + digits;
}

char* put_hex(char* out, std::uint64_t v) {
  if (v <= UINT32_MAX) [[likely]]
    return put_short_hex(out, static_cast<std::uint32_t>(v));
  constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = (static_cast<int>(std::bit_width(v)) - 1) & ~3; shift >= 0; shift -= 4)
    *out++ = kDigits[(v >> shift) & 15];
  return out;
}

}  // namespace

std::size_t write_doc_id(char* out, std::string_view key, std::uint64_t begin, std::uint64_t end,
                         OffsetMemory& memory) {
  char* p = put(out, key);
  *p++ = '-';
  if (memory.count > 0 && memory.offset == begin) {
    std::memcpy(p, memory.digits.data(), memory.digits.size());
    p += memory.count;
  } else {
    p = put_hex(p, begin);
  }
  *p++ = '-';
  char* const digits = p;
  p = put_hex(p, end);
  memory.offset = end;
  memory.count = 0;
  if (end <= UINT32_MAX) {  // longer ones are not remembered
    std::memcpy(memory.digits.data(), digits, memory.digits.size());
    memory.count = static_cast<std::uint8_t>(p - digits);
  }
  return static_cast<std::size_t>(p - out);
}

std::size_t write_doc_id(char* out, std::string_view key, std::uint64_t begin, std::uint64_t end) {
  OffsetMemory memory;
  return write_doc_id(out, key, begin, end, memory);
}

}  // namespace sidelight
