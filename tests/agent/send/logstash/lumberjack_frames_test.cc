#include "agent/send/logstash/lumberjack_frames.h"

#include <gmock/gmock.h>

#include "tests/agent/send/logstash/scripted_streams.h"

namespace sidelight {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ack(std::uint32_t n) {
  std::string frame = "2A";
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(n >> shift & 0xffu);
  return frame;
}

TEST(AckReader, ReadsFramesCutAnywhere) {
  const std::string stream = ack(0) + ack(7) + ack(0xfedcba98u);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    AckReader reader;
    std::vector<std::uint32_t> read;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      std::string_view bytes = std::string_view(stream).substr(at, piece);
      for (;;) {
        const auto number = reader.next(bytes);
        ASSERT_TRUE(number) << number.error().message;
        if (!*number) break;
        read.push_back(**number);
      }
      EXPECT_TRUE(bytes.empty());
    }
    EXPECT_THAT(read, ElementsAre(0, 7, 0xfedcba98u)) << "pieces of " << piece;
  }
}

TEST(AckReader, TellsWhoSpeaksInstead) {
  const auto refusal = [](std::string_view bytes) {
    AckReader reader;
    const auto number = reader.next(bytes);
    return number ? std::string("accepted") : number.error().message;
  };
  EXPECT_THAT(refusal("HTTP/1.1 400 Bad Request"), HasSubstr("protocol: http"));
  EXPECT_THAT(refusal("\x15\x03\x01"), HasSubstr("TLS"));
  EXPECT_THAT(refusal("1A\1\1\1\1"), HasSubstr("version 1"));
  EXPECT_THAT(refusal("2W"), HasSubstr("32 57"));
  EXPECT_THAT(refusal(std::string_view("\0", 1)), HasSubstr("compare the address"));
}

TEST(AckReader, RefusesAStrangerAtTheFirstByteThatShowsIt) {
  AckReader reader;
  std::string_view two = "2";
  ASSERT_TRUE(reader.next(two));
  std::string_view next = "B";
  EXPECT_FALSE(reader.next(next));
}

class WindowLevels : public ::testing::TestWithParam<int> {};

TEST_P(WindowLevels, AServerReadsWhatWasWritten) {
  WindowWriter writer(GetParam(), "sh\"op", "1.2.3");
  std::string out;
  for (int round = 0; round < 3; ++round) {  // its buffers are used again
    writer.begin();
    writer.add("{\"message\":\"one\"}\n", "id-1");
    writer.add("{\"message\":\"two\"}", "id-2");
    EXPECT_EQ(writer.count(), 2u);
    ASSERT_TRUE(writer.finish(out));
    if (round == 1) writer.trim();
  }
  const auto windows = test::read_windows(out);
  ASSERT_EQ(windows.size(), 3u);
  for (const auto& w : windows) {
    ASSERT_EQ(w.size(), 2u);
    EXPECT_EQ(w[0]["@metadata"],
              nlohmann::json::parse(R"({"beat":"sh\"op","type":"_doc","version":"1.2.3","_id":"id-1"})"));
    EXPECT_EQ(w[1]["@metadata"]["_id"], "id-2");
    EXPECT_EQ(w[1]["message"], "two");
  }
}
INSTANTIATE_TEST_SUITE_P(All, WindowLevels, ::testing::Values(0, 1, 3, 9));

TEST(WindowWriter, CompressesWhatRepeats) {
  WindowWriter plain(0, "b", "1");
  WindowWriter packed(3, "b", "1");
  std::string one;
  std::string other;
  for (WindowWriter* w : {&plain, &packed}) {
    w->begin();
    for (int i = 0; i < 100; ++i) w->add(R"({"message":"always the same"})", "id");
  }
  ASSERT_TRUE(plain.finish(one));
  ASSERT_TRUE(packed.finish(other));
  EXPECT_LT(other.size() * 10, one.size());
}

}  // namespace
}  // namespace sidelight
