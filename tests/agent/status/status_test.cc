#include "agent/status/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {
namespace {

class StatusTest : public testing::Test {
 protected:
  StatusSources sources() {
    return {"1.2", clock.wall(), clock, history, files, [this] { return targets; }};
  }
  nlohmann::json json() { return nlohmann::json::parse(status_json(sources())); }

  FakeClock clock;
  History history;
  TailedFiles files;
  std::vector<TargetStatus> targets;
};

TEST_F(StatusTest, SaysOfEachTargetHowOldItsAnswerIsAndWhatIsWrong) {
  TargetStatus t{"redis", "cache", std::chrono::seconds(5), {}};
  targets.push_back(t);
  t.target = "second";
  t.view.up = false;
  t.view.stale = true;
  t.view.error = "refused \xff";
  t.view.last_success_mono = clock.now();
  auto values = std::make_shared<TargetValues>();
  values->advice.push_back({"public.orders", "why", "CREATE INDEX"});
  values->warnings.emplace_back("no right");
  t.view.values = values;
  targets.push_back(t);
  clock.advance(std::chrono::seconds(7));
  const auto all = json()["targets"];
  EXPECT_TRUE(all[0]["up"].is_null());
  EXPECT_TRUE(all[0]["age_seconds"].is_null());
  EXPECT_EQ(all[1]["up"], false);
  EXPECT_EQ(all[1]["age_seconds"], 7);
  EXPECT_EQ(all[1]["error"], "refused \xEF\xBF\xBD");
  EXPECT_EQ(all[1]["warnings"][0], "no right");
  EXPECT_EQ(all[1]["advice"][0]["action"], "CREATE INDEX");
}

TEST_F(StatusTest, ShowsGapsAsNull) {
  history.sample(clock.now(), "mes_queue_depth 1\n");
  history.sample(clock.now(), "");
  EXPECT_EQ(json()["history"]["series"][0]["points"], nlohmann::json::parse("[1.0, null]"));
}

TEST_F(StatusTest, ShowsFiles) {
  files.set({{"/a", "shop", 100, 60, 50, 1.5}}, 3);
  EXPECT_EQ(json()["files"][0]["delivered_bytes"], 50);
  EXPECT_EQ(json()["files_all"], 3);
}

TEST_F(StatusTest, GuardsPageAndApiAlike) {
  MemoryFileSystem fs;
  HttpRoutes routes;
  add_status_routes(routes, sources(), PageAccess({"0.0.0.0:1", ""}, fs));
  EXPECT_EQ(routes.at("/")({"/", "", ""}).status, 403);
  EXPECT_EQ(routes.at("/api/v1/status")({"/api/v1/status", "", ""}).status, 403);
}

TEST_F(StatusTest, ThePageLoadsNothingFromElsewhere) {
  MemoryFileSystem fs;
  HttpRoutes routes;
  add_status_routes(routes, sources(), PageAccess({"127.0.0.1:1", ""}, fs));
  const HttpReply page = routes.at("/")({"/", "", ""});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  for (const char* from : {"https://", "src=", "@import", "url("})
    EXPECT_EQ(page.body.find(from), std::string::npos) << from;
  EXPECT_LT(page.body.size(), 40'000U);
}

}  // namespace
}  // namespace sidelight
