#pragma once

#include <gtest/gtest.h>

#include "agent/send/elasticsearch/sender.h"
#include "tests/agent/send/elasticsearch/fake_elasticsearch.h"

namespace sidelight::test {

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() {
    options.hosts = {"http://es:9200"};
    options.data_stream = "logs-shop-default";
    options.gzip = false;
    options.dead_letters.dir = dir.path() + "/dead-letters";
  }
  Sender& sender() {
    if (!sender_) sender_ = std::make_unique<Sender>(options, world.context(), fs, client, 42);
    return *sender_;
  }
  // Steps until everything is settled or `steps` passed.
  bool run(int steps = 2000) {
    for (int i = 0; i < steps && !sender().idle(); ++i) sender().step(std::chrono::milliseconds(1000));
    return sender().idle();
  }
  // Steps until `seconds` of the clock passed.
  void run_for(int seconds) {
    const MonoTime until = world.clock.now() + std::chrono::seconds(seconds);
    while (world.clock.now() < until) sender().step(std::chrono::milliseconds(1000));
  }
  // Ten further documents, one every other second.
  void give_others(std::size_t first) {
    for (std::size_t i = 0; i < 10; ++i) {
      sender().accept(make_batch(1, first + i));
      run_for(2);
    }
  }
  static std::string document(std::size_t n) { return lines_of(make_batch(1, n)->body).at(1); }
  std::vector<std::string> dead_letters() {
    std::vector<std::string> out;
    std::error_code none;
    for (const auto& e : std::filesystem::directory_iterator(options.dead_letters.dir, none)) {
      if (e.path().string().find(".ndjson") == std::string::npos) continue;
      for (auto& l : lines_of(fs.read_file(e.path(), 1 << 26).value())) out.push_back(l);
    }
    return out;
  }
  void expect_each_stored_once(std::size_t n) {
    EXPECT_EQ(es.stored.size(), n);
    for (const auto& [document, times] : es.stored) EXPECT_EQ(times, 1) << document;
  }
  static std::string number(std::size_t n) { return "\"n\":" + std::to_string(n) + ","; }

  World world;
  TempDir dir;
  FullableFileSystem fs;
  FakeElasticsearch es;
  ScriptedHttpClient client{world.clock, [this](const auto& r) { return es(r); }};
  ElasticsearchOptions options;
  std::unique_ptr<Sender> sender_;
};

}  // namespace sidelight::test
