#include "agent/base/json_text.h"

#include <simdjson.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sidelight {
namespace {

// For each byte that must be escaped: the letter of its short form, or 'u'.
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> t{};
  for (std::size_t i = 0; i < 0x20; ++i) t[i] = 'u';
  t['\b'] = 'b';
  t['\f'] = 'f';
  t['\n'] = 'n';
  t['\r'] = 'r';
  t['\t'] = 't';
  t['"'] = '"';
  t['\\'] = '\\';
  return t;
}
constexpr auto kEscapes = make_escapes();

char* put_escape(char* out, unsigned char c) {
  const char letter = kEscapes[c];
  *out++ = '\\';
  *out++ = letter;
  if (letter == 'u') {
    constexpr char kHex[] = "0123456789abcdef";
    std::memcpy(out, "00", 2);
    out[2] = kHex[c >> 4];
    out[3] = kHex[c & 15];
    out += 4;
  }
  return out;
}

char* put_replacement(char* out) {
  std::memcpy(out, "\xEF\xBF\xBD", 3);
  return out + 3;
}

// Text that is known to be ill-formed somewhere: sequence by sequence.
char* escape_repairing(char* out, const char* p, const char* end) {
  while (p != end) {
    const auto c = static_cast<unsigned char>(*p);
    if (c < 0x80) {
      if (kEscapes[c] != 0) {
        out = put_escape(out, c);
      } else {
        *out++ = *p;
      }
      ++p;
      continue;
    }
    std::size_t bad = 0;
    const std::size_t good = utf8_sequence({p, static_cast<std::size_t>(end - p)}, bad);
    if (good != 0) {
      std::memcpy(out, p, good);
      out += good;
      p += good;
    } else {
      out = put_replacement(out);
      p += bad;
    }
  }
  return out;
}

// The loops below look out for a byte above 0x7f. The first one settles the matter for the rest of the text:
// well-formed, and it is copied like ASCII; or not, and it is repaired bytewise. ASCII text never pays for
// the check.
bool well_formed(const char* p, const char* end) {
  return simdjson::validate_utf8(p, static_cast<std::size_t>(end - p));
}

char* escape_tail(char* out, const char* p, const char* end, bool checked) {
  for (; p != end; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c >= 0x80 && !checked) {
      if (!well_formed(p, end)) return escape_repairing(out, p, end);
      checked = true;
    }
    if (kEscapes[c] != 0) {
      out = put_escape(out, c);
    } else {
      *out++ = *p;
    }
  }
  return out;
}

#if defined(__x86_64__)

char* escape_sse2(char* out, const char* p, const char* end, bool checked) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control = _mm_set1_epi8(0x1f);
  while (end - p >= 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), v);
    const __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)),
                                         _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (!checked) {
      const auto high = static_cast<unsigned>(_mm_movemask_epi8(v));
      if (high != 0) [[unlikely]] {
        if (!well_formed(p + std::countr_zero(high), end)) return escape_repairing(out, p, end);
        checked = true;
      }
    }
    if (stops == 0) {
      p += 16;
      out += 16;
      continue;
    }
    const int n = std::countr_zero(stops);
    out = put_escape(out + n, static_cast<unsigned char>(p[n]));
    p += n + 1;
  }
  return escape_tail(out, p, end, checked);
}

__attribute__((target("avx2"))) char* escape_avx2(char* out, const char* p, const char* end) {
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  const __m256i control = _mm256_set1_epi8(0x1f);
  bool checked = false;
  while (end - p >= 32) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), v);
    const __m256i special =
        _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, backslash)),
                        _mm256_cmpeq_epi8(_mm256_min_epu8(v, control), v));
    const auto stops = static_cast<unsigned>(_mm256_movemask_epi8(special));
    const auto high = static_cast<unsigned>(_mm256_movemask_epi8(v));
    if (high != 0 && !checked) [[unlikely]] {
      if (!well_formed(p + std::countr_zero(high), end)) return escape_repairing(out, p, end);
      checked = true;
    }
    if (stops == 0) {
      p += 32;
      out += 32;
      continue;
    }
    const int n = std::countr_zero(stops);
    out = put_escape(out + n, static_cast<unsigned char>(p[n]));
    p += n + 1;
  }
  return escape_sse2(out, p, end, checked);
}

#define SIDELIGHT_VBMI2 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt")))

// The first `n` of 32 bytes, a backslash before each that is in `stops`: one is put before every byte, and
// those that are not wanted are squeezed out again.
SIDELIGHT_VBMI2 char* put_with_backslashes(char* out, __m256i bytes, std::uint64_t stops, std::size_t n) {
  const __m512i words = _mm512_slli_epi16(_mm512_cvtepu8_epi16(bytes), 8);
  const __m512i pairs = _mm512_or_si512(words, _mm512_set1_epi16('\\'));
  const std::uint64_t there = n >= 32 ? ~0ULL : (1ULL << 2 * n) - 1;
  const std::uint64_t wanted = (_pdep_u64(stops, 0x5555'5555'5555'5555) | 0xAAAA'AAAA'AAAA'AAAA) & there;
  _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(wanted, pairs));
  return out + _mm_popcnt_u64(wanted);
}

// Nothing depends on where the quotes are. Masked loads read no byte beyond `end`, so the last few bytes cost
// no more than a full vector.
SIDELIGHT_VBMI2 char* escape_vbmi2(char* out, const char* p, const char* end) {
  const __m512i quote = _mm512_set1_epi8('"');
  const __m512i backslash = _mm512_set1_epi8('\\');
  const __m512i blank = _mm512_set1_epi8(' ');
  bool checked = false;
  while (p != end) {
    const auto left = static_cast<std::size_t>(end - p);
    const std::size_t n = left >= 64 ? 64 : left;
    const __mmask64 here = left >= 64 ? ~0ULL : (1ULL << left) - 1;
    const __m512i v = _mm512_mask_loadu_epi8(blank, here, p);
    const std::uint64_t control = _mm512_cmplt_epu8_mask(v, blank);
    const std::uint64_t stops =
        _mm512_cmpeq_epi8_mask(v, quote) | _mm512_cmpeq_epi8_mask(v, backslash) | control;
    const std::uint64_t high = _mm512_movepi8_mask(v);
    if (high != 0 && !checked) [[unlikely]] {
      if (!well_formed(p + std::countr_zero(high), end)) return escape_repairing(out, p, end);
      checked = true;
    }
    if (control != 0) [[unlikely]] {  // these get more than a backslash
      _mm512_storeu_si512(out, v);
      const int clean = std::countr_zero(stops);
      out = put_escape(out + clean, static_cast<unsigned char>(p[clean]));
      p += clean + 1;
      continue;
    }
    if (stops == 0) {
      _mm512_storeu_si512(out, v);
      out += n;
    } else {
      out = put_with_backslashes(out, _mm512_castsi512_si256(v), stops & 0xFFFF'FFFF, n);
      if (n > 32) out = put_with_backslashes(out, _mm512_extracti64x4_epi64(v, 1), stops >> 32, n - 32);
    }
    p += n;
  }
  return out;
}

using Escape = char* (*)(char* out, const char* p, const char* end);

char* escape_baseline(char* out, const char* p, const char* end) {
  return escape_sse2(out, p, end, false);
}

Escape best_escape() {
  if (__builtin_cpu_supports("avx512vbmi2") != 0 && __builtin_cpu_supports("bmi2") != 0) return escape_vbmi2;
  if (__builtin_cpu_supports("avx2") != 0) return escape_avx2;
  return escape_baseline;
}

#endif

}  // namespace

std::size_t utf8_sequence(std::string_view text, std::size_t& bad) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  bad = 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range excludes overlong forms, surrogates and what is past U+10FFFF (Unicode 15, table
  // 3-7).
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < least || at(1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    bad = i;
    if (at(i) < 0x80 || at(i) > 0xBF) return 0;
  }
  return length;
}

std::string repair_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t bad = 0;
    const std::size_t good = utf8_sequence(text, bad);
    out += good != 0 ? text.substr(0, good) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(good != 0 ? good : bad);
  }
  return out;
}

std::size_t escape_json_portable(char* out, std::string_view text) {
#if defined(__x86_64__)
  return static_cast<std::size_t>(escape_sse2(out, text.data(), text.data() + text.size(), false) - out);
#else
  return static_cast<std::size_t>(escape_tail(out, text.data(), text.data() + text.size(), false) - out);
#endif
}

std::size_t escape_json(char* out, std::string_view text) {
#if defined(__x86_64__)
  static const Escape escape = best_escape();
  return static_cast<std::size_t>(escape(out, text.data(), text.data() + text.size()) - out);
#else
  return escape_json_portable(out, text);
#endif
}

}  // namespace sidelight
