#include "agent/observe/listen_address.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(ListenAddress, TakesWhatPeopleWrite) {
  struct Case {
    const char* text;
    const char* host;
    int port;
  };
  for (const Case& c : {Case{"127.0.0.1:9464", "127.0.0.1", 9464}, Case{"[::1]:9464", "::1", 9464},
                        Case{"fd00::5:9464", "fd00::5", 9464}, Case{"localhost:0", "localhost", 0},
                        Case{":9464", "", 9464}, Case{"*:9464", "", 9464}, Case{"[::]:1", "::", 1}}) {
    const auto a = parse_listen_address(c.text);
    ASSERT_TRUE(a) << c.text << ": " << a.error().message;
    EXPECT_EQ(a->host, c.host) << c.text;
    EXPECT_EQ(a->port, c.port) << c.text;
  }
}

TEST(ListenAddress, SaysWhatIsWrong) {
  for (const char* text :
       {"", "9464", "localhost", "h:", "h:x", "h:65536", "h:-1", "h: 1", "[::1:9464", "::1]:9464", "[h]:1"}) {
    const auto a = parse_listen_address(text);
    ASSERT_FALSE(a) << text;
    EXPECT_NE(a.error().message.find("HOST:PORT"), std::string::npos);
  }
}

TEST(ListenAddress, TellsThePortThatWasTaken) {
  EXPECT_EQ(with_port("127.0.0.1:0", 4711), "127.0.0.1:4711");
  EXPECT_EQ(with_port("[::1]:0", 4711), "[::1]:4711");
  EXPECT_EQ(with_port(":0", 4711), ":4711");
}

}  // namespace
}  // namespace sidelight
