#include "agent/parse/json_token.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>

#include "agent/base/json_text.h"

namespace sidelight {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Four hexadecimal digits at the front of s.
std::optional<unsigned> hex4(std::string_view s) {
  if (s.size() < 4) return std::nullopt;
  unsigned v = 0;
  const auto r = std::from_chars(s.data(), s.data() + 4, v, 16);
  if (r.ec != std::errc() || r.ptr != s.data() + 4) return std::nullopt;
  return v;
}

bool is_high(unsigned v) {
  return v >= 0xD800 && v < 0xDC00;
}
bool is_low(unsigned v) {
  return v >= 0xDC00 && v < 0xE000;
}

// The low half that `rest` begins with as an escape, if it does.
std::optional<unsigned> low_half(std::string_view rest) {
  if (!rest.starts_with("\\u")) return std::nullopt;
  const auto v = hex4(rest.substr(2));
  return v && is_low(*v) ? v : std::nullopt;
}

char* put_utf8(char* to, unsigned code) {
  const auto put = [&to](unsigned v) { *to++ = static_cast<char>(static_cast<unsigned char>(v)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
  return to;
}

const char* find_backslash(const char* p, const char* end) {
  return static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
}

}  // namespace

std::size_t unicode_escape_length(std::string_view rest, bool& lone) {
  const auto v = hex4(rest.substr(2));
  if (!v) return 0;
  if (is_high(*v) && low_half(rest.substr(6))) return 12;
  lone = lone || is_high(*v) || is_low(*v);
  return 6;
}

std::string_view unescape(std::string_view body, Arena& arena) {
  const char* end = body.data() + body.size();
  const char* p = body.data();
  const char* escape = body.empty() ? nullptr : find_backslash(p, end);
  if (escape == nullptr) return body;
  char* const start = arena.allocate(body.size());  // every escape is longer than what it stands for
  char* to = start;
  while (escape != nullptr) {
    std::memcpy(to, p, static_cast<std::size_t>(escape - p));
    to += escape - p;
    p = escape + 2;
    if (escape[1] != 'u') {
      *to++ = simple_escape(escape[1]);
    } else {
      unsigned code = hex4({p, static_cast<std::size_t>(end - p)}).value_or(0xFFFD);
      p += 4;
      if (is_high(code)) {
        if (const auto low = low_half({p, static_cast<std::size_t>(end - p)})) {
          code = 0x10000 + ((code - 0xD800) << 10) + (*low - 0xDC00);
          p += 6;
        }
      }
      to = put_utf8(to, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
    }
    escape = p < end ? find_backslash(p, end) : nullptr;
  }
  std::memcpy(to, p, static_cast<std::size_t>(end - p));
  to += end - p;
  const auto used = static_cast<std::size_t>(to - start);
  arena.shrink_last(start, body.size(), used);
  return {start, used};
}

NumberShape classify_number(std::string_view s) {
  static constexpr std::size_t kSurelyFits = 18;   // decimal digits in int64
  static constexpr std::size_t kLongestReal = 64;  // longer ones carry nothing that a double could hold
  const char* p = s.data();
  const char* end = p + s.size();
  if (p < end && *p == '-') ++p;
  if (p == end || !is_digit(*p)) return NumberShape::broken;
  const char* digits = p;
  while (p < end && is_digit(*p)) ++p;
  if (*digits == '0' && p - digits > 1) return NumberShape::broken;
  if (p == end) {
    if (static_cast<std::size_t>(p - digits) <= kSurelyFits) return NumberShape::integer;
    std::int64_t value = 0;
    return std::from_chars(s.data(), end, value).ec == std::errc() ? NumberShape::integer
                                                                   : NumberShape::unsupported;
  }
  if (*p == '.') {
    const char* fraction = ++p;
    while (p < end && is_digit(*p)) ++p;
    if (p == fraction) return NumberShape::broken;
  }
  bool exponent = false;
  if (p < end && (*p == 'e' || *p == 'E')) {
    exponent = true;
    ++p;
    if (p < end && (*p == '+' || *p == '-')) ++p;
    const char* power = p;
    while (p < end && is_digit(*p)) ++p;
    if (p == power) return NumberShape::broken;
  }
  if (p != end) return NumberShape::broken;
  if (s.size() > kLongestReal) return NumberShape::unsupported;
  if (exponent) {
    double value = 0;
    const auto r = std::from_chars(s.data(), end, value);
    if (r.ec != std::errc() || !std::isfinite(value)) return NumberShape::unsupported;
  }
  return NumberShape::real;
}

void append_json_string(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.resize(before + 1 + escaped_bound(text.size()) + 1);
  out[before] = '"';
  const std::size_t n = escape_json(out.data() + before + 1, text);
  out[before + 1 + n] = '"';
  out.resize(before + n + 2);
}

std::string repair_json(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  bool in_string = false;
  bool escaped = false;
  while (!text.empty()) {
    const char c = text.front();
    const auto u = static_cast<unsigned char>(c);
    std::size_t taken = 1;
    if (u >= 0x80) {
      std::size_t bad = 1;
      const std::size_t n = utf8_sequence(text, bad);
      out += n == 0 ? kReplacement : text.substr(0, n);
      taken = n == 0 ? bad : n;
    } else if (in_string && u < 0x20) {
      std::array<char, escaped_bound(1)> escape;
      out.append(escape.data(), escape_json(escape.data(), text.substr(0, 1)));
    } else {
      out += c;
    }
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = in_string && c == '\\' && !escaped;
    text.remove_prefix(taken);
  }
  return out;
}

}  // namespace sidelight
