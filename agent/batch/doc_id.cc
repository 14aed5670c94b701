#include <bit>
#include <cstring>

#include "agent/batch/batch.h"

namespace sidelight {
namespace {

char* put_hex(char* out, std::uint64_t v) {
  constexpr char kDigits[] = "0123456789abcdef";
  int shift = v == 0 ? 0 : (static_cast<int>(std::bit_width(v)) - 1) & ~3;
  for (; shift >= 0; shift -= 4) *out++ = kDigits[(v >> shift) & 15];
  return out;
}

}  // namespace

std::size_t write_doc_id(char* out, std::string_view key, std::uint64_t begin, std::uint64_t end) {
  std::memcpy(out, key.data(), key.size());
  char* p = out + key.size();
  *p++ = '-';
  p = put_hex(p, begin);
  *p++ = '-';
  p = put_hex(p, end);
  return static_cast<std::size_t>(p - out);
}

}  // namespace sidelight
