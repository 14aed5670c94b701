#include "collectors/postgres/names.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(PostgresUrl, NamesHostPortAndDatabase) {
  const auto place = parse_postgres_url("postgresql://db.example:5433/mes");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->host, "db.example");
  EXPECT_EQ(place->port, 5433);
  EXPECT_EQ(place->database, "mes");
}

TEST(PostgresUrl, MayLeaveThePortOut) {
  const auto place = parse_postgres_url("postgres://127.0.0.1/mes");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->port, 5432);
}

TEST(PostgresUrl, TakesIpv6AndFoldersOfSockets) {
  const auto v6 = parse_postgres_url("postgresql://[::1]:5433/mes");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  const auto folder = parse_postgres_url("postgresql://%2Fvar%2Frun%2Fpostgresql:5433/mes");
  ASSERT_TRUE(folder);
  EXPECT_EQ(folder->host, "/var/run/postgresql");
  EXPECT_EQ(folder->port, 5433);
  EXPECT_EQ(parse_postgres_url("postgresql://%2ftmp/mes")->port, 5432);
}

TEST(PostgresUrl, DecodesTheDatabase) {
  EXPECT_EQ(parse_postgres_url("postgresql://h/my%20%22db%22")->database, "my \"db\"");
}

TEST(PostgresUrl, RefusesTheRestWithoutRepeatingIt) {
  for (const char* url : {"",
                          "postgresql://",
                          "postgresql:///mes",
                          "http://h/mes",
                          "h:5432/mes",
                          "postgresql://h",
                          "postgresql://h/",
                          "postgresql://h:0/mes",
                          "postgresql://h:65536/mes",
                          "postgresql://h:x/mes",
                          "postgresql://a,b/mes",
                          "postgresql://u:secret@h/mes",
                          "postgresql://h/mes?password=secret",
                          "postgresql://h/mes#secret",
                          "postgresql://h/a/b",
                          "postgresql://h/%zz",
                          "postgresql://h/%4",
                          "postgresql://h/%00",
                          "postgresql://%2Ftmp%zz/mes",
                          "postgresql://%2Ftmp:secret/mes"}) {
    const auto place = parse_postgres_url(url);
    ASSERT_FALSE(place) << url;
    EXPECT_NE(place.error().message.find("expected postgresql://HOST:PORT/DATABASE"), std::string::npos);
    EXPECT_EQ(place.error().message.find("secret"), std::string::npos) << place.error().message;
  }
}

TEST(PostgresTableName, HasASchemaOrIsInPublic) {
  const auto with = parse_table_name("sales.orders");
  ASSERT_TRUE(with);
  EXPECT_EQ(with->schema, "sales");
  EXPECT_EQ(with->table, "orders");
  EXPECT_EQ(parse_table_name("Orders")->schema, "public");
  EXPECT_EQ(parse_table_name("Orders")->table, "Orders");
}

TEST(PostgresTableName, MayBeQuoted) {
  const auto name = parse_table_name(R"("My.Schema"."Or""ders")");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->schema, "My.Schema");
  EXPECT_EQ(name->table, "Or\"ders");
}

TEST(PostgresNames, HoldNoZeroByte) {
  EXPECT_FALSE(parse_postgres_url(std::string_view("postgresql://h\0/mes", 19)));
  EXPECT_FALSE(parse_table_name(std::string_view("a\0b", 3)));
}

TEST(PostgresTableName, RefusesTheRest) {
  for (const char* text :
       {"", ".", "a.", ".a", "a.b.c", "\"a", "\"\"", "\"a\"b", "a\"b\"", "a.\"b\"c", "\"a\"\""})
    EXPECT_FALSE(parse_table_name(text)) << text;
}

TEST(ArrayLiteral, QuotesEveryItem) {
  EXPECT_EQ(array_literal({}), "{}");
  EXPECT_EQ(array_literal({"a", "", "NULL"}), R"({"a","","NULL"})");
  EXPECT_EQ(array_literal({R"(a"b\c,{d})"}), R"({"a\"b\\c,{d}"})");
}

}  // namespace
}  // namespace sidelight
