// A framer is a pure function of bytes, position and cuts: however the bytes arrive, and from wherever a
// replay starts, the events are the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/agent/decode/framing.h"

namespace sidelight::testing {
namespace {

using ::testing::ElementsAreArray;

class Bytes {
 public:
  explicit Bytes(unsigned seed) : rng_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(rng_); }

  std::string file(const DecodeOptions& options) {
    std::string s;
    if (below(4) == 0)
      s += options.encoding == Encoding::utf8 ? "\xEF\xBB\xBF" : below(2) == 0 ? "\xFE\xFF" : "\xFF\xFE";
    const std::size_t lines = below(60);
    for (std::size_t i = 0; i < lines; ++i) s += line(options);
    return s;
  }

 private:
  std::string line(const DecodeOptions& options) {
    static const std::vector<std::string> kTexts = {
        "INFO all is well",
        "",
        "\r",
        "a",
        "\tat com.shop.Cart.add(Cart.java:12)",
        "Caused by: x.y.ZException: boom",
        "\t... 12 more",
        "java.lang.IllegalStateException: no",
        "Traceback (most recent call last):",
        "  File \"a.py\", line 1",
        "ValueError: bad",
        "panic: oh",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/src/main.go:3 +0x1d",
        "   at Shop.Cart.Add()",
        "a.b.HttpException$NotFound: 404",
        "  Detail: Key (id)=(1) already exists.",
        "DETAIL:  Key (id)=(1) already exists.",
        "СТРОКА 1: SELEC",
        "#0  0x00 in main () at a.cc:1",
        "====================",
        "==12==ERROR: AddressSanitizer: heap",
        "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xF0\x9F\x9A\x80 \xF0\x9F\x9A\x80 \xF0\x9F\x9A\x80",
        "\xC3\x28\xFF\xFE",
        std::string("\0\0\0hole", 7),
        std::string("in\0side", 7),
        "2026-11-22T20:01:02.1Z stdout F not wrapped twice",
        "{\"log\":\"broken",
        std::string(30, 'y')};
    std::string text = below(60) == 0    ? std::string(4000 + below(6000), 'x')
                       : below(400) == 0 ? std::string(140000, 'z')
                                         : kTexts[below(kTexts.size())];
    const std::string stream = below(3) == 0 ? "stderr" : "stdout";
    if (options.container != ContainerFormat::none && below(6) != 0) {
      const bool piece = below(4) == 0;
      if (options.container == ContainerFormat::cri ||
          (options.container == ContainerFormat::detect && below(2) == 0)) {
        text = "2026-11-22T20:01:02.123456789Z " + stream + (piece ? " P " : " F ") + text;
      } else {
        for (std::size_t at = 0; (at = text.find_first_of("\"\\\t\r", at)) != std::string::npos; at += 2)
          text[at] == '\t'   ? text.replace(at, 1, "\\t")
          : text[at] == '\r' ? text.replace(at, 1, "\\r")
                             : text.insert(at, 1, '\\');
        text = "{\"log\":\"" + text + (piece ? "" : "\\n") + "\",\"stream\":\"" + stream +
               "\",\"time\":\"2026-11-22T20:01:02.123456789Z\"}";
      }
    }
    text += below(30) == 0 ? "" : below(5) == 0 ? "\r\n" : "\n";
    if (below(40) == 0) text = std::string(below(5000), '\0') + text;
    const bool wide = options.encoding == Encoding::utf16le || options.encoding == Encoding::utf16be;
    if (!wide) return text;
    std::string units;
    for (const char c : text) {
      const char high = below(50) == 0 ? static_cast<char>(0xD8 + below(8)) : '\0';
      units += options.encoding == Encoding::utf16be ? std::string{high, c} : std::string{c, high};
    }
    if (below(100) == 0) units += 'q';  // everything behind it is out of step
    return units;
  }

  std::mt19937 rng_;
};

void expect_ascending(const std::vector<Framed>& events) {
  for (std::size_t i = 1; i < events.size(); ++i) {
    if (events[i].lane == events[i - 1].lane) {
      EXPECT_GE(events[i].begin, events[i - 1].end);
    }
  }
  for (const Framed& e : events) EXPECT_LT(e.begin, e.end);
}

// Feeds the file in random steps, forcing cuts at some of them when `cuts` is given, and checks progress.
struct Run {
  std::vector<Framed> events;
  std::vector<FramePosition> positions;
};
Run run_in_steps(const Framer& framer, const std::string& file, Bytes& random,
                 std::vector<std::uint64_t>* cuts) {
  Run run;
  FramePosition at;
  std::uint64_t end = 0;
  while (end < file.size()) {
    end = std::min<std::uint64_t>(file.size(),
                                  end + 1 + (random.below(3) == 0 ? random.below(5000) : random.below(80)));
    const bool cut = end == file.size() || (cuts != nullptr && random.below(6) == 0);
    const Result r = frame_once(framer, file, at, end, cut);
    if (cut && cuts != nullptr) cuts->push_back(end);
    if (cut) {
      EXPECT_EQ(r.position.low(), end);
    }
    if (end - at.low() >= framer.window_bytes()) {
      EXPECT_GT(r.position.low(), at.low()) << "no progress in a full window";
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) EXPECT_GE(r.position.lane[lane], at.lane[lane]);
    at = r.position;
    FramePosition unpacked;
    unpacked.lane = at.lane;
    unpacked.unpack_state(at.pack_state());
    EXPECT_EQ(unpacked, at);
    run.positions.push_back(at);
    run.events.insert(run.events.end(), r.events.begin(), r.events.end());
  }
  sort_by_lane(run.events);
  return run;
}

// Events that a replay from `from` has to give.
std::vector<Framed> behind(const std::vector<Framed>& events, const FramePosition& from) {
  std::vector<Framed> out;
  for (const Framed& e : events) {
    if (e.begin >= from.lane[static_cast<std::size_t>(e.lane)]) out.push_back(e);
  }
  return out;
}

void check(const DecodeOptions& options, unsigned seed) {
  SCOPED_TRACE(::testing::Message() << "encoding " << static_cast<int>(options.encoding) << " container "
                                    << static_cast<int>(options.container) << " multiline "
                                    << static_cast<int>(options.multiline.preset) << " limit "
                                    << options.max_event_bytes << " seed " << seed);
  const auto framer = framer_for(options);
  ASSERT_NE(framer, nullptr);
  Bytes random(seed);
  const std::string file = random.file(options);

  Result whole = frame_all(*framer, file);
  sort_by_lane(whole.events);
  expect_ascending(whole.events);
  EXPECT_EQ(whole.position.low(), file.size());
  for (const Framed& e : whole.events) EXPECT_LE(e.text.size(), options.max_event_bytes);

  const Run steps = run_in_steps(*framer, file, random, nullptr);
  ASSERT_THAT(steps.events, ElementsAreArray(whole.events));
  for (const FramePosition& from : steps.positions) {
    Result replay = frame_once(*framer, file, from, file.size(), true);
    sort_by_lane(replay.events);
    ASSERT_THAT(replay.events, ElementsAreArray(behind(whole.events, from)))
        << "from " << from.lane[0] << "/" << from.lane[1];
  }

  std::vector<std::uint64_t> cuts;
  const Run cut = run_in_steps(*framer, file, random, &cuts);
  expect_ascending(cut.events);
  Result again = frame_once(*framer, file, {}, file.size(), true, cuts);
  sort_by_lane(again.events);
  ASSERT_THAT(again.events, ElementsAreArray(cut.events));
  for (const FramePosition& from : cut.positions) {
    Result replay = frame_once(*framer, file, from, file.size(), true, cuts);
    sort_by_lane(replay.events);
    ASSERT_THAT(replay.events, ElementsAreArray(behind(cut.events, from)))
        << "from " << from.lane[0] << "/" << from.lane[1];
  }
}

// A rotation at some line's end: where the next generation is said to go on, nothing is torn and nothing is
// doubled, in however many steps it is read.
void check_rotation(const DecodeOptions& options, unsigned seed, int& carried) {
  SCOPED_TRACE(::testing::Message() << "container " << static_cast<int>(options.container) << " multiline "
                                    << static_cast<int>(options.multiline.preset) << " limit "
                                    << options.max_event_bytes << " seed " << seed);
  const auto framer = framer_for(options);
  Bytes random(seed);
  const std::string file = random.file(options);
  const std::size_t rotation = file.find('\n', random.below(file.size() + 1)) + 1;
  if (rotation == 0) return;
  const std::string first = file.substr(0, rotation);
  const std::string second = file.substr(rotation);
  const Result before = frame_once(*framer, first, {}, first.size(), false);
  const std::string carry =
      framer->open_part(std::string_view(first).substr(before.position.low()), before.position);
  if (framer->continues(carry, second, before.position) != true) return;
  ++carried;

  const FramePosition start = before.position.successor();
  Result whole = frame_once(*framer, second, start, second.size(), true, {}, carry);
  sort_by_lane(whole.events);
  for (std::size_t i = 0; i < whole.events.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_NE(std::pair(whole.events[j].begin, whole.events[j].end),
                std::pair(whole.events[i].begin, whole.events[i].end));
  }
  Result together{.events = before.events, .position = {}, .stats = {}};
  together.events.insert(together.events.end(), whole.events.begin(), whole.events.end());
  sort_by_lane(together.events);
  Result unrotated = frame_all(*framer, file);
  sort_by_lane(unrotated.events);
  ASSERT_THAT(texts(together), ElementsAreArray(texts(unrotated)));

  std::vector<Framed> in_steps;
  FramePosition at = start;
  for (std::uint64_t end = 0; end < second.size();) {
    end = std::min<std::uint64_t>(second.size(), end + 1 + random.below(random.below(3) == 0 ? 9000 : 300));
    const Result r = frame_once(*framer, second, at, end, end == second.size(), {}, carry);
    at = r.position;
    in_steps.insert(in_steps.end(), r.events.begin(), r.events.end());
    FramePosition unpacked;
    unpacked.lane = at.lane;
    unpacked.unpack_state(at.pack_state());
    EXPECT_EQ(unpacked, at);
    Result replay = frame_once(*framer, second, at, second.size(), true, {}, carry);
    replay.events.insert(replay.events.begin(), in_steps.begin(), in_steps.end());
    sort_by_lane(replay.events);
    ASSERT_THAT(replay.events, ElementsAreArray(whole.events)) << "from " << at.lane[0] << "/" << at.lane[1];
  }
}

class Framing : public ::testing::TestWithParam<int> {};

TEST_P(Framing, IsTheSameHoweverTheBytesArriveAndWhereverAReplayStarts) {
  const auto preset = static_cast<MultilinePreset>(GetParam());
  unsigned seed = static_cast<unsigned>(GetParam()) * 1000;
  for (int container = 0; container <= 3; ++container) {
    for (int encoding = 0; encoding <= 4; ++encoding) {
      for (const std::size_t limit : {16u, 40u, 3000u}) {
        for (int round = 0; round < 2; ++round) {
          DecodeOptions options;
          options.encoding = static_cast<Encoding>(encoding);
          options.container = static_cast<ContainerFormat>(container);
          options.multiline = {
              .preset = preset, .start_pattern = "^[A-Za-z]", .max_lines = round % 2 == 0 ? 500u : 3u};
          options.max_event_bytes = limit;
          if (container != 0 && (encoding == 1 || encoding == 2)) continue;
          check(options, ++seed);
          if (HasFatalFailure() || HasNonfatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Framing, IsTheSameAcrossARotationThatAnEventGoesOnBehind) {
  const auto preset = static_cast<MultilinePreset>(GetParam());
  unsigned seed = static_cast<unsigned>(GetParam()) * 1000;
  int carried = 0;
  for (int container = 0; container <= 3; ++container) {
    if (container == 0 && preset == MultilinePreset::none) continue;
    for (int round = 0; round < 60; ++round) {
      DecodeOptions options;
      options.container = static_cast<ContainerFormat>(container);
      options.multiline = {
          .preset = preset, .start_pattern = "^[A-Za-z]", .max_lines = round % 2 == 0 ? 500u : 3u};
      options.max_event_bytes = round % 3 == 0 ? 40u : 3000u;
      check_rotation(options, ++seed, carried);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
  EXPECT_GT(carried, 10);
}

INSTANTIATE_TEST_SUITE_P(Presets, Framing, ::testing::Range(0, 7));

}  // namespace
}  // namespace sidelight::testing
