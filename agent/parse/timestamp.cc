#include "agent/parse/timestamp.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "agent/base/rfc3339.h"

namespace sidelight {
namespace {

constexpr std::int64_t kNanos = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2261;
constexpr std::size_t kIsoSeconds = TimeMemory::kLength;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Civil {
  int year = 0;  // 0: not said
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t nanos = 0;
  std::optional<std::int64_t> offset;  // seconds east of UTC
  std::string_view zone_name;          // one that the configured zone has at some time
};

unsigned days_in_month(int year, unsigned month) {
  static constexpr std::array<unsigned, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month];
}

// Reads from the front of a text; every method either consumes what it names or leaves the position alone and
// says false.
class Cursor {
 public:
  explicit Cursor(std::string_view s) : s_(s) {}

  std::size_t position() const { return at_; }
  void rewind(std::size_t position) { at_ = position; }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < s_.size() ? s_[at_ + ahead] : '\0'; }
  bool eat(char c) {
    if (at_ >= s_.size() || s_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool eat(std::string_view word) {
    if (!s_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool digits(unsigned count, unsigned& out) {
    if (at_ + count > s_.size()) return false;
    unsigned v = 0;
    for (unsigned i = 0; i < count; ++i) {
      const auto d = static_cast<unsigned>(static_cast<unsigned char>(s_[at_ + i])) - '0';
      if (d > 9) return false;
      v = v * 10 + d;
    }
    at_ += count;
    out = v;
    return true;
  }
  // One or two digits, a blank allowed for the first ("Nov  2").
  bool day(unsigned& out) {
    if (peek() == ' ' && is_digit(peek(1))) ++at_;
    return is_digit(peek(1)) ? digits(2, out) : digits(1, out);
  }
  bool year(int& out) {
    unsigned y = 0;
    if (!is_digit(peek(3)) || is_digit(peek(4)) || !digits(4, y)) return false;
    out = static_cast<int>(y);
    return true;
  }
  bool month_name(unsigned& out) {
    static constexpr std::string_view kNames = "janfebmaraprmayjunjulaugsepoctnovdec";
    const unsigned name = lower(0) << 16 | lower(1) << 8 | lower(2);
    for (unsigned m = 0; m < 12; ++m) {
      const auto c = [&](unsigned i) {
        return static_cast<unsigned>(static_cast<unsigned char>(kNames[m * 3 + i]));
      };
      if (name == (c(0) << 16 | c(1) << 8 | c(2))) {
        at_ += 3;
        out = m + 1;
        return true;
      }
    }
    return false;
  }
  bool weekday() {
    static constexpr std::array<std::string_view, 7> kNames = {"Mon", "Tue", "Wed", "Thu",
                                                               "Fri", "Sat", "Sun"};
    for (const std::string_view n : kNames) {
      if (eat(n)) return true;
    }
    return false;
  }
  // hh:mm:ss, an hour of one digit allowed.
  bool clock(Civil& t) {
    const std::size_t start = at_;
    const bool hour = is_digit(peek(1)) ? digits(2, t.hour) : digits(1, t.hour);
    if (hour && eat(':') && digits(2, t.minute) && eat(':') && digits(2, t.second)) {
      fraction(t);
      return true;
    }
    at_ = start;
    return false;
  }
  void fraction(Civil& t) {
    if ((peek() != '.' && peek() != ',') || !is_digit(peek(1))) return;
    ++at_;
    std::int64_t unit = kNanos;
    for (; is_digit(peek()); ++at_) {
      unit /= 10;
      t.nanos += unit * (peek() - '0');
    }
  }
  void am_pm(Civil& t) {
    // Since Java 20 the blank is a narrow one that does not break.
    const std::size_t blank = peek() == ' ' ? 1 : s_.substr(at_).starts_with("\u202F") ? 3 : 0;
    const char half = peek(blank);
    if ((half != 'A' && half != 'P') || peek(blank + 1) != 'M' || is_alpha(peek(blank + 2)) || t.hour == 0 ||
        t.hour > 12)
      return;
    at_ += blank + 2;
    t.hour = t.hour % 12 + (half == 'P' ? 12 : 0);
  }
  // Consumes a zone if one follows, behind at most one blank.
  void zone(Civil& t, const TimeZone& configured) {
    const std::size_t start = at_;
    const bool blank = eat(' ');
    if (peek() == '+' || peek() == '-') {
      if (numeric_zone(t, blank)) return;
    } else if (!blank && (peek() == 'Z' || peek() == 'z') && !is_alpha(peek(1)) && !is_digit(peek(1))) {
      ++at_;
      t.offset = 0;
      return;
    } else if (named_zone(t, configured)) {
      return;
    }
    at_ = start;
  }
  // Nothing that would make the time part of a longer word follows.
  bool at_boundary() const { return !is_digit(peek()) && !is_alpha(peek()); }

 private:
  unsigned lower(unsigned ahead) const {
    return static_cast<unsigned>(static_cast<unsigned char>(peek(ahead))) | 0x20u;
  }

  bool numeric_zone(Civil& t, bool blank) {
    const std::size_t start = at_;
    const bool west = peek() == '-';
    ++at_;
    unsigned h = 0;
    unsigned m = 0;
    bool ok = digits(2, h);
    if (ok && eat(':')) {
      ok = digits(2, m);
    } else if (ok && is_digit(peek())) {
      ok = digits(2, m);
    } else if (blank) {
      ok = false;  // " -05" is more often text than a zone
    }
    if (!ok || is_digit(peek()) || h > 15 || m > 59) {
      at_ = start;
      return false;
    }
    const auto seconds = static_cast<std::int64_t>(h * 3600 + m * 60);
    t.offset = west ? -seconds : seconds;
    if (!eat(" UTC")) eat(" GMT");  // Go's time.String()
    return true;
  }
  bool named_zone(Civil& t, const TimeZone& configured) {
    std::size_t n = 0;
    while (peek(n) >= 'A' && peek(n) <= 'Z' && n < 7) ++n;
    if (n < 3 || n > 6 || is_alpha(peek(n)) || is_digit(peek(n))) return false;
    const std::string_view name = s_.substr(at_, n);
    if (configured.knows_abbreviation(name)) {
      t.zone_name = name;
    } else {
      t.offset = offset_named(name);
      if (!t.offset) return false;
    }
    at_ += n;
    return true;
  }

  std::string_view s_;
  std::size_t at_ = 0;
};

// Seconds since 1970 of a clock that shows `t`, whatever its zone.
std::optional<std::int64_t> local_seconds(const Civil& t) {
  if (t.year < kFirstYear || t.year > kLastYear || t.month - 1 > 11 || t.day == 0 ||
      t.day > days_in_month(t.year, t.month) || t.hour > 23 || t.minute > 59 || t.second > 60) {
    return std::nullopt;
  }
  return days_from_civil(t.year, t.month, t.day) * kDay + t.hour * 3600 + t.minute * 60 + t.second;
}

std::optional<std::int64_t> in_zone(std::int64_t local, const Civil& t, const TimeZone& zone) {
  std::optional<std::int64_t> offset = t.offset;
  if (!t.zone_name.empty()) {
    offset = zone.offset_of_local(local, t.zone_name);
    if (!offset) offset = offset_named(t.zone_name);
  }
  const std::int64_t utc = local - (offset ? *offset : zone.offset_of_local(local));
  if (utc < 0) return std::nullopt;
  return utc * kNanos + t.nanos;
}

std::optional<std::int64_t> to_ns(const Civil& t, const TimeZone& zone) {
  const auto local = local_seconds(t);
  return local ? in_zone(*local, t, zone) : std::nullopt;
}

// Without a year: the year that brings it nearest to now, at most a day ahead (clocks differ, zones too).
std::optional<std::int64_t> complete(Civil t, const TimeContext& context) {
  if (t.year != 0) return to_ns(t, *context.zone);
  const int now_year = civil_from_days(context.now_ns / kNanos / kDay).year;
  for (t.year = now_year + 1; t.year >= now_year - 8; --t.year) {  // back to a leap year for 29 February
    const auto ns = to_ns(t, *context.zone);
    if (ns && *ns <= context.now_ns + kDay * kNanos) return ns;
  }
  return std::nullopt;
}

std::optional<TimeMatch> finish(const Cursor& c, const Civil& t, const TimeContext& context) {
  if (!c.at_boundary()) return std::nullopt;
  const auto ns = complete(t, context);
  if (!ns) return std::nullopt;
  return TimeMatch{*ns, c.position()};
}

// Two digits at p in ASCII; `bad` gets bits above 9 when they are none.
inline unsigned two(const char* p, unsigned& bad) {
  const unsigned a = static_cast<unsigned>(static_cast<unsigned char>(p[0])) - '0';
  const unsigned b = static_cast<unsigned>(static_cast<unsigned char>(p[1])) - '0';
  bad |= static_cast<unsigned>(a > 9) | static_cast<unsigned>(b > 9);
  return a * 10 + b;
}

// The form nearly every line has: yyyy-mm-ddThh:mm:ss, straight from the bytes.
bool iso_fields(std::string_view s, Civil& t) {
  if (s.size() < kIsoSeconds) return false;
  const char* p = s.data();
  const char date = p[4];
  if ((date != '-' && date != '/') || p[7] != date || p[13] != ':' || p[16] != ':') return false;
  if (p[10] != 'T' && p[10] != ' ' && p[10] != 't' && p[10] != '_') return false;
  unsigned bad = 0;
  t.year = static_cast<int>(two(p, bad) * 100 + two(p + 2, bad));
  t.month = two(p + 5, bad);
  t.day = two(p + 8, bad);
  t.hour = two(p + 11, bad);
  t.minute = two(p + 14, bad);
  t.second = two(p + 17, bad);
  return bad == 0;
}

// ".mmmZ", ".uuuuuuZ" or "Z" behind the seconds, at the end of the text or before no letter or digit: its
// length; 0 when it is something else.
std::size_t utc_fraction(std::string_view s, std::int64_t& nanos) {
  std::size_t i = kIsoSeconds;
  std::int64_t value = 0;
  std::int64_t unit = kNanos;
  if (i + 4 < s.size() && (s[i] == '.' || s[i] == ',') && s[i + 4] == 'Z' && is_digit(s[i + 1]) &&
      is_digit(s[i + 2]) && is_digit(s[i + 3])) [[likely]] {
    value = (s[i + 1] - '0') * 100 + (s[i + 2] - '0') * 10 + (s[i + 3] - '0');
    unit = 1'000'000;
    i += 4;
  } else if (i < s.size() && (s[i] == '.' || s[i] == ',')) {
    for (++i; i < s.size() && is_digit(s[i]) && unit > 1; ++i) {
      value = value * 10 + (s[i] - '0');
      unit /= 10;
    }
    if (unit == kNanos) return 0;
  }
  if (i >= s.size() || s[i] != 'Z') return 0;
  ++i;
  if (i < s.size() && (is_digit(s[i]) || is_alpha(s[i]))) return 0;
  nanos = value * unit;
  return i;
}

// yyyy-mm-ddThh:mm:ss at the front of s.
std::optional<std::int64_t> iso_seconds(std::string_view s, TimeMemory* memory) {
  if (memory != nullptr && s.size() >= kIsoSeconds && memory->is_at(s.data())) [[likely]]
    return memory->seconds;
  Civil t;
  if (!iso_fields(s, t)) return std::nullopt;
  const auto local = local_seconds(t);
  if (local && memory != nullptr) {
    s.copy(memory->text.data(), memory->text.size());
    memory->seconds = *local;
  }
  return local;
}

std::optional<TimeMatch> match_iso(std::string_view s, const TimeContext& context) {
  const auto local = iso_seconds(s, context.memory);
  if (!local) return std::nullopt;
  Civil rest;
  if (const std::size_t length = utc_fraction(s, rest.nanos); length != 0) [[likely]]
    return TimeMatch{*local * kNanos + rest.nanos, length};
  Cursor c(s);
  c.rewind(kIsoSeconds);
  c.fraction(rest);
  c.zone(rest, *context.zone);
  if (!c.at_boundary()) return std::nullopt;
  const auto ns = in_zone(*local, rest, *context.zone);
  if (!ns) return std::nullopt;
  return TimeMatch{*ns, c.position()};
}

// 20261122T200102.123Z, 20261122 20:01:02.
std::optional<TimeMatch> match_compact(std::string_view s, const TimeContext& context) {
  Cursor c(s);
  Civil t;
  unsigned year = 0;
  if (!c.digits(4, year) || !c.digits(2, t.month) || !c.digits(2, t.day)) return std::nullopt;
  t.year = static_cast<int>(year);
  if (!c.eat('T') && !c.eat(' ') && !c.eat('-')) return std::nullopt;
  if (!c.clock(t)) {
    if (!c.digits(2, t.hour) || !c.digits(2, t.minute) || !c.digits(2, t.second)) return std::nullopt;
    c.fraction(t);
  }
  c.zone(t, *context.zone);
  return finish(c, t, context);
}

// 17/06/09 20:10:40.
std::optional<TimeMatch> match_short_year(std::string_view s, const TimeContext& context) {
  Cursor c(s);
  Civil t;
  unsigned year = 0;
  if (!c.digits(2, year) || !c.eat('/') || !c.digits(2, t.month) || !c.eat('/') || !c.digits(2, t.day))
    return std::nullopt;
  t.year = static_cast<int>(year < 70 ? 2000 + year : 1900 + year);
  if (!c.eat(' ') || !c.clock(t)) return std::nullopt;
  c.zone(t, *context.zone);
  return finish(c, t, context);
}

// 22/Nov/2026:20:01:02 +0300, 22 Nov 2026 20:01:02.123, 22-Nov-2026 20:01:02.123.
std::optional<TimeMatch> match_day_first(std::string_view s, const TimeContext& context) {
  Cursor c(s);
  Civil t;
  if (!c.day(t.day)) return std::nullopt;
  const char separator = c.peek();
  if ((separator != '/' && separator != ' ' && separator != '-') || !c.eat(separator)) return std::nullopt;
  if (!c.month_name(t.month)) return std::nullopt;
  if (!c.eat(separator) || !c.year(t.year)) return std::nullopt;
  if (!c.eat(separator == '/' ? ':' : ' ') && !c.eat(' ')) return std::nullopt;
  if (!c.clock(t)) return std::nullopt;
  c.zone(t, *context.zone);
  return finish(c, t, context);
}

// 22.11.2026 20:01:02.123, 22.11.2026, 8:01:02.
std::optional<TimeMatch> match_dotted(std::string_view s, const TimeContext& context) {
  Cursor c(s);
  Civil t;
  if (!c.digits(2, t.day) || !c.eat('.') || !c.digits(2, t.month) || !c.eat('.') || !c.year(t.year))
    return std::nullopt;
  c.eat(',');
  if (!c.eat(' ') || !c.clock(t)) return std::nullopt;
  c.zone(t, *context.zone);
  return finish(c, t, context);
}

// Nov 22 20:01:02, Nov 22 2026 20:01:02, Nov 22, 2026 8:01:02 PM, Nov 22 20:01:02 2026 (ctime, behind the
// weekday).
std::optional<TimeMatch> match_month_first(std::string_view s, const TimeContext& context,
                                           bool year_may_follow) {
  Cursor c(s);
  Civil t;
  if (!c.month_name(t.month) || !c.eat(' ') || !c.day(t.day)) return std::nullopt;
  const bool comma = c.eat(',');
  if (!c.eat(' ')) return std::nullopt;
  if (c.year(t.year)) {
    c.eat(',');
    if (!c.eat(' ')) return std::nullopt;
  } else if (comma) {
    return std::nullopt;
  }
  if (!c.clock(t)) return std::nullopt;
  c.am_pm(t);
  c.zone(t, *context.zone);
  if (year_may_follow && t.year == 0) {
    const std::size_t before = c.position();
    if (!c.eat(' ') || !c.year(t.year)) c.rewind(before);
  }
  return finish(c, t, context);
}

std::optional<TimeMatch> match_weekday_first(std::string_view s, const TimeContext& context) {
  Cursor c(s);
  if (!c.weekday()) return std::nullopt;
  const bool comma = c.eat(',');
  if (!c.eat(' ')) return std::nullopt;
  const std::size_t skipped = c.position();
  auto m = comma ? match_day_first(s.substr(skipped), context)
                 : match_month_first(s.substr(skipped), context, true);
  if (m) m->length += skipped;
  return m;
}

}  // namespace

std::optional<TimeMatch> match_time(std::string_view s, const TimeContext& context) {
  if (s.size() < 15) return std::nullopt;
  if (is_digit(s[0])) {
    if (s[4] == '-' || s[4] == '/') return match_iso(s, context);
    if (s[2] == '/' && is_digit(s[3])) return match_short_year(s, context);
    if (s[2] == '.') return match_dotted(s, context);
    if (is_digit(s[1]) && is_digit(s[2])) return match_compact(s, context);
    return match_day_first(s, context);
  }
  if (!is_alpha(s[0])) return std::nullopt;
  if (auto m = match_month_first(s, context, false)) return m;
  return match_weekday_first(s, context);
}

std::optional<TimeMatch> match_glog_time(std::string_view s, const TimeContext& context) {
  if (s.size() > 8 && is_digit(s[4]) && s[8] == ' ') return match_compact(s, context);
  Cursor c(s);
  Civil t;
  if (!c.digits(2, t.month) || !c.digits(2, t.day) || !c.eat(' ') || !c.clock(t)) return std::nullopt;
  return finish(c, t, context);
}

std::optional<std::int64_t> epoch_to_ns(std::string_view s) {
  static constexpr double kLimit = 9.2e18;
  std::int64_t whole = 0;
  const char* end = s.data() + s.size();
  auto [p, ec] = std::from_chars(s.data(), end, whole);
  if (ec != std::errc() || whole < 0) return std::nullopt;
  std::int64_t fraction = 0;  // in 1e-9
  if (p != end && *p == '.') {
    std::int64_t unit = kNanos;
    for (++p; p != end && is_digit(*p); ++p) fraction += (unit /= 10) * (*p - '0');
  }
  if (p != end) {  // an exponent: a double tells microseconds at best
    double value = 0;
    const auto r = std::from_chars(s.data(), end, value);
    if (r.ec != std::errc() || r.ptr != end || !(value < kLimit) || value < 0) return std::nullopt;
    whole = static_cast<std::int64_t>(value);
    fraction = value < 1e11 ? std::llround((value - std::floor(value)) * 1e6) * 1000 : 0;
  }
  struct Unit {
    std::int64_t from, to, nanos;
  };
  static constexpr std::int64_t kEnd = 9'214'646'400;  // 2262-01-01 in seconds
  static constexpr std::array<Unit, 4> kUnits = {{{100'000'000, kEnd, kNanos},
                                                  {100'000'000'000, kEnd * 1'000, 1'000'000},
                                                  {100'000'000'000'000, kEnd * 1'000'000, 1'000},
                                                  {100'000'000'000'000'000, kEnd * kNanos, 1}}};
  for (const Unit& u : kUnits) {
    if (whole >= u.from && whole < u.to) return whole * u.nanos + fraction / (kNanos / u.nanos);
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view value, const TimeContext& context) {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.size() < 9) return std::nullopt;
  const auto m = match_time(value, context);
  if (m) {
    if (m->length == value.size()) return m->ns;
    return std::nullopt;
  }
  return epoch_to_ns(value);
}

}  // namespace sidelight
