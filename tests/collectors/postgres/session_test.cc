#include "collectors/postgres/session.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

TEST(SqlRow, GivesWhatIsThere) {
  const SqlRow row({"text", std::nullopt, "1.5", "t", "f", "1e3", "-7"});
  EXPECT_EQ(row.text(0), "text");
  EXPECT_FALSE(row.text(1));
  EXPECT_EQ(row.text_or_empty(1), "");
  EXPECT_EQ(row.number(2), 1.5);
  EXPECT_TRUE(row.flag(3));
  EXPECT_FALSE(row.flag(4));
  EXPECT_EQ(row.number(5), 1000);
  EXPECT_EQ(row.number(6), -7);
}

TEST(SqlRow, HasNoNumberWhereThereIsNone) {
  const SqlRow row({"", "x", "1x", "NaN", "Infinity", "1e999", std::nullopt});
  for (std::size_t i = 0; i < 9; ++i) EXPECT_FALSE(row.number(i)) << i;
  EXPECT_FALSE(row.text(9));
  EXPECT_FALSE(row.flag(9));
}

class SessionTest : public testing::Test {
 protected:
  FakeClock clock;
  MemoryFileSystem files;
  NullLogger log;
  CollectorContext context{files, clock, log};
  PostgresOptions options;
};

TEST_F(SessionTest, NamesThePasswordsFileThatIsNotThere) {
  options.password_file = "/nowhere/password";
  SqlSession session(options, {"127.0.0.1", 1, "mes"}, "mes", context);
  const auto rows = session.query("select 1", {}, Deadline(clock, clock.now() + std::chrono::seconds(1)));
  ASSERT_FALSE(rows);
  EXPECT_NE(rows.error().message.find("/nowhere/password"), std::string::npos);
}

TEST_F(SessionTest, SaysInOneLineThatNobodyListens) {
  SqlSession session(options, {"127.0.0.1", 1, "mes"}, "mes", context);
  const auto rows = session.query("select 1", {}, Deadline(clock, clock.now() + std::chrono::seconds(1)));
  ASSERT_FALSE(rows);
  EXPECT_NE(rows.error().message.find("Connection refused"), std::string::npos) << rows.error().message;
  EXPECT_EQ(rows.error().message.find('\n'), std::string::npos);
}

TEST_F(SessionTest, DoesNotConnectAfterTheDeadline) {
  SqlSession session(options, {"127.0.0.1", 1, "mes"}, "mes", context);
  EXPECT_FALSE(session.query("select 1", {}, Deadline(clock, clock.now())));
}

}  // namespace
}  // namespace sidelight
