#include "agent/status/page_access.h"

#include <gtest/gtest.h>

#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

class PageAccessTest : public testing::Test {
 protected:
  PageAccessTest() { files.write_file("/token", "s3cret:ü\n"); }
  int status(const std::string& listen, const std::string& token_file, std::string_view authorization = {}) {
    const HttpServerOptions options{listen, token_file};
    return PageAccess(options, files).check({"/", "", authorization}).status;
  }
  MemoryFileSystem files;
};

TEST_F(PageAccessTest, IsOpenOnLoopbackAndShutElsewhere) {
  for (const char* here : {"127.0.0.1:9464", "127.1.2.3:1", "[::1]:9464", "localhost:9464"})
    EXPECT_EQ(status(here, ""), 200) << here;
  for (const char* out :
       {"0.0.0.0:9464", "*:9464", "10.0.0.1:9464", "[::]:1", "[fe80::1]:1", "shop.example:9464"})
    EXPECT_EQ(status(out, ""), 403) << out;
}

TEST_F(PageAccessTest, AsksForTheTokenEverywhereOnceThereIsOne) {
  for (const char* listen : {"127.0.0.1:9464", "0.0.0.0:9464"}) {
    EXPECT_EQ(status(listen, "/token"), 401);
    EXPECT_EQ(status(listen, "/token", "Bearer s3cret:ü"), 200);
    EXPECT_EQ(status(listen, "/token", "Basic YW55b25lOnMzY3JldDrDvA=="), 200)
        << "as the password of any user";
    for (const char* wrong :
         {"Bearer", "Bearer ", "Bearer s3cret", "Bearer s3cret:ü ", "Bearer s3cret:üs3cret:ü", "s3cret:ü",
          "Basic !", "Basic YW55b25l", "Digest s3cret:ü"})
      EXPECT_EQ(status(listen, "/token", wrong), 401) << wrong;
  }
}

TEST_F(PageAccessTest, TakesUpARotatedToken) {
  EXPECT_EQ(status("0.0.0.0:1", "/token", "Bearer new"), 401);
  files.write_file("/token", "new");
  EXPECT_EQ(status("0.0.0.0:1", "/token", "Bearer new"), 200);
}

TEST_F(PageAccessTest, StaysShutWithoutAReadableToken) {
  EXPECT_EQ(status("127.0.0.1:1", "/nowhere", "Bearer "), 503);
  files.write_file("/empty", "\n");
  EXPECT_EQ(status("127.0.0.1:1", "/empty", "Bearer "), 503);
}

}  // namespace
}  // namespace sidelight
