#include "agent/process/byte_marks.h"

#include <array>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sidelight {
namespace {

enum Class : std::uint8_t { is_digit = 1, is_letter = 2, in_number = 4, may_anchor = 8 };

// The bytes of no-break and thin spaces and of typographic dashes count as parts of a number; those that
// begin letters of other alphabets do not, so that text in them is passed over as fast as any.
constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> t{};
  for (std::size_t c = 0; c < t.size(); ++c) {
    unsigned v = 0;
    if (c >= '0' && c <= '9') v |= is_digit | in_number;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) v |= is_letter;
    if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')') v |= in_number;
    if ((c >= 0x80 && c <= 0xBF) || c == 0xC2 || c == 0xE2) v |= in_number;
    if (c == '@' || c == '%' || c == 'b' || c == 'B' || c == 'e') v |= may_anchor;
    t.at(c) = static_cast<std::uint8_t>(v);
  }
  return t;
}();

bool anchors(const char* p) {
  switch (*p) {
    case '@':
      return true;
    case '%':
      return p[1] == '4' && p[2] == '0';
    case 'e':
      return p[1] == 'y' && p[2] == 'J';
    default:
      return (p[1] | 0x20) == 'e' && (p[2] | 0x20) == 'a';
  }
}

#if defined(__SSE2__)
__m128i load(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
__m128i equal(__m128i bytes, char c) {
  return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}
// Of the unsigned range first..first + more.
__m128i within(__m128i bytes, char first, char more) {
  const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(more)), offset);
}
__m128i either(__m128i a, __m128i b) {
  return _mm_or_si128(a, b);
}
__m128i both(__m128i a, __m128i b) {
  return _mm_and_si128(a, b);
}
std::uint64_t bits(__m128i mask) {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(mask));
}
#endif

}  // namespace

bool may_be_in_number(char c) {
  return (kClasses[static_cast<unsigned char>(c)] & in_number) != 0;
}

ByteMarks mark_bytes_portable(const char* block) {
  ByteMarks m;
  for (std::size_t i = 0; i < kMarkedBytes; ++i) {
    const std::uint64_t v = kClasses[static_cast<unsigned char>(block[i])];
    m.digits |= (v & 1) << i;
    m.letters |= (v >> 1 & 1) << i;
    m.numbers |= (v >> 2 & 1) << i;
    if ((v & may_anchor) != 0 && anchors(block + i)) m.anchors |= std::uint64_t{1} << i;
  }
  return m;
}

#if defined(__SSE2__)
ByteMarks mark_bytes(const char* block) {
  constexpr std::size_t kStep = sizeof(__m128i);
  const __m128i small = _mm_set1_epi8(0x20);
  ByteMarks m;
  for (std::size_t i = 0; i < kMarkedBytes; i += kStep) {
    const __m128i first = load(block + i);
    const __m128i second = load(block + i + 1);
    const __m128i third = load(block + i + 2);
    const __m128i lower = either(first, small);
    const __m128i digits = within(first, '0', 9);
    // "()" and "-." are neighbours; 0x80 to 0xBF are the least of all signed bytes.
    const __m128i between =
        either(either(either(equal(first, ' '), within(first, '(', 1)), within(first, '-', 1)),
               either(_mm_cmplt_epi8(first, _mm_set1_epi8(static_cast<char>(0xC0))),
                      either(equal(first, static_cast<char>(0xC2)), equal(first, static_cast<char>(0xE2)))));
    const __m128i encoded = both(equal(first, '%'), both(equal(second, '4'), equal(third, '0')));
    const __m128i bearer =
        both(equal(lower, 'b'), both(equal(either(second, small), 'e'), equal(either(third, small), 'a')));
    const __m128i jwt = both(equal(first, 'e'), both(equal(second, 'y'), equal(third, 'J')));
    m.digits |= bits(digits) << i;
    m.letters |= bits(within(lower, 'a', 'z' - 'a')) << i;
    m.numbers |= bits(either(digits, between)) << i;
    m.anchors |= bits(either(either(equal(first, '@'), encoded), either(bearer, jwt))) << i;
  }
  return m;
}
#else
ByteMarks mark_bytes(const char* block) {
  return mark_bytes_portable(block);
}
#endif

}  // namespace sidelight
