#include "agent/observe/input_labels.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(LabelValue, KeepsValidUtf8) {
  for (const char* s : {"", "shop", "магазин", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"})
    EXPECT_EQ(label_text(s), s);
}

TEST(LabelValue, ReplacesWhatIsNotUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(label_text("a\xffz"), "a" + r + "z");
  EXPECT_EQ(label_text("\xC0\x80"), r + r) << "overlong";
  EXPECT_EQ(label_text("\xED\xA0\x80"), r + r + r) << "surrogate";
  EXPECT_EQ(label_text("\xF4\x90\x80\x80"), r + r + r + r) << "past U+10FFFF";
  EXPECT_EQ(label_text("\xE2\x82"), r + r) << "cut short";
}

TEST(LabelValue, CutsBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "\xC3\xA9";
  EXPECT_EQ(label_text(text), text.substr(0, 200));
  EXPECT_EQ(label_text("x" + text), "x" + text.substr(0, 198));
}

TEST(InputLabels, GivesEqualNamesANumber) {
  const auto labels = InputLabels().admit({"a", "a", "overflow"});
  EXPECT_EQ(labels[0].text, "a");
  EXPECT_EQ(labels[1].text, "a#2");
  EXPECT_EQ(labels[2].text, "overflow#2") << "the name of the overflow is taken";
  EXPECT_FALSE(labels[2].overflow);
}

TEST(InputLabels, KeepsTheAdmittedAdmitted) {
  InputLabels labels;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kMaxInputLabels; ++i) names.push_back(std::to_string(i));
  labels.admit(names);
  const auto later = labels.admit({"new", "7"});
  EXPECT_TRUE(later[0].overflow);
  EXPECT_EQ(later[1].text, "7");
}

}  // namespace
}  // namespace sidelight
