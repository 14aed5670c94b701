// What was hidden is nowhere: not in the message, not in fields and keys, not in the line that dead letters
// keep.
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/process/redactor.h"
#include "tests/agent/process/pii_samples.h"
#include "tests/agent/process/process_testing.h"

namespace sidelight::test {
namespace {

Processors redact(RedactOptions options = {}) {
  return {processor([&](ProcessorOptions& p) { p.redact = std::move(options); })};
}

std::string of_json(const Json& j) {
  return j.dump();
}

TEST(Redaction, MasksTheMessageAndTheLine) {
  Line line(redact());
  const Shipped s =
      line.ship({"2026-11-24 10:00:00 INFO mail to a.b@shop.example, card 4111 1111 1111 1111"});
  EXPECT_EQ(s.documents.at(0)["message"], "2026-11-24 10:00:00 INFO mail to [email], card [card]");
  EXPECT_EQ(s.raws.at(0), "2026-11-24 10:00:00 INFO mail to [email], card [card]");
}

TEST(Redaction, ReachesFieldsLabelsKeysAndNestedValues) {
  Line line(redact(), Format::json);
  const Shipped s = line.ship(
      {R"({"msg":"m","user":{"email":"a@b.example"},"x":{"k@l.example":[1,{"d":"Bearer abc1234567"}],"n":4111111111111111},)"
       R"("a@b.example":1,"c@d.example":2,"pan":4111111111111111,"http":{"response":{"body":{"bytes":4111111111111111}}}})"});
  const Json& d = s.documents.at(0);
  EXPECT_EQ(d["user"]["email"], "[email]");
  EXPECT_EQ(d["labels"]["x"]["[email]"][1]["d"], "Bearer [bearer]");
  EXPECT_EQ(d["labels"]["x"]["n"], "[card]");
  EXPECT_EQ(d["labels"]["[email]"], 1);
  EXPECT_EQ(d["labels"]["[email]#2"], 2);
  EXPECT_EQ(d["labels"]["pan"], "[card]");
  EXPECT_EQ(d["labels"]["http.response.body.bytes"], "[card]") << "a mask is no number: not under that field";
  EXPECT_FALSE(d.contains("http"));
  EXPECT_EQ(s.raws.at(0).find("4111"), std::string::npos);
  EXPECT_EQ(s.raws.at(0).find("b.example"), std::string::npos);
}

TEST(Redaction, EscapesHideNothing) {
  Line line(redact(), Format::json);
  const Shipped s = line.ship(
      {R"({"msg":"a\u0040b.example","t":"first\n4111111111111111","u":"\u0034111111111111111","v":"c\n+79161234567"})"});
  EXPECT_EQ(s.documents.at(0)["message"], "[email]");
  EXPECT_EQ(s.documents.at(0)["labels"]["t"], "first\n[card]");
  EXPECT_EQ(s.documents.at(0)["labels"]["u"], "[card]");
  EXPECT_EQ(s.raws.at(0), R"({"msg":"[email]","t":"first\n[card]","u":"[card]","v":"c\n[phone]"})");
}

TEST(Redaction, OfALineThatDoesNotParse) {
  Line line(redact(), Format::json);
  const Shipped s = line.ship({R"({"msg":"a@b.example")"});
  EXPECT_EQ(s.documents.at(0)["message"], R"({"msg":"[email]")");
  EXPECT_EQ(s.documents.at(0)["error"]["message"].is_string(), true);
  EXPECT_EQ(s.raws.at(0), R"({"msg":"[email]")");
}

TEST(Redaction, LinesWithoutAnythingStayAsTheyAre) {
  Line line(redact(), Format::json);
  const std::string text = R"({"msg":"order 17\n","n":1764000000123,"o":{"a":[1.50,true,null]}})";
  const Shipped s = line.ship({text});
  EXPECT_EQ(s.raws.at(0), text);
  EXPECT_NE(s.bodies.at(0).find(R"({"a":[1.50,true,null]})"), std::string::npos);
}

TEST(Redaction, HashTellsEqualValuesAndNeedsItsKey) {
  RedactOptions o;
  o.action = RedactAction::hash;
  o.key = "one";
  Line line(redact(o));
  const std::string a = line.one("x a@b.example y")["message"];
  EXPECT_EQ(line.one("x A@B.example y")["message"], a);
  EXPECT_NE(line.one("x c@b.example y")["message"], a);
  EXPECT_EQ(line.one("4111-1111-1111-1111")["message"], line.one("4111111111111111")["message"]);
  o.key = "two";
  Line other(redact(o));
  EXPECT_NE(other.one("x a@b.example y")["message"], a);
  EXPECT_EQ(a.size(), std::string("x [email:0123456789abcdef] y").size());
  o.key.clear();
  MemoryFileSystem files;
  EXPECT_FALSE(Chain::make(redact(o), files, {}).has_value());
}

TEST(Redaction, HashIsAnHmacOfSha256) {
  // RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?" -> 5bdcc146bf60754e...
  RedactOptions o;
  o.action = RedactAction::hash;
  const auto redactor = Redactor::make(o, "Jefe");
  ASSERT_TRUE(redactor.has_value());
  // Blanks and dashes do not count, so the known answer is of the text without them; see the second case for
  // the key.
  EXPECT_EQ((*redactor)->replacement("what do ya want for nothing?", "x"),
            (*redactor)->replacement("whatdoyawantfornothing?", "x"));
}

TEST(Redaction, RemoveLeavesNothingNotEvenWhatComesTogether) {
  RedactOptions o;
  o.action = RedactAction::remove;
  Line line(redact(o));
  EXPECT_EQ(line.one("to a@b.example.")["message"], "to .");
  EXPECT_EQ(line.one("iv(a@b.example)x").at("message"), "iv()x");
  o.patterns = {"<[^>]*>"};
  o.kinds = {"card"};
  Line glued(redact(o));
  EXPECT_FALSE(glued.one("4111<x>111111111111").contains("message"));
}

TEST(Redaction, PatternsAndWholeFields) {
  RedactOptions o;
  o.patterns = {"SN-[0-9]{4}", "secret \\w+"};
  o.fields = {"password", "*_token", "source.ip"};
  Line line(redact(o), Format::json);
  const Shipped s = line.ship(
      {R"({"msg":"SN-1234 and secret stuff","password":"hun\"ter2","api_token":"abcd","client_ip":"x","source.ip":"10.0.0.1"})"});
  const Json& d = s.documents.at(0);
  EXPECT_EQ(d["message"], "[redacted] and [redacted]");
  EXPECT_EQ(d["labels"]["password"], "[redacted]");
  EXPECT_EQ(d["labels"]["api_token"], "[redacted]");
  EXPECT_EQ(d["labels"]["source.ip"], "[redacted]");
  EXPECT_FALSE(d.contains("source"));
  for (const char* hidden : {"hun", "abcd", "1234", "stuff", "10.0.0.1"})
    EXPECT_EQ(s.raws.at(0).find(hidden), std::string::npos) << s.raws.at(0);
}

TEST(Redaction, AnchoredPatternsMeanTheField) {
  RedactOptions o;
  o.patterns = {"^[0-9]{6}$"};
  Line line(redact(o), Format::json);
  EXPECT_EQ(line.one(R"({"msg":"a","pin":"123456"})")["labels"]["pin"], "[redacted]");
}

TEST(Redaction, OnlyWhereItsConditionHolds) {
  ConditionOptions shop;
  shop.must.services = {"sh*"};
  const Processors p = {processor([](ProcessorOptions& o) { o.redact.emplace(); }, shop)};
  Line line(p, Format::json);
  EXPECT_EQ(line.one(R"({"msg":"a@b.example","service":"shop"})")["message"], "[email]");
  EXPECT_EQ(line.one(R"({"msg":"a@b.example","service":"crm"})")["message"], "a@b.example");
}

// Values of all kinds in lines of all formats, with all actions.
class RedactionProperty : public testing::TestWithParam<RedactAction> {};
INSTANTIATE_TEST_SUITE_P(Actions, RedactionProperty,
                         testing::Values(RedactAction::mask, RedactAction::hash, RedactAction::remove));

struct Hidden {
  std::string value;
  std::string before;
};

Hidden any_value(Random& random) {
  switch (pick(random, 6)) {
    case 0:
      return {email(random), ""};
    case 1:
      return {phone(random), ""};
    case 2:
      return {written(random, card_number(random)), ""};
    case 3:
      return {iban(random), ""};
    case 4:
      return {jwt(random), ""};
    default:
      return {token(random), "Bearer "};
  }
}

std::string json_escaped(const std::string& s, Random& random) {
  std::string out;
  for (const char c : s) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80 && pick(random, 8) == 0) {
      out += std::string("\\u00") + kHex[b >> 4] + kHex[b & 15];
    } else if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string line_with(const std::string& text, Random& random) {
  const bool escape = pick(random, 2) == 0;
  const std::string in_json = escape ? json_escaped(text, random) : text;
  switch (pick(random, 8)) {
    case 0:
      return R"({"time":"2026-11-24T10:00:00Z","msg":")" + in_json + R"("})";
    case 1:
      return R"({"msg":"m","labels":{"a":")" + in_json + R"("}})";
    case 2:
      return R"({"msg":"m","o":{"list":[1,")" + in_json + R"(",{"d":")" + in_json + R"("}]}})";
    case 3:
      return R"({"msg":"m",")" + in_json + R"(":1,"x":{")" + in_json + R"(":2}})";
    case 4:
      return "level=info msg=\"done for " + text + "\" n=1";
    case 5:
      return R"(10.0.0.1 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "agent )" + text +
             R"(")";
    case 6:
      return "2026-11-24 10:00:00,123 ERROR [main] failed for (" + text + ")";
    default:
      return R"({"msg":"broken )" + text;
  }
}

// Strings and keys of a document, unescaped.
void texts_of(const Json& j, std::vector<std::string>& out) {
  if (j.is_string()) out.push_back(j.get<std::string>());
  if (j.is_number()) out.push_back(j.dump());
  for (auto it = j.begin(); j.is_structured() && it != j.end(); ++it) {
    if (j.is_object()) out.push_back(it.key());
    texts_of(*it, out);
  }
}

TEST_P(RedactionProperty, ValuesAreNowhereInWhatLeaves) {
  RedactOptions o;
  o.action = GetParam();
  o.key = "k";
  Random random(42);
  for (const Format format : {Format::automatic, Format::raw, Format::json, Format::logfmt}) {
    Line line(redact(o), format);
    for (int i = 0; i < 4000; ++i) {
      const Hidden hidden = any_value(random);
      std::string text = "to " + hidden.before + hidden.value;
      if (pick(random, 2) == 0) text += ", thanks";
      const std::string whole = line_with(text, random);
      const Shipped s = line.ship({whole});
      std::vector<std::string> texts;
      texts_of(s.documents.at(0), texts);
      // As an escaped line too, should the raw line be what is looked at.
      texts.push_back(s.raws.at(0));
      const Json raw = Json::parse(s.raws.at(0), nullptr, false);
      if (!raw.is_discarded()) texts_of(raw, texts);
      for (const std::string& t : texts)
        ASSERT_EQ(t.find(hidden.value), std::string::npos)
            << whole << "\n -> " << of_json(s.documents.at(0)) << "\n -> " << s.raws.at(0);
    }
  }
}

}  // namespace
}  // namespace sidelight::test
