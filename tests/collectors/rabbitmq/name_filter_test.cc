#include "collectors/rabbitmq/name_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sidelight {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NameFilter, AGlobMatchesTheWholeName) {
  const NameFilter filter({"mes.*", "cr?"});
  EXPECT_TRUE(filter.matches("mes.orders"));
  EXPECT_TRUE(filter.matches("mes."));
  EXPECT_TRUE(filter.matches("crm"));
  EXPECT_FALSE(filter.matches("mesXorders"));
  EXPECT_FALSE(filter.matches("other.mes.orders"));
  EXPECT_FALSE(filter.matches("crmx"));
  EXPECT_FALSE(filter.matches("MES.orders"));
}

TEST(NameFilter, ARegularExpressionIsLookedForAnywhere) {
  const NameFilter filter({"/orders|price$/"});
  EXPECT_TRUE(filter.matches("mes.orders.eu"));
  EXPECT_TRUE(filter.matches("mes.price"));
  EXPECT_FALSE(filter.matches("mes.price.eu"));
}

TEST(NameFilter, TakesAllElseLiterally) {
  const std::string odd = "a[b](c)|d+e{2}^f$\\g";
  EXPECT_TRUE(NameFilter({odd}).matches(odd));
  EXPECT_FALSE(NameFilter({odd}).matches("ab"));
  EXPECT_TRUE(NameFilter({"\xff*"}).matches("\xff\xfe"));
}

TEST(NameFilter, MatchesNothingWithoutPatterns) {
  EXPECT_FALSE(NameFilter({}).matches(""));
  EXPECT_FALSE(NameFilter({"/(/"}).matches("("));
}

TEST(NamePattern, SaysWhatIsWrong) {
  EXPECT_EQ(check_name_pattern("mes.*"), "");
  EXPECT_EQ(check_name_pattern("/^mes\\./"), "");
  EXPECT_EQ(check_name_pattern("/(/"), "not a regular expression: missing ): (");
  EXPECT_NE(check_name_pattern(""), "");
  EXPECT_NE(check_name_pattern("//"), "");
}

TEST(BrokerRegex, JoinsPatternsAndNames) {
  EXPECT_THAT(broker_regexes({"mes.*", "/x|y/"}, {"dead+"}),
              ElementsAre("(?:^mes\\..*$)|(?:x|y)|(?:^dead\\+$)"));
  EXPECT_THAT(broker_regexes({}, {}), IsEmpty());
}

TEST(BrokerRegex, IsCutWhereItGetsTooLongForAUrl) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back(std::string(90, 'q') + std::to_string(i));
  const auto regexes = broker_regexes({}, names);
  EXPECT_EQ(regexes.size(), 5u);
  std::size_t found = 0;
  for (const auto& regex : regexes) {
    EXPECT_LE(regex.size(), kMaxBrokerRegex);
    const NameFilter filter({"/" + regex + "/"});
    for (const auto& name : names) found += filter.matches(name) ? 1u : 0u;
  }
  EXPECT_EQ(found, names.size());
}

TEST(UrlEncoded, LeavesOnlyWhatIsSafe) {
  EXPECT_EQ(url_encoded("/a b.c-_~"), "%2Fa%20b.c-_~");
  EXPECT_EQ(url_encoded("\xff%&="), "%FF%25%26%3D");
}

}  // namespace
}  // namespace sidelight
