#include <gtest/gtest.h>

#include "config/generate.h"
#include "tests/config/loading.h"

namespace sidelight {
namespace {

constexpr const char* kSecret = "hunter2-xyzzy";

std::string everything(const LoadResult& r) {
  return render_problems(r.errors, r.warnings) + (r.settings ? render_settings(*r.settings) : "");
}

// Each of these puts the secret somewhere, rightly or wrongly.
TEST(Secrets, AreNeverPrinted) {
  const std::vector<std::string> bodies = {
      "    username: u\n    password: hunter2-xyzzy\n",
      "    username: u\n    password: ${SECRET}\n",
      "    password: hunter2-xyzzy\n",
      "    password: hunter2-xyzzy\n    password: hunter2-xyzzy\n",
      "    pasword: hunter2-xyzzy\n",
      "    password: [hunter2-xyzzy]\n",
      "    password: {hunter: hunter2-xyzzy}\n",
      "    password: ${hunter2-xyzzy}\n",
      "    username: u\n    password: hunter2-xyzzy\n    password_file: ./none\n",
      "    api_key: hunter2-xyzzy\n    bearer_token: hunter2-xyzzy\n",
      "    bearer_token: hunter2-xyzzy\n",
      "    api_key: hunter2-xyzzy\n",
      "    proxy: http://u:hunter2-xyzzy@proxy:1\n",
      "    proxy: http://u:hunter2-xyzzy@proxy:bad\n",
      "    proxy: ${SECRET}\n",
      "    timeout: ${SECRET}\n",
      "    compression: ${SECRET}\n",
      "    pipeline: ${SECRET}\n    data_stream: ${SECRET}\n    index: ${SECRET}/\n",
  };
  for (const std::string& body : bodies) {
    Loading l;
    l.environment["SECRET"] = kSecret;
    const bool shown_as_plain_setting = body.find("pipeline") != std::string::npos;
    const LoadResult r = l.load(elasticsearch("    hosts: [http://h]\n    index: a\n" + body));
    if (shown_as_plain_setting) {
      EXPECT_FALSE(r.settings);
    }
    EXPECT_EQ(everything(r).find(kSecret), std::string::npos) << body << everything(r);
  }
}

TEST(Secrets, UrlCredentialsAreRefusedUnprinted) {
  Loading l;
  const LoadResult r = l.load(elasticsearch("    hosts: [http://u:hunter2-xyzzy@h]\n    index: a\n"));
  EXPECT_FALSE(r.settings);
  EXPECT_EQ(everything(r).find(kSecret), std::string::npos);
}

TEST(Secrets, ProxyOfTheEnvironmentIsNotPrintedEither) {
  Loading l;
  l.environment["HTTP_PROXY"] = "http://u:hunter2-xyzzy@proxy:bad";
  const LoadResult r = l.load(elasticsearch("    hosts: [http://h]\n    index: a\n"));
  EXPECT_FALSE(r.settings);
  EXPECT_EQ(everything(r).find(kSecret), std::string::npos);
  l.environment["HTTP_PROXY"] = "http://u:hunter2-xyzzy@proxy:1";
  const LoadResult good = l.load(elasticsearch("    hosts: [http://h]\n    index: a\n"));
  ASSERT_TRUE(good.settings);
  EXPECT_EQ(everything(good).find(kSecret), std::string::npos);
}

TEST(Secrets, DumpSaysThatThereIsOne) {
  Loading l;
  const LoadResult r =
      l.load(elasticsearch("    hosts: [http://h]\n    index: a\n    api_key: hunter2-xyzzy\n"));
  ASSERT_TRUE(r.settings);
  EXPECT_NE(render_settings(*r.settings).find("api_key: (secret)"), std::string::npos);
}

}  // namespace
}  // namespace sidelight
