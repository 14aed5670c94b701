#include "agent/decode/text_decoder.h"

#include <array>
#include <cstdint>

namespace sidelight {
namespace {

// Code points of windows-1251 from 0x80 on. 0x98 is unassigned there; the standard maps it to U+0098.
constexpr std::array<char16_t, 128> kWindows1251 = {
    0x0402, 0x0403, 0x201A, 0x0453, 0x201E, 0x2026, 0x2020, 0x2021, 0x20AC, 0x2030, 0x0409, 0x2039, 0x040A,
    0x040C, 0x040B, 0x040F, 0x0452, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x0098, 0x2122,
    0x0459, 0x203A, 0x045A, 0x045C, 0x045B, 0x045F, 0x00A0, 0x040E, 0x045E, 0x0408, 0x00A4, 0x0490, 0x00A6,
    0x00A7, 0x0401, 0x00A9, 0x0404, 0x00AB, 0x00AC, 0x00AD, 0x00AE, 0x0407, 0x00B0, 0x00B1, 0x0406, 0x0456,
    0x0491, 0x00B5, 0x00B6, 0x00B7, 0x0451, 0x2116, 0x0454, 0x00BB, 0x0458, 0x0405, 0x0455, 0x0457, 0x0410,
    0x0411, 0x0412, 0x0413, 0x0414, 0x0415, 0x0416, 0x0417, 0x0418, 0x0419, 0x041A, 0x041B, 0x041C, 0x041D,
    0x041E, 0x041F, 0x0420, 0x0421, 0x0422, 0x0423, 0x0424, 0x0425, 0x0426, 0x0427, 0x0428, 0x0429, 0x042A,
    0x042B, 0x042C, 0x042D, 0x042E, 0x042F, 0x0430, 0x0431, 0x0432, 0x0433, 0x0434, 0x0435, 0x0436, 0x0437,
    0x0438, 0x0439, 0x043A, 0x043B, 0x043C, 0x043D, 0x043E, 0x043F, 0x0440, 0x0441, 0x0442, 0x0443, 0x0444,
    0x0445, 0x0446, 0x0447, 0x0448, 0x0449, 0x044A, 0x044B, 0x044C, 0x044D, 0x044E, 0x044F};

char* put(char* out, std::uint32_t code_point) {
  const auto byte = [](std::uint32_t v) { return static_cast<char>(static_cast<unsigned char>(v)); };
  if (code_point < 0x80) {
    *out++ = byte(code_point);
  } else if (code_point < 0x800) {
    *out++ = byte(0xC0 | (code_point >> 6));
    *out++ = byte(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    *out++ = byte(0xE0 | (code_point >> 12));
    *out++ = byte(0x80 | ((code_point >> 6) & 0x3F));
    *out++ = byte(0x80 | (code_point & 0x3F));
  } else {
    *out++ = byte(0xF0 | (code_point >> 18));
    *out++ = byte(0x80 | ((code_point >> 12) & 0x3F));
    *out++ = byte(0x80 | ((code_point >> 6) & 0x3F));
    *out++ = byte(0x80 | (code_point & 0x3F));
  }
  return out;
}

std::size_t ascii_prefix(std::string_view s) {
  std::size_t i = 0;
  for (; i + 8 <= s.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, s.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < s.size() && static_cast<unsigned char>(s[i]) < 0x80) ++i;
  return i;
}

std::string_view decode_single_byte(bool windows1251, std::string_view raw, Arena& arena) {
  const std::size_t ascii = ascii_prefix(raw);
  if (ascii == raw.size()) return raw;
  const std::size_t room = ascii + 3 * (raw.size() - ascii);
  char* const begin = arena.allocate(room);
  std::memcpy(begin, raw.data(), ascii);
  char* out = begin + ascii;
  for (std::size_t i = ascii; i < raw.size(); ++i) {
    const auto c = static_cast<unsigned char>(raw[i]);
    out = put(out, c < 0x80 || !windows1251 ? c : kWindows1251[c - 0x80u]);
  }
  const auto used = static_cast<std::size_t>(out - begin);
  arena.shrink_last(begin, room, used);
  return {begin, used};
}

std::string_view decode_utf16(bool big_endian, std::string_view raw, Arena& arena) {
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(raw[i]);
    const auto b = static_cast<unsigned char>(raw[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? (a << 8) | b : (b << 8) | a);
  };
  const std::size_t room = raw.size() / 2 * 3 + 3;
  char* const begin = arena.allocate(room);
  char* out = begin;
  std::size_t i = 0;
  while (i + 2 <= raw.size()) {
    std::uint32_t c = unit(i);
    i += 2;
    if (c >= 0xD800 && c < 0xE000) {
      const bool paired = c < 0xDC00 && i + 2 <= raw.size() && (unit(i) & 0xFC00) == 0xDC00;
      c = paired ? 0x10000 + ((c - 0xD800) << 10) + (unit(i) - 0xDC00) : 0xFFFD;
      if (paired) i += 2;
    }
    out = put(out, c);
  }
  if (i < raw.size()) out = put(out, 0xFFFD);
  const auto used = static_cast<std::size_t>(out - begin);
  arena.shrink_last(begin, room, used);
  return {begin, used};
}

}  // namespace

std::string_view decode_text(Encoding encoding, std::string_view raw, bool odd, Arena& arena) {
  switch (encoding) {
    case Encoding::utf8:
      break;
    case Encoding::latin1:
    case Encoding::windows1251:
      return decode_single_byte(encoding == Encoding::windows1251, raw, arena);
    case Encoding::utf16le:
    case Encoding::utf16be:
      if (odd && !raw.empty()) raw.remove_prefix(1);
      return raw.empty() ? raw : decode_utf16(encoding == Encoding::utf16be, raw, arena);
  }
  return raw;
}

std::string_view cut_text(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t n = max;
  const auto continues = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; };
  for (int back = 0; back < 3 && n > 0 && continues(n); ++back) --n;
  // Not a sequence at all when a lead byte is not found in reach: cut where asked.
  return text.substr(0, continues(n) ? max : n);
}

}  // namespace sidelight
