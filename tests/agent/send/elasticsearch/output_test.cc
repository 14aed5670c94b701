// The output on its own thread.
#include "agent/send/elasticsearch/output.h"

#include <gtest/gtest.h>

#include "tests/agent/send/elasticsearch/fake_elasticsearch.h"

namespace sidelight::test {
namespace {

class ElasticsearchOutputTest : public ::testing::Test {
 protected:
  ElasticsearchOutputTest() {
    options.hosts = {"http://es:9200"};
    options.data_stream = "logs-shop-default";
    options.gzip = false;
    options.dead_letters.dir = dir.path() + "/dead-letters";
  }
  std::unique_ptr<Output> make() {
    return make_elasticsearch_output(
        options, world.context(), fs,
        std::make_unique<ScriptedHttpClient>(world.clock, [this](const auto& r) { return es(r); }));
  }
  World world;
  TempDir dir;
  PosixFileSystem fs;
  FakeElasticsearch es;
  ElasticsearchOptions options;
};

TEST_F(ElasticsearchOutputTest, DrainDeliversWhatIsQueued) {
  auto output = make();
  for (std::size_t i = 0; i < 20; ++i) output->submit(make_batch(5, 5 * i));
  EXPECT_TRUE(output->drain(world.clock.now() + std::chrono::hours(1)));
  EXPECT_EQ(es.stored.size(), 100u);
  EXPECT_EQ(world.recycler.recycled, 20);
  EXPECT_EQ(output->queued_bytes(), 0u);
}

TEST_F(ElasticsearchOutputTest, DrainGivesUpAtTheDeadlineAndSettlesNothingItDidNotDeliver) {
  es.instead = [](const auto&) -> std::optional<HttpResult> { return FakeElasticsearch::reply(503, ""); };
  auto output = make();
  output->submit(make_batch(5));
  EXPECT_FALSE(output->drain(world.clock.now() + std::chrono::seconds(25)));
  EXPECT_GT(output->queued_bytes(), 0u);
  output.reset();
  EXPECT_TRUE(world.ledger.settled.empty());
}

TEST_F(ElasticsearchOutputTest, DrainDeliversTheNeighboursOfADocumentThatWaitsAndEndsAtItsDeadline) {
  es.refuse = [](const std::string& d) -> std::optional<FakeElasticsearch::Refusal> {
    if (d.find("\"n\":7,") == std::string::npos) return std::nullopt;
    return FakeElasticsearch::Refusal{400, "new_exception", "never seen"};
  };
  auto output = make();
  for (std::size_t i = 0; i < 20; ++i) output->submit(make_batch(50, 50 * i));
  const MonoTime begin = world.clock.now();
  EXPECT_FALSE(output->drain(begin + std::chrono::seconds(25)));
  EXPECT_LT(world.clock.now() - begin, std::chrono::seconds(27));
  EXPECT_EQ(es.stored.size(), 999u);
  EXPECT_LT(output->queued_bytes(), 200u) << "one document";
  output.reset();
  EXPECT_EQ(world.ledger.settled.size(), 19u);
}

TEST_F(ElasticsearchOutputTest, TheEncodingFollowsTheDestination) {
  EXPECT_EQ(make()->encoding().shape, BulkShape::fixed_target);
  EXPECT_TRUE(make()->encoding().with_ids);
  options.data_stream.clear();
  options.index = "shop-%Y.%m";
  options.at_least_once = true;
  const auto dated = make()->encoding();
  EXPECT_EQ(dated.shape, BulkShape::dated_index);
  EXPECT_EQ(dated.index_pattern, "shop-%Y.%m");
  EXPECT_FALSE(dated.with_ids);
}

}  // namespace
}  // namespace sidelight::test
