#include "agent/process/pii_scanner.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "agent/process/byte_marks.h"
#include "agent/process/number_scan.h"

namespace sidelight {
namespace {

enum Class : std::uint8_t { digit = 1, letter = 2, local = 4, host = 8, base64url = 16, token = 32 };

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> t{};
  const auto set = [&](std::string_view all, unsigned v) {
    for (const char c : all) t.at(static_cast<unsigned char>(c)) |= static_cast<std::uint8_t>(v);
  };
  set("0123456789", digit | local | host | base64url | token);
  set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", letter | local | host | base64url | token);
  set("._%+-'!#$*^~", local);
  set("-.", host);
  set("-_", base64url | token);
  set("~+/=.", token);
  return t;
}();

bool is(char c, unsigned classes) {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}
bool is_digit(char c) {
  return is(c, digit);
}
bool is_letter(char c) {
  return is(c, letter);
}
bool is_alnum(char c) {
  return is(c, digit | letter);
}
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}
// The first byte of a letter of Latin, Greek, Cyrillic, Hebrew or Arabic beyond ASCII.
bool leads_letter(char c) {
  const auto b = static_cast<unsigned char>(c);
  return b >= 0xC3 && b <= 0xDF;
}

bool in_local_part(char c) {
  return is(c, local);
}
bool in_domain(char c) {
  return is(c, host);
}

// Where the local part before `at` begins, not before `left`.
std::size_t local_part(std::string_view text, std::size_t at, std::size_t left) {
  std::size_t i = at;
  while (i > left) {
    if (in_local_part(text[i - 1])) {
      --i;
    } else if (i > left + 1 && is_continuation(text[i - 1]) && leads_letter(text[i - 2])) {
      i -= 2;
    } else {
      break;
    }
  }
  while (i < at && (text[i] == '\'' || text[i] == '.')) ++i;
  return i;
}

// Where the domain from `i` ends; `i` itself when there is none with a dot.
std::size_t domain(std::string_view text, std::size_t i) {
  const std::size_t begin = i;
  while (i < text.size()) {
    if (in_domain(text[i])) {
      ++i;
    } else if (i + 1 < text.size() && leads_letter(text[i]) && is_continuation(text[i + 1])) {
      i += 2;
    } else {
      break;
    }
  }
  while (i > begin && (text[i - 1] == '.' || text[i - 1] == '-')) --i;
  const std::string_view host = text.substr(begin, i - begin);
  const std::size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || host.front() == '-') return begin;
  const std::string_view top = host.substr(dot + 1);
  const bool named = top.size() >= 2 && std::none_of(top.begin(), top.begin() + 2, is_digit);
  return named ? i : begin;
}

bool in_base64url(char c) {
  return is(c, base64url);
}
std::size_t skip_base64url(std::string_view text, std::size_t i) {
  while (i < text.size() && in_base64url(text[i])) ++i;
  return i;
}

// The JWT that begins at `begin`: its end, or 0. `header_end` becomes the end of what could be its first
// part: where one is none, none that begins before that end is one. The first part holds at least {"alg":..},
// the second may be short, the third is empty where nothing is signed.
std::size_t jwt_end(std::string_view text, std::size_t begin, std::size_t& header_end) {
  constexpr std::size_t kLeastHeader = 12;
  constexpr std::size_t kLeastPayload = 4;
  const std::size_t header = skip_base64url(text, begin);
  header_end = header;
  if (header - begin < kLeastHeader || header >= text.size() || text[header] != '.') return 0;
  const std::size_t payload = skip_base64url(text, header + 1);
  if (payload - header - 1 < kLeastPayload || payload >= text.size() || text[payload] != '.') return 0;
  return skip_base64url(text, payload + 1);
}

bool in_token(char c) {
  return is(c, token);
}

// The token behind the "Bearer" that begins at `i`; begin == end: none.
PiiMatch bearer_token(std::string_view text, std::size_t i) {
  constexpr std::string_view kRest = "earer";
  constexpr std::size_t kLeast = 8;
  constexpr std::size_t kSurely = 24;  // no word is that long
  if (text.size() - i < kRest.size() + 2 || (i > 0 && is_alnum(text[i - 1]))) return {};
  for (std::size_t k = 0; k < kRest.size(); ++k)
    if ((text[i + 1 + k] | 0x20) != kRest[k]) return {};
  std::size_t begin = i + 1 + kRest.size();
  const std::size_t gap = begin;
  while (begin < text.size()) {
    if (std::string_view(" \t:=\"'+").find(text[begin]) != std::string_view::npos) {
      ++begin;
    } else if (text.substr(begin, 3) == "%20") {
      begin += 3;
    } else {
      break;
    }
  }
  if (begin == gap || begin - gap > 8) return {};
  std::size_t end = begin;
  bool more_than_letters = false;
  for (; end < text.size() && in_token(text[end]); ++end)
    more_than_letters |= !is_letter(text[end]) && text[end] != '.';
  while (end > begin && text[end - 1] == '.') --end;  // of a sentence
  const std::size_t size = end - begin;
  if (size < kLeast || (!more_than_letters && size < kSurely)) return {};
  return {begin, end, PiiKind::bearer, 0};
}

}  // namespace

std::string_view pii_name(PiiKind kind) {
  static constexpr std::array<std::string_view, kBuiltInKinds + 1> kNames = {
      "email", "phone", "card", "iban", "bearer", "jwt", "custom"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<PiiKind> pii_kind(std::string_view name) {
  for (std::size_t k = 0; k < kBuiltInKinds; ++k)
    if (pii_name(static_cast<PiiKind>(k)) == name) return static_cast<PiiKind>(k);
  return std::nullopt;
}

void add_match(std::vector<PiiMatch>& matches, const PiiMatch& match) {
  PiiMatch all = match;
  std::size_t longest = match.end - match.begin;
  while (!matches.empty() && matches.back().end > all.begin) {
    const PiiMatch& last = matches.back();
    if (last.end - last.begin >= longest) {
      longest = last.end - last.begin;
      all.kind = last.kind;
      all.pattern = last.pattern;
    }
    all.begin = std::min(all.begin, last.begin);
    all.end = std::max(all.end, last.end);
    matches.pop_back();
  }
  matches.push_back(all);
}

PiiScanner::PiiScanner(const std::vector<PiiKind>& kinds) {
  for (const PiiKind k : kinds) {
    if (k != PiiKind::custom) wanted_.at(static_cast<std::size_t>(k)) = true;
  }
}

void PiiScanner::find(std::string_view text, std::vector<PiiMatch>& out) const {
  constexpr std::size_t kAhead = 8;  // a candidate shows in so many bytes: blocks overlap by them
  constexpr std::uint64_t kMine = (std::uint64_t{1} << (kMarkedBytes - kAhead)) - 1;
  constexpr std::size_t kShortest = 6;  // an address
  if (text.size() < kShortest) return;
  std::array<char, kMarkedReach> rest{};
  Reached reached;
  std::size_t next = 0;  // no candidate before it counts
  for (std::size_t at = 0; at < text.size(); at += kMarkedBytes - kAhead) {
    const char* block = text.data() + at;
    if (text.size() - at < kMarkedReach) {
      rest.fill(0);
      std::memcpy(rest.data(), block, text.size() - at);
      block = rest.data();
    }
    const ByteMarks m = mark_bytes(block);
    std::uint64_t numbers = m.numbers & m.numbers >> 1;  // eight in a row: the shortest number
    numbers &= numbers >> 2;
    numbers &= numbers >> 4;
    const std::uint64_t words = m.digits | m.letters;
    const std::uint64_t ibans = m.letters & m.letters >> 1 & m.digits >> 2 & m.digits >> 3 &
                                ~(words << 1);  // two letters, two digits
    std::uint64_t candidates = (numbers | ibans | m.anchors) & kMine;
    while (candidates != 0) {
      const auto bit = static_cast<unsigned>(std::countr_zero(candidates));
      const std::size_t i = at + bit;
      const std::uint64_t it = std::uint64_t{1} << bit;
      candidates &= candidates - 1;
      if (i < next) continue;
      if ((numbers & it) != 0) {
        next = look_at_number(text, i, out);
      } else if ((m.anchors & it) != 0) {
        next = look_at_anchor(text, i, reached, out);
      } else {
        next = look_at_iban(text, i, out);
      }
    }
    // What is done is not marked.
    if (next > at + 2 * kMarkedBytes) at = next - kMarkedBytes;
  }
}

// Digits and what may be between them, for eight bytes or more.
std::size_t PiiScanner::look_at_number(std::string_view text, std::size_t i,
                                       std::vector<PiiMatch>& out) const {
  const NumberKinds kinds = {wants(PiiKind::phone), wants(PiiKind::card)};
  while (i < text.size() && may_be_in_number(text[i]))
    i = is_digit(text[i]) ? scan_number(text, i, kinds, out) : i + 1;
  return i;
}

std::size_t PiiScanner::look_at_iban(std::string_view text, std::size_t i, std::vector<PiiMatch>& out) const {
  const std::size_t end = wants(PiiKind::iban) ? iban_end(text, i + 2) : 0;
  if (end == 0) return i + 1;
  add_match(out, {i, end, PiiKind::iban, 0});
  return end;
}

std::size_t PiiScanner::look_at_anchor(std::string_view text, std::size_t i, Reached& reached,
                                       std::vector<PiiMatch>& out) const {
  switch (text[i]) {
    case '@':
    case '%': {
      if (!wants(PiiKind::email)) return i + 1;
      const std::size_t behind = i + (text[i] == '%' ? 3 : 1);
      const std::size_t begin = local_part(text, i, reached.address);
      const std::size_t end = domain(text, behind);
      reached.address = behind;
      if (begin == i || end == behind) return behind;
      add_match(out, {begin, end, PiiKind::email, 0});
      reached.address = end;
      return end;
    }
    case 'e': {
      if (!wants(PiiKind::jwt) || i < reached.jwt) return i + 1;
      const std::size_t end = jwt_end(text, i, reached.jwt);
      if (end == 0) return i + 1;
      add_match(out, {i, end, PiiKind::jwt, 0});
      return end;
    }
    default: {
      const PiiMatch found = wants(PiiKind::bearer) ? bearer_token(text, i) : PiiMatch{};
      if (found.begin == found.end) return i + 1;
      add_match(out, found);
      return found.end;
    }
  }
}

}  // namespace sidelight
