#include "collectors/nginx/collector.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

TEST(StubStatus, ReadsThePageOfNginx) {
  const auto s = parse_stub_status(
      "Active connections: 291 \nserver accepts handled requests\n 16630948 16630946 31070465 \n"
      "Reading: 6 Writing: 179 Waiting: 106 \n");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->active, 291);
  EXPECT_EQ(s->accepted, 16630948);
  EXPECT_EQ(s->handled, 16630946);
  EXPECT_EQ(s->requests, 31070465);
  EXPECT_EQ(s->reading, 6);
  EXPECT_EQ(s->writing, 179);
  EXPECT_EQ(s->waiting, 106);
}

TEST(StubStatus, RefusesAnythingElse) {
  for (const char* page : {"", "<html>404</html>", "Active connections: x",
                           "Active connections: 1 \nserver accepts handled requests\n 1 1\n",
                           "Active connections: -1 \nserver accepts handled requests\n 1 1 1\nReading: 0 "
                           "Writing: 1 Waiting: 0\n",
                           "Active connections: 1 \nserver accepts handled requests\n 1 1 1\nReading: 0 "
                           "Writing: 1 Waiting: 0\nmore",
                           "Active connections: 99999999999999999999 \nserver accepts handled requests\n 1 1 "
                           "1\nReading: 0 Writing: 1 Waiting: 0\n"})
    EXPECT_FALSE(parse_stub_status(page)) << page;
}

}  // namespace
}  // namespace sidelight
