#include "agent/parse/time_zone.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "agent/base/rfc3339.h"

namespace sidelight {
namespace {

constexpr const char* kZoneDirectory = "/usr/share/zoneinfo/";
constexpr std::int64_t kDay = 86'400;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct KnownZone {
  std::string_view abbreviation;
  int minutes;  // east of UTC
};

// Abbreviations that mean one offset wherever they are written. CST, BST, IST, EST and the like do not.
constexpr auto kKnownZones = std::to_array<KnownZone>({
    {"AEDT", 660}, {"AEST", 600}, {"AKDT", -480}, {"AKST", -540}, {"AWST", 480}, {"CEST", 120}, {"CET", 60},
    {"EEST", 180}, {"EET", 120},  {"GMT", 0},     {"HKT", 480},   {"IRKT", 480}, {"JST", 540},  {"KRAT", 420},
    {"MAGT", 660}, {"MESZ", 120}, {"MEZ", 60},    {"MSD", 240},   {"MSK", 180},  {"NOVT", 420}, {"NZDT", 780},
    {"NZST", 720}, {"OMST", 360}, {"PETT", 720},  {"SAMT", 240},  {"UTC", 0},    {"VLAT", 600}, {"WEST", 60},
    {"WET", 0},    {"YAKT", 540}, {"YEKT", 300},
});
static_assert(std::is_sorted(kKnownZones.begin(), kKnownZones.end(),
                             [](const KnownZone& a, const KnownZone& b) {
                               return a.abbreviation < b.abbreviation;
                             }));

// "+03:00", "+0300", "-05".
std::optional<std::int64_t> fixed_offset(std::string_view s) {
  if (s.size() < 3 || (s[0] != '+' && s[0] != '-')) return std::nullopt;
  std::string digits;
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (s[i] == ':' && i == 3 && s.size() == 6) continue;
    if (!is_digit(s[i])) return std::nullopt;
    digits += s[i];
  }
  if (digits.size() != 2 && digits.size() != 4) return std::nullopt;
  const int hours = std::stoi(digits.substr(0, 2));
  const int minutes = digits.size() == 4 ? std::stoi(digits.substr(2)) : 0;
  if (hours > 18 || minutes > 59) return std::nullopt;
  const std::int64_t seconds = hours * 3600 + minutes * 60;
  return s[0] == '-' ? -seconds : seconds;
}

bool plausible_name(const std::string& name) {
  if (name.empty() || name.size() > 100 || name[0] == '/' || name.find("..") != std::string::npos)
    return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

// Big-endian integers of a TZif file, with every read inside the bytes.
class TzifReader {
 public:
  explicit TzifReader(std::string_view bytes) : bytes_(bytes) {}
  bool skip(std::size_t n) {
    if (n > bytes_.size()) return ok_ = false;
    bytes_.remove_prefix(n);
    return true;
  }
  std::int64_t integer(std::size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      return 0;
    }
    std::uint64_t v = static_cast<unsigned char>(bytes_[0]) >= 0x80 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < size; ++i) v = v << 8 | static_cast<unsigned char>(bytes_[i]);
    bytes_.remove_prefix(size);
    return static_cast<std::int64_t>(v);
  }
  std::size_t count() { return static_cast<std::size_t>(integer(4)) & 0xFFFFFF; }
  unsigned byte() { return static_cast<unsigned>(integer(1)) & 0xFFu; }
  std::string_view take(std::size_t n) {
    if (n > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view s = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return s;
  }
  std::string_view rest() const { return bytes_; }
  bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct TzifHeader {
  char version = 0;
  std::size_t ut = 0, std = 0, leap = 0, times = 0, types = 0, chars = 0;
};

bool read_header(TzifReader& in, TzifHeader& h) {
  if (in.take(4) != "TZif") return false;
  const std::string_view version = in.take(1);
  if (!in.skip(15)) return false;
  h.version = version.empty() ? '\0' : version[0];
  h.ut = in.count();
  h.std = in.count();
  h.leap = in.count();
  h.times = in.count();
  h.types = in.count();
  h.chars = in.count();
  return in.ok() && h.types > 0;
}

}  // namespace

// Reads "MSK-3" or "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX, with the extension of RFC 8536 for hours beyond 24).
class PosixRuleReader {
 public:
  explicit PosixRuleReader(std::string_view s) : s_(s) {}
  std::optional<TimeZone::Footer> read() {
    TimeZone::Footer f;
    if (!name() || !offset(f.standard)) return std::nullopt;
    f.standard = -f.standard;
    if (s_.empty()) return f;
    f.has_dst = true;
    f.daylight = f.standard + 3600;
    if (!name()) return std::nullopt;
    if (!s_.empty() && s_[0] != ',') {
      if (!offset(f.daylight)) return std::nullopt;
      f.daylight = -f.daylight;
    }
    if (!rule(f.to_daylight) || !rule(f.to_standard) || !s_.empty()) return std::nullopt;
    return f;
  }

 private:
  bool eat(char c) {
    if (s_.empty() || s_[0] != c) return false;
    s_.remove_prefix(1);
    return true;
  }
  bool name() {
    std::size_t n = 0;
    if (!s_.empty() && s_[0] == '<') {
      n = s_.find('>');
      if (n == std::string_view::npos) return false;
      ++n;
    } else {
      while (n < s_.size() && std::isalpha(static_cast<unsigned char>(s_[n])) != 0) ++n;
    }
    s_.remove_prefix(n);
    return n >= 3;
  }
  bool number(int& out) {
    std::size_t n = 0;
    out = 0;
    while (n < s_.size() && n < 4 && is_digit(s_[n])) out = out * 10 + (s_[n++] - '0');
    s_.remove_prefix(n);
    return n > 0;
  }
  bool offset(std::int64_t& out) {
    const bool negative = eat('-');
    if (!negative) eat('+');
    int h = 0;
    int m = 0;
    int sec = 0;
    if (!number(h)) return false;
    if (eat(':') && !number(m)) return false;
    if (eat(':') && !number(sec)) return false;
    out = h * 3600 + m * 60 + sec;
    if (negative) out = -out;
    return true;
  }
  bool rule(TimeZone::YearRule& r) {
    if (!eat(',')) return false;
    if (eat('M')) {
      r.kind = TimeZone::YearRule::Kind::month_week_day;
      if (!number(r.month) || !eat('.') || !number(r.week) || !eat('.') || !number(r.weekday)) return false;
      if (r.month < 1 || r.month > 12 || r.week < 1 || r.week > 5 || r.weekday > 6) return false;
    } else {
      r.kind =
          eat('J') ? TimeZone::YearRule::Kind::julian_without_leap : TimeZone::YearRule::Kind::day_of_year;
      if (!number(r.month) || r.month > 366) return false;
    }
    return !eat('/') || offset(r.time);
  }

  std::string_view s_;
};

Expected<TimeZone> TimeZone::load(const std::string& name) {
  if (name == "UTC" || name == "GMT" || name == "Z" || name == "Etc/UTC") return TimeZone();
  if (const auto fixed = fixed_offset(name)) {
    TimeZone z;
    z.first_offset_ = z.footer_.standard = *fixed;
    return z;
  }
  if (!plausible_name(name)) {
    return fail("\"" + name +
                "\" is no time zone; use UTC, an offset such as +03:00, or a name such as Europe/Moscow");
  }
  const std::string path = kZoneDirectory + name;
  std::string bytes;
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (bytes.empty()) {
    return fail(
        "the time zone \"" + name + "\" is not known on this machine (no " + path +
        "; is tzdata installed?); use UTC, an offset such as +03:00, or a name such as Europe/Moscow");
  }
  auto zone = from_tzif(bytes);
  if (!zone) return fail("the time zone file of \"" + name + "\" cannot be read: " + zone.error().message);
  return zone;
}

Expected<TimeZone> TimeZone::from_tzif(std::string_view bytes) {
  TzifReader in(bytes);
  TzifHeader h;
  if (!read_header(in, h)) return fail("it is no TZif file");
  std::size_t time_size = 4;
  if (h.version >= '2') {  // the first block repeats the data in 32 bits
    in.skip(h.times * 5 + h.types * 6 + h.chars + h.leap * 8 + h.std + h.ut);
    if (!read_header(in, h)) return fail("its second header is damaged");
    time_size = 8;
  }
  if (h.times * (time_size + 1) > in.rest().size() || h.types > 256) return fail("it is cut short");
  TimeZone z;
  for (std::size_t i = 0; i < h.times; ++i) z.transitions_.push_back(in.integer(time_size));
  const std::string_view indices = in.take(h.times);
  std::vector<std::int64_t> types;
  std::vector<std::size_t> name_at;
  for (std::size_t i = 0; i < h.types; ++i) {
    types.push_back(in.integer(4));
    in.skip(1);
    name_at.push_back(in.byte());
  }
  const std::string_view names = in.take(h.chars);
  in.skip(h.leap * (time_size + 4) + h.std + h.ut);
  if (!in.ok() || !std::is_sorted(z.transitions_.begin(), z.transitions_.end())) return fail("it is damaged");
  for (const char c : indices) {
    const auto type = static_cast<unsigned char>(c);
    if (type >= types.size()) return fail("it is damaged");
    z.offsets_.push_back(types[type]);
  }
  z.first_offset_ = types[0];
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string_view name = names.substr(std::min(name_at[i], names.size()));
    z.names_.push_back({std::string(name.substr(0, name.find('\0'))), types[i]});
  }
  z.footer_.standard = z.offsets_.empty() ? z.first_offset_ : z.offsets_.back();
  std::string_view footer = in.rest();
  if (time_size == 8 && footer.size() > 2 && footer.front() == '\n') {
    footer = footer.substr(1, footer.find('\n', 1) - 1);
    if (!footer.empty()) {
      const auto rules = PosixRuleReader(footer).read();
      if (!rules) return fail("its rule for the future is damaged");
      z.footer_ = *rules;
    }
  }
  return z;
}

std::int64_t TimeZone::rule_second(const YearRule& rule, std::int64_t year) {
  const std::int64_t first = days_from_civil(year, 1, 1);
  std::int64_t day = 0;
  switch (rule.kind) {
    case YearRule::Kind::day_of_year:
      day = first + rule.month;
      break;
    case YearRule::Kind::julian_without_leap: {
      const bool leap = days_from_civil(year + 1, 1, 1) - first == 366;
      day = first + rule.month - 1 + (leap && rule.month >= 60 ? 1 : 0);
      break;
    }
    case YearRule::Kind::month_week_day: {
      const auto month = static_cast<unsigned>(rule.month);
      const std::int64_t month_first = days_from_civil(year, month, 1);
      const std::int64_t next =
          month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1, 1);
      const std::int64_t weekday = ((month_first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
      day = month_first + (rule.weekday - weekday + 7) % 7 + (rule.week - 1) * 7;
      while (day >= next) day -= 7;
      break;
    }
  }
  return day * kDay + rule.time;
}

std::int64_t TimeZone::footer_offset(std::int64_t utc) const {
  if (!footer_.has_dst) return footer_.standard;
  const std::int64_t local = utc + footer_.standard;
  const std::int64_t days = local >= 0 ? local / kDay : (local - kDay + 1) / kDay;
  const std::int64_t year = civil_from_days(days).year;
  const std::int64_t on = rule_second(footer_.to_daylight, year) - footer_.standard;
  const std::int64_t off = rule_second(footer_.to_standard, year) - footer_.daylight;
  const bool daylight = on < off ? utc >= on && utc < off : utc >= on || utc < off;
  return daylight ? footer_.daylight : footer_.standard;
}

std::int64_t TimeZone::offset_at_utc(std::int64_t utc) const {
  if (transitions_.empty()) return footer_offset(utc);
  if (utc < transitions_.front()) return first_offset_;
  if (utc >= transitions_.back()) return footer_offset(utc);
  const auto it = std::upper_bound(transitions_.begin(), transitions_.end(), utc);
  return offsets_[static_cast<std::size_t>(it - transitions_.begin()) - 1];
}

std::int64_t TimeZone::offset_of_local(std::int64_t local) const {
  // Offsets lie within a day of UTC and change at most once in two days, so the offsets a day before and a
  // day after are the two candidates around this time.
  const std::int64_t before = offset_at_utc(local - kDay);
  if (offset_at_utc(local - before) == before) return before;
  const std::int64_t after = offset_at_utc(local + kDay);
  if (offset_at_utc(local - after) == after) return after;
  return before;
}

std::optional<std::int64_t> offset_named(std::string_view abbreviation) {
  const auto* const found =
      std::lower_bound(kKnownZones.begin(), kKnownZones.end(), abbreviation,
                       [](const KnownZone& z, std::string_view a) { return z.abbreviation < a; });
  if (found == kKnownZones.end() || found->abbreviation != abbreviation) return std::nullopt;
  return found->minutes * std::int64_t{60};
}

bool TimeZone::knows_abbreviation(std::string_view abbreviation) const {
  return std::any_of(names_.begin(), names_.end(),
                     [&](const Name& n) { return n.abbreviation == abbreviation; });
}

std::optional<std::int64_t> TimeZone::offset_of_local(std::int64_t local,
                                                      std::string_view abbreviation) const {
  for (const Name& n : names_) {
    if (n.abbreviation == abbreviation && offset_at_utc(local - n.offset) == n.offset) return n.offset;
  }
  return std::nullopt;
}

}  // namespace sidelight
