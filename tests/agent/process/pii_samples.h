// Personal data made up for tests: values that are valid by their checksums, and belong to nobody.
#pragma once

#include <array>
#include <random>
#include <string>
#include <string_view>

namespace sidelight::test {

using Random = std::mt19937_64;

inline std::size_t pick(Random& random, std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
}

inline std::string digits(Random& random, std::size_t n) {
  std::string out;
  while (out.size() < n) out += static_cast<char>('0' + pick(random, 10));
  return out;
}

inline char luhn_digit(std::string_view body) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const auto d = static_cast<unsigned>(body[body.size() - 1 - i] - '0');
    sum += i % 2 == 0 ? (d * 2 > 9 ? d * 2 - 9 : d * 2) : d;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

// Beginnings and lengths as payment systems use them.
inline std::string card_number(Random& random) {
  struct System {
    std::string_view prefix;
    std::size_t length;
  };
  static constexpr auto kSystems = std::to_array<System>(
      {{"4", 16},    {"4", 13},    {"51", 16},   {"55", 16},   {"2221", 16}, {"2720", 16}, {"34", 15},
       {"37", 15},   {"6011", 16}, {"65", 16},   {"36", 14},   {"3530", 16}, {"62", 16},   {"62", 19},
       {"2200", 16}, {"2204", 16}, {"5018", 16}, {"6759", 19}, {"81", 16},   {"9792", 16}});
  const System& s = kSystems[pick(random, kSystems.size())];
  std::string body(s.prefix);
  body += digits(random, s.length - 1 - body.size());
  return body + luhn_digit(body);
}

// As people and programs write it: in one piece, or in the groups of its kind.
inline std::string written(Random& random, const std::string& card) {
  const std::size_t way = pick(random, 3);
  if (way == 0) return card;
  const char gap = way == 1 ? ' ' : '-';
  std::string out;
  const bool amex = card.size() == 15 || card.size() == 14;
  for (std::size_t i = 0; i < card.size(); ++i) {
    const bool cut = amex ? i == 4 || i == 10 : i > 0 && i % 4 == 0;
    if (cut) out += gap;
    out += card[i];
  }
  return out;
}

inline std::string email(Random& random) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"ivan.petrov", "anna", "o'brien", "first+tag", "a_b-c", "иван", "j.müller", "x1", "UPPER.case"});
  static constexpr auto kHosts = std::to_array<std::string_view>(
      {"shop.example", "mail.example.com", "a-b.example.org", "почта.рф", "sub.domain.example.co.uk"});
  return std::string(kNames[pick(random, kNames.size())]) + digits(random, 6) + "@" +
         std::string(kHosts[pick(random, kHosts.size())]);
}

inline std::string phone(Random& random) {
  const std::string d = digits(random, 9);
  switch (pick(random, 7)) {
    case 0:
      return "+79" + d;
    case 1:
      return "+7 (9" + d.substr(0, 2) + ") " + d.substr(2, 3) + "-" + d.substr(5, 2) + "-" + d.substr(7, 2);
    case 2:
      return "8 9" + d.substr(0, 2) + " " + d.substr(2, 3) + " " + d.substr(5, 2) + " " + d.substr(7, 2);
    case 3:
      return "8-9" + d.substr(0, 2) + "-" + d.substr(2, 3) + "-" + d.substr(5, 2) + "-" + d.substr(7, 2);
    case 4:
      return "+49 30 " + d.substr(0, 8);
    case 5:
      return "(4" + d.substr(0, 2) + ") 5" + d.substr(2, 2) + "-" + d.substr(4, 4);
    default:
      return "89" + d;
  }
}

inline std::string iban(Random& random) {
  struct Country {
    std::string_view code;
    std::size_t length;
  };
  static constexpr auto kCountries = std::to_array<Country>(
      {{"DE", 22}, {"GB", 22}, {"FR", 27}, {"RU", 33}, {"NO", 15}, {"KZ", 20}, {"PL", 28}});
  const Country& c = kCountries[pick(random, kCountries.size())];
  std::string body = digits(random, c.length - 4);
  if (c.code == "GB") body.replace(0, 4, "WEST");
  unsigned rest = 0;
  for (const char ch : body + std::string(c.code) + "00") {
    const bool letter = ch >= 'A';
    rest = (rest * (letter ? 100 : 10) + static_cast<unsigned>(letter ? ch - 'A' + 10 : ch - '0')) % 97;
  }
  const unsigned check = 98 - rest;
  std::string all =
      std::string(c.code) + static_cast<char>('0' + check / 10) + static_cast<char>('0' + check % 10) + body;
  if (pick(random, 2) == 0) return all;
  std::string grouped;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0 && i % 4 == 0) grouped += ' ';
    grouped += all[i];
  }
  return grouped;
}

inline std::string base64url(Random& random, std::size_t n) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  while (out.size() < n) out += kLetters[pick(random, kLetters.size())];
  return out;
}

inline std::string jwt(Random& random) {
  return "eyJhbGciOiJIUzI1NiJ9." + base64url(random, 20 + pick(random, 60)) + "." + base64url(random, 43);
}

inline std::string token(Random& random) {
  return base64url(random, 20 + pick(random, 30)) + "7";
}

}  // namespace sidelight::test
