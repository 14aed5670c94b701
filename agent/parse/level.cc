#include "agent/parse/level.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace sidelight {
namespace {

constexpr std::string_view kTrace = "trace";
constexpr std::string_view kDebug = "debug";
constexpr std::string_view kInfo = "info";
constexpr std::string_view kNotice = "notice";
constexpr std::string_view kWarning = "warning";
constexpr std::string_view kError = "error";
constexpr std::string_view kCritical = "critical";
constexpr std::string_view kAlert = "alert";
constexpr std::string_view kEmergency = "emergency";

struct Word {
  std::string_view word;  // lower case
  std::string_view level;
  bool in_text;  // see level_in_text()
};

constexpr auto kWords = std::to_array<Word>({
    {"a", kAlert, false},         {"alert", kAlert, true},        {"c", kCritical, false},
    {"config", kDebug, false},    {"crit", kCritical, true},      {"critical", kCritical, true},
    {"d", kDebug, false},         {"dbg", kDebug, true},          {"dbug", kDebug, true},
    {"debug", kDebug, true},      {"debug1", kDebug, true},       {"debug2", kDebug, true},
    {"debug3", kDebug, true},     {"debug4", kDebug, true},       {"debug5", kDebug, true},
    {"default", kInfo, false},    {"dpanic", kCritical, false},   {"e", kError, false},
    {"eer", kError, false},       {"emerg", kEmergency, true},    {"emergency", kEmergency, true},
    {"err", kError, true},        {"erro", kError, true},         {"error", kError, true},
    {"f", kCritical, false},      {"fail", kError, false},        {"fatal", kCritical, true},
    {"fine", kDebug, true},       {"finer", kTrace, true},        {"finest", kTrace, true},
    {"i", kInfo, false},          {"inf", kInfo, true},           {"info", kInfo, true},
    {"information", kInfo, true}, {"informational", kInfo, true}, {"log", kInfo, false},
    {"n", kNotice, false},        {"note", kNotice, false},       {"notice", kNotice, true},
    {"ntc", kNotice, false},      {"panic", kEmergency, true},    {"s", kCritical, false},
    {"severe", kError, true},     {"silly", kTrace, false},       {"statement", kInfo, false},
    {"t", kTrace, false},         {"trace", kTrace, true},        {"trc", kTrace, true},
    {"trce", kTrace, true},       {"v", kTrace, false},           {"verbose", kTrace, true},
    {"vrb", kTrace, false},       {"w", kWarning, false},         {"warn", kWarning, true},
    {"warning", kWarning, true},  {"wrn", kWarning, true},
});

static_assert(std::is_sorted(kWords.begin(), kWords.end(),
                             [](const Word& a, const Word& b) { return a.word < b.word; }));

constexpr std::size_t kLongest = 13;

// A word of at most kLongest letters in lower case, as two numbers: compared at once.
struct Packed {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  constexpr explicit Packed(std::string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i) {
      const auto c = static_cast<unsigned char>(word[i]);
      const auto lower = static_cast<std::uint64_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      (i < 8 ? low : high) |= lower << (i % 8 * 8);
    }
  }
  constexpr Packed() = default;
  bool operator==(const Packed&) const = default;
};

constexpr auto kPacked = [] {
  std::array<Packed, kWords.size()> packed{};
  for (std::size_t i = 0; i < kWords.size(); ++i) packed[i] = Packed(kWords[i].word);
  return packed;
}();

// kFirst[i]: where the words begin whose first letter is 'a' + i, or a later one.
constexpr auto kFirst = [] {
  std::array<std::uint8_t, 27> first{};
  for (std::size_t i = 0; i < first.size(); ++i) {
    while (first[i] < kWords.size() && kWords[first[i]].word[0] < static_cast<char>('a' + i)) ++first[i];
  }
  return first;
}();

std::string_view find(std::string_view word, bool in_text) {
  if (word.empty() || word.size() > kLongest) return {};
  const Packed packed(word);
  const std::size_t letter = (packed.low & 0xFF) - 'a';
  if (letter >= kFirst.size() - 1) return {};
  for (std::size_t i = kFirst[letter]; i < kFirst[letter + 1]; ++i) {
    if (kPacked[i] == packed && kWords[i].word.size() == word.size())
      return in_text && !kWords[i].in_text ? std::string_view{} : kWords[i].level;
  }
  return {};
}

}  // namespace

std::string_view normalise_level(std::string_view word) {
  return find(word, false);
}

std::string_view level_of_value(std::string_view value) {
  const std::size_t first = value.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  value = value.substr(first, value.find_last_not_of(' ') + 1 - first);
  const std::size_t sign = value.find_first_of("+-");
  const std::string_view steps = value.substr(std::min(sign, value.size()));
  if (steps.size() < 2 || steps.size() > 3 ||
      steps.find_first_not_of("0123456789", 1) != std::string_view::npos)
    return normalise_level(value);
  const std::string_view level = normalise_level(value.substr(0, sign));
  // slog's levels are four apart, and DEBUG is the lowest that has a name.
  const bool far_below = steps[0] == '-' && (steps.size() == 3 || steps[1] >= '4');
  return level == kDebug && far_below ? kTrace : level;
}

std::string_view mongodb_level(std::string_view value) {
  if (value.size() == 2 && value[0] == 'D' && value[1] >= '1' && value[1] <= '5') return kDebug;
  return value.size() == 1 && std::string_view("FEWID").contains(value[0]) ? normalise_level(value)
                                                                           : std::string_view{};
}

std::string_view level_in_text(std::string_view word) {
  return find(word, true);
}

std::string_view normalise_level(std::int64_t number) {
  static constexpr std::array<std::string_view, 8> kSyslog = {kEmergency, kAlert,  kCritical, kError,
                                                              kWarning,   kNotice, kInfo,     kDebug};
  if (number >= 0 && number <= 7) return kSyslog[static_cast<std::size_t>(number)];
  if (number < 10 || number > 600) return {};
  if (number < 70) {  // bunyan, pino: custom levels lie between the tens
    static constexpr std::array<std::string_view, 7> kTens = {std::string_view{}, kTrace, kDebug,   kInfo,
                                                              kWarning,           kError, kCritical};
    return kTens[static_cast<std::size_t>(number / 10)];
  }
  switch (number) {  // Monolog
    case 100:
      return kDebug;
    case 200:
      return kInfo;
    case 250:
      return kNotice;
    case 300:
      return kWarning;
    case 400:
      return kError;
    case 500:
      return kCritical;
    case 550:
      return kAlert;
    case 600:
      return kEmergency;
    default:
      return {};
  }
}

}  // namespace sidelight
