#include "agent/batch/field_writer.h"

#include <simdjson.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace sidelight {
namespace {

// From here on a scan is cheaper than the memory that the worst case would take.
constexpr std::size_t kScanFrom = 4096;

// End of the last segment that `a` and `b` have in common, as a length with its dot; at least `from`.
std::size_t common_parent(std::string_view a, std::string_view b, std::size_t from) {
  std::size_t common = from;
  for (std::size_t i = from; i < a.size() && i < b.size() && a[i] == b[i]; ++i) {
    if (a[i] == '.') common = i + 1;
  }
  return common;
}

std::size_t depth(std::string_view name, std::size_t from) {
  std::size_t dots = 0;
  for (std::size_t i = from; i < name.size(); ++i) dots += name[i] == '.' ? 1u : 0u;
  return dots;
}

constexpr std::uint64_t kEightDigits = 100'000'000;

// The eight digits of v < 10^8, one a byte, the first one in the lowest byte: halved three times, each half
// in a lane of its own. The multiplications are divisions by 100 and by 10, exact for what the lanes can
// hold.
std::uint64_t digits_of(std::uint64_t v) {
  const std::uint64_t fours = v / 10'000 | v % 10'000 << 32;
  const std::uint64_t hundreds = fours * 10'486 >> 20 & 0x7F'0000'007F;
  const std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
  const std::uint64_t tens = twos * 103 >> 10 & 0x000F'000F'000F'000F;
  return tens | (twos - 10 * tens) << 8;
}

// Eight bytes are written.
char* put_eight(char* out, std::uint64_t digits) {
  digits += 0x3030'3030'3030'3030;
  if constexpr (std::endian::native == std::endian::big) digits = std::byteswap(digits);
  std::memcpy(out, &digits, sizeof digits);
  return out + sizeof digits;
}

char* put_without_zeros(char* out, std::uint64_t v) {
  const std::uint64_t digits = digits_of(v);
  const int zeros = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;  // the last digit always stands
  return put_eight(out, digits >> 8 * zeros) - zeros;
}

}  // namespace

char* put_long(char* out, std::string_view s) {
  std::memcpy(out, s.data(), s.size());
  return out + s.size();
}

char* put_number(char* out, std::uint64_t v) {
  if (v < kEightDigits) return put_without_zeros(out, v);
  if (v >= kEightDigits * kEightDigits) return std::to_chars(out, out + 20, v).ptr;
  return put_eight(put_without_zeros(out, v / kEightDigits), digits_of(v % kEightDigits));
}

std::size_t text_bound(std::string_view value) {
  if (value.size() < kScanFrom) return 6 * value.size() + 2;
  std::size_t escapes = 0;
  std::size_t high = 0;
  for (const char ch : value) {
    const auto c = static_cast<unsigned char>(ch);
    escapes += c < 0x20 || c == '"' || c == '\\' ? 1u : 0u;
    high += c >= 0x80 ? 1u : 0u;
  }
  // Each ill-formed byte may become three.
  if (high != 0 && simdjson::validate_utf8(value.data(), value.size())) high = 0;
  return value.size() + 5 * escapes + 2 * high + 2;
}

char* put_fields(char* out, std::span<const NamedValue> fields, std::string_view parent) {
  const std::size_t base = parent.empty() ? 0 : parent.size() + 1;
  std::string_view open;  // name of the field written last
  for (const NamedValue& f : fields) {
    const std::size_t common = common_parent(open, f.name, base);
    if (!open.empty()) {
      for (std::size_t n = depth(open, common); n > 0; --n) *out++ = '}';
    }
    *out++ = ',';
    std::size_t at = common;
    for (std::size_t dot; (dot = f.name.find('.', at)) != std::string_view::npos; at = dot + 1) {
      *out++ = '"';
      out = put(out, f.name.substr(at, dot - at));
      out = put(out, "\":{");
    }
    *out++ = '"';
    out = put(out, f.name.substr(at));
    out = put(out, "\":");
    out = put_value(out, f.value, f.kind);
    open = f.name;
  }
  if (!open.empty()) {
    for (std::size_t n = depth(open, base); n > 0; --n) *out++ = '}';
  }
  return out;
}

}  // namespace sidelight
