// Any bytes, any list of processors: each document is valid JSON in valid UTF-8 with unique keys, and nothing
// that a last redaction hides is in it.
#include <gtest/gtest.h>

#include "agent/base/json_text.h"
#include "agent/process/pii_scanner.h"
#include "tests/agent/process/process_testing.h"
#include "tests/agent/process/random_processors.h"

namespace sidelight::test {
namespace {

std::string any_line(Random& random) {
  static constexpr auto kPieces = std::to_array<std::string_view>({"{",
                                                                   "}",
                                                                   "[",
                                                                   "]",
                                                                   ":",
                                                                   ",",
                                                                   "\"",
                                                                   "\\",
                                                                   "\\u0040",
                                                                   "\\ud800",
                                                                   "\\n",
                                                                   " ",
                                                                   "\xFF",
                                                                   "\xC3",
                                                                   "\xE2\x80\xAF",
                                                                   "\x01",
                                                                   "=",
                                                                   "true",
                                                                   "1e999",
                                                                   "\"a\":",
                                                                   "\"msg\":\"",
                                                                   "\"level\":\"info\"",
                                                                   "\"payload\":\"{\\\"a\\\":1}\"",
                                                                   "a=b",
                                                                   "@",
                                                                   "x.example",
                                                                   "4111",
                                                                   "1111",
                                                                   "-",
                                                                   "+7916",
                                                                   "1234567",
                                                                   "Bearer ",
                                                                   "eyJhbGciOiJIUzI1NiJ9",
                                                                   ".",
                                                                   "2026-11-24T10:00:00Z",
                                                                   "DE89",
                                                                   "3704",
                                                                   "%40",
                                                                   "(",
                                                                   ")",
                                                                   "\"url.port\":4111111111111111,",
                                                                   "\"event.duration\":89161234567,"});
  std::string out = pick(random, 2) == 0 ? "{" : "";
  for (std::size_t n = pick(random, 24); n > 0; --n) {
    switch (pick(random, 6)) {
      case 0:
        out += static_cast<char>(pick(random, 256));
        break;
      case 1:
        out += pick(random, 2) == 0 ? email(random) : written(random, card_number(random));
        break;
      default:
        out += kPieces[pick(random, kPieces.size())];
    }
  }
  if (pick(random, 3) == 0) out = R"({"msg":")" + out + R"(","a":")" + out + "\"}";
  return out;
}

// Parses, and fails on a key that is there twice.
bool keys_are_unique(const std::string& text) {
  std::vector<std::set<std::string>> open;
  bool unique = true;
  const auto note = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key)
      unique = open.back().insert(parsed.get<std::string>()).second && unique;
    return true;
  };
  return !Json::parse(text, note, false).is_discarded() && unique;
}

void texts_of(const Json& j, std::vector<std::string>& out) {
  if (j.is_string()) out.push_back(j.get<std::string>());
  if (j.is_number()) out.push_back(j.dump());
  for (auto it = j.begin(); j.is_structured() && it != j.end(); ++it) {
    if (j.is_object()) out.push_back(it.key());
    texts_of(*it, out);
  }
}

TEST(AnyProcessors, GiveValidDocuments) {
  Random random(20261124);
  for (int round = 0; round < 3000; ++round) {
    const Format format = static_cast<Format>(pick(random, 6));
    Line line(any_processors(random), format, {"shop", {{"host.name", "h"}}, {{"a", "constant"}}});
    for (int i = 0; i < 4; ++i) {
      const std::string text = any_line(random);
      const Shipped s = line.ship({text, text});
      for (const std::string& body : s.bodies) {
        ASSERT_EQ(repair_utf8(body), body) << round;
        ASSERT_TRUE(keys_are_unique(body)) << round << ": " << body;
        ASSERT_EQ(body.find('\n'), body.size() - 1);
      }
    }
  }
}

TEST(AnyProcessors, ThenRedactionLeavesNothing) {
  Random random(7);
  using enum PiiKind;
  const PiiScanner scanner({email, phone, card, iban, bearer, jwt});
  for (int round = 0; round < 3000; ++round) {
    Processors p = any_processors(random);
    p.push_back(processor([&](ProcessorOptions& o) {
      o.redact.emplace();
      o.redact->action = static_cast<RedactAction>(pick(random, 3));
      o.redact->key = "k";
    }));
    Line line(p, static_cast<Format>(pick(random, 6)));
    for (int i = 0; i < 4; ++i) {
      const std::string text = any_line(random);
      const Shipped s = line.ship({text});
      for (std::size_t d = 0; d < s.documents.size(); ++d) {
        Json shown = s.documents[d];
        for (const char* own : {"@timestamp", "event", "log", "ecs"}) shown.erase(own);
        std::vector<std::string> texts;
        texts_of(shown, texts);
        texts.push_back(s.raws[d]);
        for (const std::string& t : texts) {
          std::vector<PiiMatch> found;
          scanner.find(t, found);
          ASSERT_TRUE(found.empty()) << round << ": " << text << "\n -> " << t << "\n in " << s.bodies[d];
        }
      }
    }
  }
}

}  // namespace
}  // namespace sidelight::test
