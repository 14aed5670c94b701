#include "agent/process/pii_scanner.h"

#include <algorithm>

#include "agent/process/number_scan.h"

namespace sidelight {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_alnum(char c) {
  return is_digit(c) || is_letter(c);
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
  return is_alnum(c) || std::string_view("._%+-'!#$*^~").find(c) != std::string_view::npos;
}
bool in_domain(char c) {
  return is_alnum(c) || c == '-' || c == '.';
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
  return is_alnum(c) || c == '-' || c == '_';
}
std::size_t skip_base64url(std::string_view text, std::size_t i) {
  while (i < text.size() && in_base64url(text[i])) ++i;
  return i;
}

// The JWT whose J stands at `i`: its end, or 0. The first part holds at least {"alg":..}, the second may be
// short, the third is empty where nothing is signed.
std::size_t jwt_end(std::string_view text, std::size_t i) {
  constexpr std::size_t kLeastHeader = 12;
  constexpr std::size_t kLeastPayload = 4;
  if (i < 2 || text[i - 1] != 'y' || text[i - 2] != 'e') return 0;
  const std::size_t begin = i - 2;
  const std::size_t header = skip_base64url(text, i);
  if (header - begin < kLeastHeader || header >= text.size() || text[header] != '.') return 0;
  const std::size_t payload = skip_base64url(text, header + 1);
  if (payload - header - 1 < kLeastPayload || payload >= text.size() || text[payload] != '.') return 0;
  return skip_base64url(text, payload + 1);
}

bool in_token(char c) {
  return in_base64url(c) || std::string_view("~+/=.").find(c) != std::string_view::npos;
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
  const auto set = [&](char c, Trigger t) { trigger_[static_cast<unsigned char>(c)] = t; };
  if (wants(PiiKind::email)) {
    set('@', at);
    set('%', percent);
  }
  if (wants(PiiKind::phone) || wants(PiiKind::card) || wants(PiiKind::iban))
    for (char c = '0'; c <= '9'; ++c) set(c, digit);
  if (wants(PiiKind::bearer)) {
    set('B', letter_b);
    set('b', letter_b);
  }
  if (wants(PiiKind::jwt)) set('J', letter_j);
}

void PiiScanner::find(std::string_view text, std::vector<PiiMatch>& out) const {
  const auto trigger = [&](std::size_t i) { return trigger_[static_cast<unsigned char>(text[i])]; };
  std::size_t left = 0;  // nothing found from now on begins before it
  std::size_t i = 0;
  while (i < text.size()) {
    while (i + 8 <= text.size() && (trigger(i) | trigger(i + 1) | trigger(i + 2) | trigger(i + 3) |
                                    trigger(i + 4) | trigger(i + 5) | trigger(i + 6) | trigger(i + 7)) == 0)
      i += 8;
    while (i < text.size() && trigger(i) == 0) ++i;
    if (i < text.size()) i = look(text, i, left, out);
  }
}

// Looks at the candidate at `i`; returns where to go on.
std::size_t PiiScanner::look(std::string_view text, std::size_t i, std::size_t& left,
                             std::vector<PiiMatch>& out) const {
  switch (trigger_[static_cast<unsigned char>(text[i])]) {
    case digit:
      return scan_number(text, i, {wants(PiiKind::phone), wants(PiiKind::card), wants(PiiKind::iban)}, out);
    case at:
    case percent: {
      const bool encoded = text[i] == '%';
      if (encoded && text.substr(i, 3) != "%40") return i + 1;
      const std::size_t behind = i + (encoded ? 3 : 1);
      const std::size_t begin = local_part(text, i, left);
      const std::size_t end = domain(text, behind);
      left = behind;  // another @ looks no further back, so that the work stays linear
      if (begin == i || end == behind) return behind;
      add_match(out, {begin, end, PiiKind::email, 0});
      left = end;
      return end;
    }
    case letter_b: {
      const PiiMatch token = bearer_token(text, i);
      if (token.begin == token.end) return i + 1;
      add_match(out, token);
      return token.end;
    }
    case letter_j: {
      const std::size_t end = jwt_end(text, i);
      if (end == 0) return i + 1;
      add_match(out, {i - 2, end, PiiKind::jwt, 0});
      return end;
    }
    default:
      return i + 1;
  }
}

}  // namespace sidelight
