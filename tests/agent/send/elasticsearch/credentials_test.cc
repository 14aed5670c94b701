#include "agent/send/elasticsearch/credentials.h"

#include "tests/agent/send/support.h"

#include <gtest/gtest.h>

namespace sidelight::test {
namespace {

TEST(CredentialsTest, EachSchemeHasItsHeader) {
  PosixFileSystem fs;
  SteppedClock clock;
  ElasticsearchOptions o;
  EXPECT_EQ(Credentials(o, fs, clock).header().value(), "");
  o.username = "Aladdin";
  o.password = "open sesame";
  EXPECT_EQ(Credentials(o, fs, clock).header().value(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  o.bearer_token = "tok";
  EXPECT_EQ(Credentials(o, fs, clock).header().value(), "Bearer tok");
  o.api_key = "id:key";
  EXPECT_EQ(Credentials(o, fs, clock).header().value(), "ApiKey aWQ6a2V5");
  o.api_key = "aWQ6a2V5";
  EXPECT_EQ(Credentials(o, fs, clock).header().value(), "ApiKey aWQ6a2V5");
}

TEST(CredentialsTest, AFileIsReadAgainWhenItChangesAndKeptWhenItVanishes) {
  PosixFileSystem fs;
  SteppedClock clock;
  TempDir dir;
  ElasticsearchOptions o;
  o.bearer_token_file = dir.path() + "/token";
  Credentials c(o, fs, clock);
  EXPECT_FALSE(c.header()) << "nothing was ever known";
  ASSERT_TRUE(fs.write_atomically(o.bearer_token_file, "one\n"));
  EXPECT_EQ(c.header().value(), "Bearer one");
  ASSERT_TRUE(fs.write_atomically(o.bearer_token_file, "two"));
  EXPECT_EQ(c.header().value(), "Bearer one") << "looked at once a second";
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(c.header().value(), "Bearer two");
  ASSERT_TRUE(fs.write_atomically(o.bearer_token_file, "three"));
  c.renew();
  EXPECT_EQ(c.header().value(), "Bearer three");
  ASSERT_TRUE(fs.remove(o.bearer_token_file));
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(c.header().value(), "Bearer three");
}

TEST(CredentialsTest, ErrorsNameTheFileNotTheSecret) {
  PosixFileSystem fs;
  SteppedClock clock;
  ElasticsearchOptions o;
  o.username = "u";
  o.password_file = "/nowhere/pw";
  const auto header = Credentials(o, fs, clock).header();
  ASSERT_FALSE(header);
  EXPECT_NE(header.error().message.find("/nowhere/pw"), std::string::npos);
}

}  // namespace
}  // namespace sidelight::test
