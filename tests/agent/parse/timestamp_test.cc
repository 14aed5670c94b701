#include "agent/parse/timestamp.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "agent/base/rfc3339.h"

namespace sidelight {
namespace {

constexpr std::int64_t kNow = 1'795'377'662'000'000'000;  // 2026-11-22T20:01:02Z

std::string read(std::string_view text, const std::string& zone_name = "UTC", std::int64_t now = kNow) {
  const auto zone = TimeZone::load(zone_name);
  if (!zone) return zone.error().message;
  const auto ns = parse_time(text, {&*zone, now});
  if (!ns) return "-";
  char out[kRfc3339Max];
  return {out, write_rfc3339(out, *ns)};
}

TEST(Timestamp, ReadsTheFormsOfRealLoggers) {
  for (const std::string_view text : {"2026-11-22T20:01:02Z",
                                      "2026-11-22 20:01:02",
                                      "2026/11/22 20:01:02",
                                      "2026-11-22T23:01:02+03:00",
                                      "2026-11-22T23:01:02+0300",
                                      "2026-11-22T15:01:02-05",
                                      "2026-11-22 20:01:02 UTC",
                                      "2026-11-22 20:01:02 +0000 UTC",
                                      "22/Nov/2026:23:01:02 +0300",
                                      "22 Nov 2026 20:01:02",
                                      "22-Nov-2026 20:01:02",
                                      "Nov 22 20:01:02",
                                      "Nov 22, 2026 8:01:02 PM",
                                      "Sun Nov 22 20:01:02 2026",
                                      "Sun Nov 22 20:01:02 UTC 2026",
                                      "Sun, 22 Nov 2026 20:01:02 GMT",
                                      "26/11/22 20:01:02",
                                      "22.11.2026 20:01:02",
                                      "22.11.2026, 20:01:02",
                                      "22.11.2026 23:01:02 +03:00",
                                      "Nov 22, 2026 8:01:02\u202FPM",
                                      "20261122T200102Z",
                                      "20261122 20:01:02",
                                      "1795377662",
                                      "1795377662000",
                                      "1795377662000000",
                                      "1795377662000000000",
                                      "1.795377662e9",
                                      " 1795377662 "}) {
    EXPECT_EQ(read(text), "2026-11-22T20:01:02.000Z") << text;
  }
}

TEST(Timestamp, KeepsFractionsToTheNanosecond) {
  EXPECT_EQ(read("2026-11-22T20:01:02.1Z"), "2026-11-22T20:01:02.100Z");
  EXPECT_EQ(read("2026-11-22 20:01:02,123"), "2026-11-22T20:01:02.123Z");
  EXPECT_EQ(read("2026-11-22T20:01:02.123456789Z"), "2026-11-22T20:01:02.123456789Z");
  EXPECT_EQ(read("22.11.2026 8:01:02,123"), "2026-11-22T08:01:02.123Z");
  EXPECT_EQ(read("22.11.2026 20:01:02.123456"), "2026-11-22T20:01:02.123456Z");
  EXPECT_EQ(read("2026-11-22T20:01:02.1234567899999Z"), "2026-11-22T20:01:02.123456789Z");
  EXPECT_EQ(read("1795377662.123456"), "2026-11-22T20:01:02.123456Z");
  EXPECT_EQ(read("1795377662123.5"), "2026-11-22T20:01:02.123500Z");
  EXPECT_EQ(read("Sun Nov 22 20:01:02.123456 2026"), "2026-11-22T20:01:02.123456Z");
}

// What a second is known to be saves work, and changes nothing.
TEST(Timestamp, ReadsATimeInAKnownSecondAsItReadsAnyOther) {
  const auto zone = TimeZone::load("Europe/Moscow");
  TimeMemory memory;
  const TimeContext context{&*zone, kNow, &memory};
  std::mt19937 random(20261122);
  std::size_t known = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = "2026-11-22T20:01:02.123Z";
    text[18] = static_cast<char>('0' + random() % 3);
    for (std::size_t n = 20; n < 23; ++n) text[n] = static_cast<char>('0' + random() % 10);
    if (random() % 2 == 0) text[random() % text.size()] = "0159:.,-TZ t+"[random() % 13];
    if (random() % 20 == 0) text += "Z";
    if (random() % 20 == 0) text.pop_back();
    const auto quick = parse_time_in_known_second(text, context);
    const auto slow = parse_time(text, {&*zone, kNow});
    if (quick) {
      ++known;
      ASSERT_EQ(quick, slow) << text;
    }
    ASSERT_EQ(parse_time(text, context), slow) << text;
  }
  EXPECT_GT(known, 10'000u);
}

TEST(Timestamp, IsWrittenWithAMemoryAsWithout) {
  Rfc3339Cache cache;
  std::mt19937_64 random(20261122);
  constexpr auto kNear = std::to_array<std::int64_t>({INT64_MIN, -1, 0, kNow, INT64_MAX - 2'000'000'000});
  for (std::size_t i = 0; i < 200'000; ++i) {
    static constexpr auto kUnits = std::to_array<std::int64_t>({1, 1'000, 1'000'000, 500'000'000});
    const std::int64_t unit = kUnits[random() % kUnits.size()];
    const std::int64_t behind = static_cast<std::int64_t>(random() % 2'000'000'000) / unit * unit;
    const std::int64_t ns = kNear[i / 100 % kNear.size()] + behind;
    std::array<char, kRfc3339Max> with;
    std::array<char, kRfc3339Max> without;
    const std::string_view remembered(with.data(), write_rfc3339(with.data(), ns, cache));
    ASSERT_EQ(remembered, std::string_view(without.data(), write_rfc3339(without.data(), ns))) << ns;
  }
}

TEST(Timestamp, RefusesWhatIsNoTime) {
  for (const std::string_view text : {"",
                                      "x",
                                      "12",
                                      "12.5",
                                      "99999999",
                                      "2026-13-22T20:01:02Z",
                                      "2026-02-29T20:01:02Z",
                                      "2026-11-22T24:01:02Z",
                                      "2026-11-22T20:61:02Z",
                                      "1969-12-31T23:59:59Z",
                                      "2262-01-01T00:00:00Z",
                                      "2026-11-22T20:01:02Zx",
                                      "2026-11-22",
                                      "2026-11-22T20:01:02 tail",
                                      "-1795377662",
                                      "1e300",
                                      "nan",
                                      "99999999999999999999",
                                      "Nov 31 20:01:02",
                                      "30 Feb 2026 20:01:02",
                                      "31.11.2026 20:01:02",
                                      "11.22.2026 20:01:02",
                                      "22.11.26 20:01:02",
                                      "10.11.2026.1 20:01:02",
                                      "2026-11-22T20:01:023"}) {
    EXPECT_EQ(read(text), "-") << text;
  }
}

TEST(Timestamp, CompletesAMissingYearToTheNearestThatIsNotAhead) {
  EXPECT_EQ(read("Nov 23 19:00:00"), "2026-11-23T19:00:00.000Z");  // a clock that is ahead
  EXPECT_EQ(read("Dec 31 23:59:59"), "2025-12-31T23:59:59.000Z");
  const std::int64_t new_year = 1'798'761'599'000'000'000;  // 2026-12-31T23:59:59Z
  EXPECT_EQ(read("Jan  1 00:00:05", "UTC", new_year), "2027-01-01T00:00:05.000Z");
  EXPECT_EQ(read("Feb 29 12:00:00"), "2024-02-29T12:00:00.000Z");
}

TEST(Timestamp, AppliesTheConfiguredZoneOnlyWhereTheTimeNamesNone) {
  EXPECT_EQ(read("2026-11-22 23:01:02", "Europe/Moscow"), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(read("2026-11-22 23:01:02 MSK", "Europe/Moscow"), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(read("22.11.2026 23:01:02", "Europe/Moscow"), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(read("2026-11-22 20:01:02Z", "Europe/Moscow"), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(read("2026-11-22 23:01:02", "+03:00"), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(read("2026-11-22 15:01:02", "-0500"), "2026-11-22T20:01:02.000Z");
}

TEST(TimeZone, FollowsDaylightSavingWithinAndBeyondTheTable) {
  EXPECT_EQ(read("2026-07-01 12:00:00", "Europe/Berlin"), "2026-07-01T10:00:00.000Z");
  EXPECT_EQ(read("2026-01-01 12:00:00", "Europe/Berlin"), "2026-01-01T11:00:00.000Z");
  EXPECT_EQ(read("2090-07-01 12:00:00", "Europe/Berlin"), "2090-07-01T10:00:00.000Z");
  EXPECT_EQ(read("2090-01-01 12:00:00", "Australia/Sydney"), "2090-01-01T01:00:00.000Z");
  EXPECT_EQ(read("2013-07-01 12:00:00", "Europe/Moscow"),
            "2013-07-01T08:00:00.000Z");  // the offset changed in 2014
  // The hour that comes twice is the first one, the hour that is skipped is read with the clock not yet
  // moved.
  EXPECT_EQ(read("2026-10-25 02:30:00", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
  EXPECT_EQ(read("2026-03-29 02:30:00", "Europe/Berlin"), "2026-03-29T01:30:00.000Z");
}

TEST(TimeZone, TellsTheHourThatComesTwiceApartByItsAbbreviation) {
  EXPECT_EQ(read("2026-10-25 02:30:00 CEST", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
  EXPECT_EQ(read("2026-10-25 02:30:00 CET", "Europe/Berlin"), "2026-10-25T01:30:00.000Z");
  EXPECT_EQ(read("2026-11-01 01:30:00 EDT", "America/New_York"), "2026-11-01T05:30:00.000Z");
  EXPECT_EQ(read("2026-11-01 01:30:00 EST", "America/New_York"), "2026-11-01T06:30:00.000Z");
  EXPECT_EQ(read("Sun Nov  1 01:30:00 EST 2026", "America/New_York"), "2026-11-01T06:30:00.000Z");
  EXPECT_EQ(read("2090-10-29 02:30:00 CET", "Europe/Berlin"), "2090-10-29T01:30:00.000Z");
  // An hour that no clock of the zone showed, or not under that name.
  EXPECT_EQ(read("2026-03-08 02:30:00 EST", "America/New_York"), "2026-03-08T07:30:00.000Z");
  EXPECT_EQ(read("2026-07-01 12:00:00 CET", "Europe/Berlin"), "2026-07-01T11:00:00.000Z");
}

TEST(TimeZone, TakesAbbreviationsThatMeanTheSameEverywhereWhateverIsConfigured) {
  EXPECT_EQ(read("2026-11-22 23:01:02 MSK", "UTC"), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(read("2026-11-22 21:01:02 CET", "America/New_York"), "2026-11-22T20:01:02.000Z");
  EXPECT_EQ(read("2026-07-01 12:00:00 EEST", "+01:00"), "2026-07-01T09:00:00.000Z");
  EXPECT_EQ(read("2026-07-01 12:00:00 GMT", "Europe/London"), "2026-07-01T12:00:00.000Z");
  EXPECT_EQ(read("2013-07-01 12:00:00 MSK", "Europe/Moscow"), "2013-07-01T08:00:00.000Z");
  // Those of several zones are the configured one's, or nobody's.
  EXPECT_EQ(read("2026-11-22 12:00:00 CST", "America/Chicago"), "2026-11-22T18:00:00.000Z");
  EXPECT_EQ(read("2026-11-22 12:00:00 CST", "Asia/Shanghai"), "2026-11-22T04:00:00.000Z");
  EXPECT_EQ(read("2026-11-22 12:00:00 CST", "UTC"), "-");
  EXPECT_EQ(read("2026-11-22 12:00:00 LATER", "Europe/Berlin"), "-");
}

TEST(TimeZone, RefusesNamesThatItCannotKnow) {
  for (const char* name : {"", "Mars/Base", "../../etc/passwd", "/etc/passwd", "+3", "+25:00", "Europe"}) {
    EXPECT_FALSE(TimeZone::load(name).has_value()) << name;
  }
  EXPECT_FALSE(TimeZone::from_tzif("TZif2").has_value());
}

TEST(Timestamp, SaysHowMuchOfALineTheTimeTakes) {
  const TimeZone utc;
  const TimeContext context{&utc, kNow};
  const auto m = match_time("2026-11-22 20:01:02,123 - INFO", context);
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->length, 23u);
  EXPECT_EQ(match_time("2026-11-22 20:01:02 -1 left", context)->length, 19u);
  const auto glog = match_glog_time("1122 20:01:02.123456    12 a.cc:1]", context);
  ASSERT_TRUE(glog.has_value());
  EXPECT_EQ(glog->ns, kNow + 123'456'000);
}

}  // namespace
}  // namespace sidelight
