#include "agent/process/number_scan.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace sidelight {
namespace {

constexpr std::size_t kMostGroups = 16;
constexpr std::size_t kLeastPhone = 8;  // digits, with a plus
constexpr std::size_t kMostPhone = 15;  // E.164
constexpr std::size_t kLeastCard = 13;
constexpr std::size_t kMostCard = 19;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
  return is_digit(c) || is_letter(c) || c == '_';
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

// Digits, and what stood between them and the group before.
struct Group {
  std::size_t begin = 0;
  std::size_t size = 0;
  char gap = '\0';     // '-', '.' or ' '; parentheses count as blanks
  bool paren = false;  // in parentheses
};

struct Run {
  std::string_view text;
  std::array<Group, kMostGroups> groups;
  std::size_t count = 0;
  std::size_t digits = 0;
  std::size_t end = 0;  // past the last digit

  std::size_t end_of(std::size_t g) const { return groups[g].begin + groups[g].size; }
  char first(std::size_t g) const { return text[groups[g].begin]; }
};

// One separator at `i`; no-break spaces and typographic dashes count. 0: none.
std::size_t separator(std::string_view text, std::size_t i, char& gap) {
  const char c = text[i];
  if (c == ' ' || c == '-' || c == '.') {
    gap = c;
    return 1;
  }
  if (c == '\xC2' && text.substr(i, 2) == "\xC2\xA0") {
    gap = ' ';
    return 2;
  }
  if (c == '\xE2') {
    const std::string_view three = text.substr(i, 3);
    if (three == "\xE2\x80\xAF" || three == "\xE2\x80\x89") {
      gap = ' ';
      return 3;
    }
    if (three == "\xE2\x80\x90" || three == "\xE2\x80\x91" || three == "\xE2\x80\x92" ||
        three == "\xE2\x80\x93") {
      gap = '-';
      return 3;
    }
  }
  return 0;
}

// The next group's first digit behind what separates groups: at most a ')', one separator and a '('. 0: the
// run ends.
std::size_t next_group(std::string_view text, std::size_t i, Group& next) {
  next.gap = ' ';
  const std::size_t from = i;
  if (i < text.size() && text[i] == ')') ++i;
  if (i < text.size()) i += separator(text, i, next.gap);
  next.paren = i < text.size() && text[i] == '(';
  if (next.paren) ++i;
  return i > from && i < text.size() && is_digit(text[i]) ? i : 0;
}

void read_run(std::string_view text, std::size_t i, Run& run) {
  run.text = text;
  Group next;
  next.paren = i > 0 && text[i - 1] == '(';
  for (;;) {
    next.begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    next.size = i - next.begin;
    run.groups[run.count++] = next;
    run.digits += next.size;
    run.end = i;
    if (run.count == kMostGroups) return;
    next = {};
    i = next_group(text, i, next);
    if (i == 0) return;
  }
}

// No letter or digit touches the groups [g, last], and no decimal point.
bool stands_alone(const Run& run, std::size_t g, std::size_t last) {
  const std::string_view text = run.text;
  const std::size_t begin = run.groups[g].begin;
  const std::size_t end = run.end_of(last);
  if (begin > 0 && is_word(text[begin - 1])) return false;
  return end >= text.size() || !is_word(text[end]);
}

// Further groups that a dash or a point ties to these make something else of them, such as an order number.
bool is_tied(const Run& run, std::size_t g, std::size_t last) {
  if (g > 0 && run.groups[g].gap != ' ') return true;
  return last + 1 < run.count && run.groups[last + 1].gap != ' ';
}

bool has_shape(const Run& run, std::size_t g, std::initializer_list<std::size_t> sizes) {
  if (g + sizes.size() > run.count) return false;
  return std::all_of(sizes.begin(), sizes.end(), [&](std::size_t n) { return run.groups[g++].size == n; });
}

bool gaps_are(const Run& run, std::size_t g, std::size_t groups, std::string_view allowed) {
  for (std::size_t i = g + 1; i < g + groups; ++i) {
    if (allowed.find(run.groups[i].gap) == std::string_view::npos ||
        run.groups[i].gap != run.groups[g + 1].gap)
      return false;
  }
  return true;
}

// How many digits from group g to `last`, copied.
std::size_t collect(const Run& run, std::size_t g, std::size_t last, std::array<char, kMostCard>& digits) {
  std::size_t n = 0;
  for (std::size_t i = g; i <= last; ++i) {
    for (std::size_t k = 0; k < run.groups[i].size; ++k) {
      if (n == digits.size()) return digits.size() + 1;
      digits[n++] = run.text[run.groups[i].begin + k];
    }
  }
  return n;
}

bool is_card(const Run& run, std::size_t g, std::size_t last) {
  std::array<char, kMostCard> digits{};
  const std::size_t n = collect(run, g, last, digits);
  return n <= kMostCard && is_card_number({digits.data(), n}) && stands_alone(run, g, last);
}

// A decimal fraction or the like: 0.4111111111111111
bool behind_a_point(const Run& run, std::size_t g) {
  const std::size_t begin = run.groups[g].begin;
  return begin > 1 && run.text[begin - 1] == '.' && is_digit(run.text[begin - 2]);
}

// Groups that make a card beginning at group g; 0: none.
std::size_t card_groups(const Run& run, std::size_t g) {
  if (behind_a_point(run, g)) return 0;
  const auto dashes = [&](std::size_t groups) { return gaps_are(run, g, groups, " -"); };
  if (run.groups[g].size >= kLeastCard) return is_card(run, g, g) ? 1 : 0;
  // A whole run, however it is grouped.
  const std::size_t rest = run.count - g;
  if (g == 0 && rest > 1 && run.digits <= kMostCard && dashes(rest) && is_card(run, 0, run.count - 1))
    return rest;
  // The usual groupings, in whatever company.
  static constexpr std::array<std::array<std::size_t, 5>, 6> kShapes = {
      {{4, 4, 4, 4, 3}, {4, 4, 4, 4, 0}, {4, 6, 5, 0, 0}, {4, 6, 4, 0, 0}, {4, 4, 5, 0, 0}, {8, 8, 0, 0, 0}}};
  for (const auto& shape : kShapes) {
    const auto groups = static_cast<std::size_t>(std::find(shape.begin(), shape.end(), 0u) - shape.begin());
    if (groups > rest || !dashes(groups)) continue;
    std::size_t fits = 0;
    while (fits < groups && run.groups[g + fits].size == shape[fits]) ++fits;
    if (fits == groups && is_card(run, g, g + groups - 1)) return groups;
  }
  return 0;
}

// The plus before group g; `begin` becomes its place.
bool has_plus(const Run& run, std::size_t g, std::size_t& begin) {
  const std::string_view text = run.text;
  begin = run.groups[g].begin;
  if (begin > 0 && text[begin - 1] == '(') --begin;
  if (begin > 0 && text[begin - 1] == '+') {
    --begin;
  } else if (begin > 2 && text[begin - 3] == '%' && text[begin - 2] == '2' && upper(text[begin - 1]) == 'B') {
    begin -= 3;
  } else {
    return false;
  }
  return begin == 0 || !is_word(text[begin - 1]);
}

// Groups of an international number beginning at g. Takes as much as such a number can have: a digit too many
// hidden is better than one too few.
std::size_t international_groups(const Run& run, std::size_t g) {
  if (run.first(g) == '0') return 0;
  std::size_t digits = 0;
  std::size_t groups = 0;
  while (g + groups < run.count && digits + run.groups[g + groups].size <= kMostPhone) {
    digits += run.groups[g + groups].size;
    ++groups;
  }
  if (digits < kLeastPhone) return 0;
  const std::size_t end = run.end_of(g + groups - 1);
  return end >= run.text.size() || !is_digit(run.text[end]) ? groups : 0;
}

bool is_any(char c, std::string_view of) {
  return of.find(c) != std::string_view::npos;
}

// Groups of a number without a plus beginning at g.
std::size_t national_groups(const Run& run, std::size_t g) {
  const Group& head = run.groups[g];
  if (head.size == 11) {
    const std::string_view digits = run.text.substr(head.begin, 11);
    return digits.starts_with("79") || digits.starts_with("89") || digits.starts_with("8800") ? 1 : 0;
  }
  if (head.size == 1 && g + 1 < run.count) {
    const bool russian = is_any(run.first(g), "78") && is_any(run.first(g + 1), "3489");
    if (russian && has_shape(run, g, {1, 3, 3, 2, 2})) return 5;
    if (russian && has_shape(run, g, {1, 3, 3, 4})) return 4;
    if (russian && has_shape(run, g, {1, 4, 2, 2, 2})) return 5;
    if (russian && has_shape(run, g, {1, 3, 7})) return 3;
    if (run.first(g) == '1' && has_shape(run, g, {1, 3, 3, 4}) &&
        (run.groups[g + 1].paren || gaps_are(run, g, 4, "-.")))
      return 4;
  }
  if (head.paren) {
    if (has_shape(run, g, {3, 3, 2, 2}) || has_shape(run, g, {4, 2, 2, 2})) return 4;
    if (has_shape(run, g, {3, 3, 4})) return 3;
    if (has_shape(run, g, {3, 7})) return 2;
    return 0;
  }
  if (!is_any(run.first(g), "23456789")) return 0;
  if (has_shape(run, g, {3, 3, 4}) && gaps_are(run, g, 3, "-.") && is_any(run.first(g + 1), "23456789"))
    return 3;
  if (run.first(g) == '9' && has_shape(run, g, {3, 3, 2, 2}) && gaps_are(run, g, 4, "-")) return 4;
  return 0;
}

bool find_phone(const Run& run, std::size_t g, std::size_t& groups, std::size_t& begin) {
  if (has_plus(run, g, begin)) {
    groups = international_groups(run, g);
    return groups > 0;
  }
  begin = run.groups[g].begin;
  groups = national_groups(run, g);
  if (groups == 0 || !stands_alone(run, g, g + groups - 1) || is_tied(run, g, g + groups - 1)) return false;
  if (run.groups[g].paren && begin > 0 && run.text[begin - 1] == '(') --begin;
  return !behind_a_point(run, g);
}

std::size_t country_length(char a, char b) {
  // Lengths by country: the SWIFT IBAN registry.
  static constexpr std::string_view kCountries =
      "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO"
      "18FR27"
      "GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD"
      "24ME22"
      "MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST"
      "25SV28"
      "TL23TN24TR26UA29VA22VG24XK20YE30";
  static constexpr auto kLengths = [] {
    std::array<std::uint8_t, std::size_t{26} * 26> t{};
    for (std::size_t i = 0; i < kCountries.size(); i += 4)
      t.at(static_cast<std::size_t>((kCountries[i] - 'A') * 26 + kCountries[i + 1] - 'A')) =
          static_cast<std::uint8_t>((kCountries[i + 2] - '0') * 10 + (kCountries[i + 3] - '0'));
    return t;
  }();
  if (!is_letter(a) || !is_letter(b)) return 0;
  return kLengths[static_cast<std::size_t>((a - 'A') * 26 + b - 'A')];
}

// A phone has eight digits behind a plus, and ten without; all else has more.
std::size_t least_digits(std::string_view text, std::size_t i) {
  constexpr std::size_t kLeastNational = 10;
  const bool perhaps_plus = i > 0 && is_any(text[i - 1], "+(Bb");
  return perhaps_plus ? kLeastPhone : kLeastNational;
}

// Whether so many digits follow, whatever separates them, that they may be something. Most numbers in logs
// are short: `end` is past the last digit of those.
bool is_long_enough(std::string_view text, std::size_t i, std::size_t& end) {
  constexpr int kMostBetween = 3;
  const std::size_t least = least_digits(text, i);
  std::size_t digits = 0;
  for (int between = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      if (++digits == least) return true;
      between = 0;
      end = i + 1;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return true;  // perhaps a blank or a dash
    } else if ((c != ' ' && c != '-' && c != '.' && c != '(' && c != ')') || ++between > kMostBetween) {
      return false;
    }
  }
  return false;
}

}  // namespace

bool is_card_number(std::string_view digits) {
  if (digits.size() < kLeastCard || digits.size() > kMostCard) return false;
  const auto prefix = [&](std::size_t n) {
    unsigned v = 0;
    for (std::size_t i = 0; i < n; ++i) v = v * 10 + static_cast<unsigned>(digits[i] - '0');
    return v;
  };
  const unsigned two = prefix(2);
  // Which first digits issuers have (ISO/IEC 7812): 2 to 6 throughout, and what national systems use of 8
  // and 9. Numbers of microseconds since 1970 begin with 1, as do airlines' cards.
  const bool issued = (digits[0] >= '2' && digits[0] <= '6') || two == 81 || two == 82 || prefix(4) == 8600 ||
                      prefix(4) == 9792 || prefix(4) == 9860;
  if (!issued) return false;
  // Short ones only where such cards are.
  if (digits.size() == 13 && digits[0] != '4') return false;
  if (digits.size() == 14 && two != 30 && two != 36 && two != 38 && two != 39) return false;
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto d = static_cast<unsigned>(digits[digits.size() - 1 - i] - '0');
    sum += i % 2 == 0 ? d : d * 2 - (d > 4 ? 9 : 0);
  }
  return sum % 10 == 0;
}

std::size_t iban_end(std::string_view text, std::size_t i) {
  if (i < 2 || !is_letter(text[i - 1]) || !is_letter(text[i - 2])) return 0;
  if (i > 2 && is_word(text[i - 3])) return 0;
  const std::size_t length = country_length(upper(text[i - 2]), upper(text[i - 1]));
  if (length == 0) return 0;
  std::array<char, 34> compact{};
  std::size_t n = 0;
  std::size_t at = i - 2;
  while (n < length && at < text.size()) {
    const char c = text[at];
    if (is_digit(c) || is_letter(c)) {
      compact[n++] = c;
      ++at;
      continue;
    }
    char gap = '\0';
    const std::size_t skip = n > 0 && n % 4 == 0 && c != '.' ? separator(text, at, gap) : 0;
    if (skip == 0) return 0;
    at += skip;
  }
  if (n < length || (at < text.size() && is_word(text[at]))) return 0;
  return is_iban({compact.data(), n}) ? at : 0;
}

bool is_iban(std::string_view compact) {
  if (compact.size() < 15 || compact.size() > 34) return false;
  unsigned rest = 0;
  for (std::size_t k = 0; k < compact.size(); ++k) {
    const char c = upper(compact[(k + 4) % compact.size()]);
    if (is_digit(c)) {
      rest = (rest * 10 + static_cast<unsigned>(c - '0')) % 97;
    } else if (is_letter(c)) {
      rest = (rest * 100 + static_cast<unsigned>(c - 'A') + 10) % 97;
    } else {
      return false;
    }
  }
  return rest == 1 && country_length(upper(compact[0]), upper(compact[1])) == compact.size();
}

std::size_t scan_number(std::string_view text, std::size_t i, const NumberKinds& kinds,
                        std::vector<PiiMatch>& out) {
  if (std::size_t end = i; !is_long_enough(text, i, end)) return end;
  Run run;
  read_run(text, i, run);
  if (run.digits < kLeastPhone || (!kinds.phone && !kinds.card)) return run.end;
  std::size_t done = 0;  // groups that belong to something
  for (std::size_t g = 0; g < run.count; ++g) {
    std::size_t groups = 0;
    std::size_t begin = 0;
    if (kinds.phone && find_phone(run, g, groups, begin)) {
      add_match(out, {begin, run.end_of(g + groups - 1), PiiKind::phone, 0});
      done = std::max(done, g + groups);
    }
    const std::size_t card = kinds.card ? card_groups(run, g) : 0;
    if (card > 0) {
      add_match(out, {run.groups[g].begin, run.end_of(g + card - 1), PiiKind::card, 0});
      done = std::max(done, g + card);
    }
    if (done > g) g = done - 1;
  }
  // A run that is too long is gone on with at its last group, unless that is done.
  if (run.count < kMostGroups) return run.end;
  const std::size_t last = kMostGroups / 2;
  return done > last ? run.end_of(done - 1) : run.groups[last].begin;
}

}  // namespace sidelight
