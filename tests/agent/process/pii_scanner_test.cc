// What is personal data and what only looks like it.
#include "agent/process/pii_scanner.h"

#include <gtest/gtest.h>

#include <set>

#include "agent/process/number_scan.h"
#include "tests/agent/process/pii_samples.h"

namespace sidelight {
namespace {

using enum PiiKind;

// "kind:text" for each find.
std::vector<std::string> finds(std::string_view text,
                               const std::vector<PiiKind>& kinds = {email, phone, card, iban, bearer, jwt}) {
  std::vector<PiiMatch> matches;
  PiiScanner(kinds).find(text, matches);
  std::vector<std::string> out;
  std::size_t last = 0;
  for (const PiiMatch& m : matches) {
    EXPECT_LE(last, m.begin);
    EXPECT_LT(m.begin, m.end);
    EXPECT_LE(m.end, text.size());
    last = m.end;
    out.push_back(std::string(pii_name(m.kind)) + ":" + std::string(text.substr(m.begin, m.end - m.begin)));
  }
  return out;
}
using Finds = std::vector<std::string>;

TEST(Email, IsFoundInRunningText) {
  EXPECT_EQ(finds("mail to ivan.petrov+shop@mail.example.com, please"),
            Finds{"email:ivan.petrov+shop@mail.example.com"});
  EXPECT_EQ(finds("<a@b.example>; user=x_y@z.example."), (Finds{"email:a@b.example", "email:x_y@z.example"}));
  EXPECT_EQ(finds("почта: иван@почта.рф!"), Finds{"email:иван@почта.рф"});
  EXPECT_EQ(finds("?login=ivan%40shop.example&x=1"), Finds{"email:ivan%40shop.example"});
  EXPECT_EQ(finds("'o'brien@x.example'"), Finds{"email:o'brien@x.example"});
  EXPECT_EQ(finds("89161234567@mail.example"), Finds{"email:89161234567@mail.example"});
}

TEST(Email, IsNoHandleNoHostAndNoDecorator) {
  EXPECT_EQ(finds("@Override @ 5@ root@db1 a@b @@ x@.example user@10.0.0.1 %40"), Finds{});
  EXPECT_EQ(finds("lodash@4.17.21 left-pad@1.0.0"), Finds{});
}

TEST(Email, ManyAtSignsTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "aaaa@";
  EXPECT_EQ(finds(text), Finds{});
}

TEST(Phone, IsFoundInItsUsualForms) {
  for (const std::string number :
       {"+79161234567", "+7 916 123-45-67", "+7 (916) 123-45-67", "8 (916) 123-45-67", "8-916-123-45-67",
        "89161234567", "79161234567", "8 800 555 35 35", "+44 20 7946 0958", "+1 415-555-2671",
        "(415) 555-2671", "415-555-2671", "1-800-555-0199", "+1.415.555.2671", "%2B79161234567",
        "(916) 123-45-67"}) {
    EXPECT_EQ(finds("call " + number + " now"), Finds{"phone:" + number}) << number;
    EXPECT_EQ(finds("\"phone\":\"" + number + "\","), Finds{"phone:" + number}) << number;
    EXPECT_EQ(finds(number), Finds{"phone:" + number}) << number;
  }
}

TEST(Phone, IsNoTimeNoAddressAndNoIdentifier) {
  for (const std::string text :
       {"2026-11-24T10:00:00.123Z", "2026-11-24 10:00:00,123 +0300", "2026-11-24T10:00:00+03:00",
        "10.125.45.12", "order 2026-1124-0001", "1764000000123", "4bf92f3577b34da6a3ce929d0e0e4736",
        "200 512 1234", "v1.22.333", "550e8400-e29b-41d4-a716-446655440000", "took 1234.5678 ms",
        "a+12345678", "192.168.100.200:8080", "0x89161234567", "id89161234567", "INV-415-555-2671-00"}) {
    EXPECT_EQ(finds(text, {phone, iban, card}), Finds{}) << text;
  }
}

TEST(Card, GeneratedValidNumbersAreAllFound) {
  test::Random random(20261124);
  for (int i = 0; i < 200'000; ++i) {
    const std::string number = test::card_number(random);
    const std::string text = test::written(random, number);
    const auto found = finds("card " + text + " exp 12/27", {card});
    ASSERT_EQ(found, Finds{"card:" + text}) << number;
  }
}

TEST(Card, IsFoundWhateverStandsAround) {
  const std::string number = "4111 1111 1111 1111";
  for (const std::string frame : {"%", "\"%\"", "pan=%,", "2026-11-24 % 123", "% 12/27", "(%)", "12 %",
                                  "карта%руб", "order 17, card %.", "[%]", ">%<", "'%'"}) {
    std::string text = frame;
    text.replace(text.find('%'), 1, number);
    const auto found = finds(text, {card});
    ASSERT_EQ(found.size(), 1u) << text;
    EXPECT_NE(found[0].find(number), std::string::npos) << text;
  }
  EXPECT_EQ(finds("4111\u00A01111\u00A01111\u00A01111", {card}).size(), 1u);
  EXPECT_EQ(finds("4111\u20111111\u20111111\u20111111", {card}).size(), 1u);
}

TEST(Card, OrderNumbersThatFailTheChecksumAreLeftAlone) {
  test::Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string number = test::card_number(random);
    char& last = number.back();
    last = static_cast<char>('0' + (last - '0' + 1 + static_cast<int>(test::pick(random, 9))) % 10);
    const std::string text = test::written(random, number);
    if (number.size() == 19 && text.size() > 19)
      continue;  // its first sixteen digits may be a card by chance
    ASSERT_EQ(finds("order " + text + " accepted", {card}), Finds{}) << number;
  }
}

TEST(Card, NumbersThatAreSomethingElseAreLeftAlone) {
  for (const std::string text :
       {"1764000000123456", "0.4111111111111111", "a4111111111111111", "4111111111111111f",
        "41111111111111111111", "4111_1111_1111_1111", "x-4111111111111111e", "0000000000000000"}) {
    EXPECT_EQ(finds(text, {card}), Finds{}) << text;
  }
}

TEST(Card, LuhnAndPrefixes) {
  EXPECT_TRUE(is_card_number("4111111111111111"));
  EXPECT_TRUE(is_card_number("378282246310005"));
  EXPECT_TRUE(is_card_number("2200000000000004"));
  EXPECT_FALSE(is_card_number("4111111111111112"));
  EXPECT_FALSE(is_card_number("1111111111111117"));
  EXPECT_FALSE(is_card_number("411111111111"));
}

TEST(Iban, GeneratedOnesAreFoundAndTypingErrorsAreNot) {
  test::Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = test::iban(random);
    ASSERT_EQ(finds("to " + text + ", thanks", {iban}), Finds{"iban:" + text});
    char& digit = text[text.size() - 1];
    digit = digit == '9' ? '0' : static_cast<char>(digit + 1);
    ASSERT_EQ(finds("to " + text + ", thanks", {iban}), Finds{}) << text;
  }
  EXPECT_TRUE(is_iban("DE89370400440532013000"));
  EXPECT_TRUE(is_iban("GB82WEST12345698765432"));
  EXPECT_FALSE(is_iban("XX89370400440532013000"));
}

TEST(Bearer, HidesTheTokenAndKeepsTheWord) {
  EXPECT_EQ(finds("Authorization: Bearer abc.def-123"), Finds{"bearer:abc.def-123"});
  EXPECT_EQ(finds("authorization: bearer 0123456789abcdef"), Finds{"bearer:0123456789abcdef"});
  EXPECT_EQ(finds("\"Authorization\":\"Bearer QWxhZGRpbjpvcGVu==\""), Finds{"bearer:QWxhZGRpbjpvcGVu=="});
  EXPECT_EQ(finds("the bearer of this letter; bearer authentication failed; unbearer 12345678"), Finds{});
}

TEST(Jwt, NeedsItsThreeParts) {
  const std::string token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP";
  EXPECT_EQ(finds("token=" + token + "&x"), Finds{"jwt:" + token});
  EXPECT_EQ(finds("Bearer " + token), Finds{"bearer:" + token});
  EXPECT_EQ(finds("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."), Finds{"jwt:eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."});
  EXPECT_EQ(finds("eyJ eyJhbGciOiJIUzI1NiJ9 eyJhbGciOiJIUzI1NiJ9.x KeyJoin.method.name"), Finds{});
}

TEST(Scanner, KindsThatAreNotWantedAreNotFound) {
  const std::string all =
      "a@b.example +79161234567 4111111111111111 DE89370400440532013000 Bearer abc1234567";
  EXPECT_EQ(finds(all).size(), 5u);
  EXPECT_EQ(finds(all, {card}), Finds{"card:4111111111111111"});
  EXPECT_EQ(finds(all, {email}), Finds{"email:a@b.example"});
  EXPECT_EQ(finds(all, {}), Finds{});
}

}  // namespace
}  // namespace sidelight
