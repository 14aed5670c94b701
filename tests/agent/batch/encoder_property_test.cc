// Whatever a record holds, the document is one line of valid JSON in valid UTF-8, and no object has a key
// twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "agent/base/ecs_fields.h"
#include "agent/batch/encoder.h"

namespace sidelight {
namespace {

// Refuses what a tolerant reader would take: keys that appear twice in one object.
class StrictKeys : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::string problem;
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return true;
  }
  bool key(string_t& k) override {
    if (!keys_.back().insert(k).second) problem = "twice: " + k;
    return problem.empty();
  }
  bool end_object() override {
    keys_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& e) override {
    problem = std::to_string(at) + ": " + e.what();
    return false;
  }

 private:
  std::vector<std::set<std::string>> keys_;
};

class Random {
 public:
  explicit Random(unsigned seed) : rng_(seed) {}
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(rng_); }
  std::string bytes() {
    std::string s;
    const std::size_t pieces = below(30) == 0 ? 3000 : below(12);
    const std::size_t kind = below(4);
    for (std::size_t i = 0; i < pieces; ++i) {
      if (kind == 0) s += static_cast<char>(below(256));
      if (kind == 1) s += static_cast<char>('a' + below(26));
      if (kind == 2) s += "\xD0\xBF \"\\\n";
      if (kind == 3) s += below(2) == 0 ? "\xF0\x9F\x9A" : "\xED\xA0\x80 text";
    }
    return s;
  }

 private:
  std::mt19937 rng_;
};

TEST(EncoderProperty, WritesStrictJsonWhateverTheRecordHolds) {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto ecs_name_at = [&] {
      return std::string(ecs_name(static_cast<EcsOrdinal>(random.below(ecs_count()))));
    };
    DocConstants constants{.path = random.bytes(), .service = random.bytes()};
    for (std::size_t n = random.below(6); n > 0; --n) {
      std::string name = random.below(3) == 0 ? random.bytes() : ecs_name_at();
      if (random.below(6) == 0) name += ".below";
      if (random.below(6) == 0) name = name.substr(0, name.find('.'));
      constants.fields.emplace_back(name, random.bytes());
    }
    for (std::size_t n = random.below(4); n > 0; --n)
      constants.labels.emplace_back(random.bytes(), random.bytes());
    const auto shape = static_cast<BulkShape>(random.below(3));
    const auto encoder =
        make_encoder({.shape = shape, .with_ids = random.below(2) == 0, .index_pattern = random.bytes()});
    const auto tmpl = encoder->prepare(constants);
    const Source source{.input = 0, .path = constants.path, .key = std::string(22, 'k')};

    std::deque<std::string> owned;
    const auto keep = [&](std::string s) -> std::string_view { return owned.emplace_back(std::move(s)); };
    Event event;
    event.begin = random.below(1000);
    event.end = event.begin + random.below(1000);
    event.text = keep(random.bytes());
    event.truncated = random.below(3) == 0;
    event.unterminated = random.below(3) == 0;
    event.continuation = random.below(3) == 0;
    event.from_container = random.below(2) == 0;
    Record record;
    record.event = &event;
    record.message = keep(random.bytes());
    record.level = random.below(2) == 0 ? "" : random.below(2) == 0 ? "info" : "emergency";
    if (random.below(4) == 0) record.parse_error = keep("x" + random.bytes());
    std::set<std::string> used;
    for (std::size_t n = random.below(3) == 0 ? random.below(100) : random.below(4); n > 0; --n) {
      const std::string name = random.below(20) == 0 ? "stray." + random.bytes() : ecs_name_at();
      if (used.insert(name).second) record.ecs.push_back({keep(name), keep(random.bytes()), ValueKind::text});
    }
    used.clear();
    for (std::size_t n = random.below(8); n > 0; --n) {
      const std::string name = random.bytes();
      if (used.insert(name).second)
        record.labels.push_back(
            {keep(name), random.below(2) == 0 ? keep(random.bytes()) : keep("[1,{}]"), ValueKind::text});
    }
    Batch batch;
    batch.spans.emplace_back();
    encoder->append(record, *tmpl, source, static_cast<std::int64_t>(random.below(1u << 30)) * 1'000'000'007,
                    0, batch);

    ASSERT_EQ(std::count(batch.body.begin(), batch.body.end(), '\n'), shape == BulkShape::ndjson ? 1 : 2);
    for (const std::string_view line : {std::string_view(batch.body).substr(0, batch.docs[0].source_begin),
                                        batch.doc_source(batch.docs[0])}) {
      if (line.empty()) continue;
      StrictKeys strict;
      EXPECT_TRUE(nlohmann::json::sax_parse(line, &strict)) << strict.problem << "\n" << line.substr(0, 3000);
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace sidelight
