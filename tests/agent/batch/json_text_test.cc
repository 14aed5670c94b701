#include "agent/base/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <vector>

namespace sidelight {
namespace {

std::string escaped(std::string_view text, bool portable = false) {
  const std::vector<char> exact(text.begin(),
                                text.end());  // a heap block of this size: sanitizers see a read past it
  std::string out(escaped_bound(text.size()), '#');
  const std::string_view in(exact.data(), exact.size());
  out.resize(portable ? escape_json_portable(out.data(), in) : escape_json(out.data(), in));
  return out;
}

TEST(EscapeJson, EscapesWhatJsonForbidsAndNothingElse) {
  EXPECT_EQ(escaped("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f"), R"(a\"b\\c/\b\f\n\r\t\u0001\u001f)"
                                                       "\x7f");
  EXPECT_EQ(escaped(std::string(1, '\0')), "\\u0000");
  EXPECT_EQ(escaped("привет 🚀"), "привет 🚀");
}

TEST(EscapeJson, ReplacesEachMaximalPartOfAnIllFormedSequence) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped("\xFF\xFE"), r + r);
  EXPECT_EQ(escaped("\xF0\x9F\x9A."), r + ".");                   // truncated
  EXPECT_EQ(escaped("\xED\xA0\x80"), r + r + r);                  // a surrogate
  EXPECT_EQ(escaped("\xC0\xAF\xE0\x80\xAF"), r + r + r + r + r);  // overlong
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), r + r + r + r);          // past U+10FFFF
  EXPECT_EQ(escaped("\xE2\x82"), r);
}

TEST(EscapeJson, IsReadBackAsTheSameTextByEitherPath) {
  std::mt19937 rng(7);
  for (int i = 0; i < 5000; ++i) {
    std::string text(rng() % 200, 'x');
    const auto kind = rng() % 3;
    for (char& c : text)
      c = static_cast<char>(kind == 0 ? rng() % 256 : rng() % 8 == 0 ? rng() % 64 : 'a' + rng() % 26);
    if (kind == 1) text.insert(text.size() / 2, "привет");
    const std::string out = escaped(text);
    ASSERT_EQ(out, escaped(text, true));
    // nlohmann replaces ill-formed parts by the same rule when it writes.
    const std::string expected =
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    ASSERT_EQ(nlohmann::json::parse('"' + out + '"'), nlohmann::json::parse(expected)) << out;
  }
}

}  // namespace
}  // namespace sidelight
