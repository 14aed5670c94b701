// Finds personal data and secrets in text: e-mail addresses, phone numbers, payment cards, IBANs, bearer
// tokens, JWTs. One pass: blocks of bytes are sorted at once (byte_marks.h), and only the places where
// something can begin are looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sidelight {

enum class PiiKind : std::uint8_t { email, phone, card, iban, bearer, jwt, custom };
inline constexpr std::size_t kBuiltInKinds = 6;  // all but custom

// The word that masks and configurations use.
std::string_view pii_name(PiiKind kind);
// The reverse; nothing for a word that names none of the built-in kinds.
std::optional<PiiKind> pii_kind(std::string_view name);

// A half-open range of bytes.
struct PiiMatch {
  std::size_t begin = 0;
  std::size_t end = 0;
  PiiKind kind = PiiKind::email;
  std::uint16_t pattern = 0;  // custom: which one
  bool operator==(const PiiMatch&) const = default;
};

// Adds `match` behind ascending matches that do not overlap; overlapping ones become one, of the longer one's
// kind.
void add_match(std::vector<PiiMatch>& matches, const PiiMatch& match);

// Any bytes are fine. What is found:
// - email: local@domain.tld, letters of Latin, Greek, Cyrillic and their kin included, also with %40 for the
// @;
// - phone: + (or %2B) with 8 to 15 digits, the usual groupings of Russian and North American numbers, and
// eleven
//   digits beginning with 79, 89 or 8800;
// - card: 13 to 19 digits that pass Luhn's check and begin as payment cards do, in one piece or grouped by
// spaces or
//   dashes;
// - iban: the length of its country, checksum 1 modulo 97; in one piece or in groups of four;
// - bearer: what follows "Bearer" (any case) and can be a token; - jwt: eyJ... with its two dots.
// Immutable; thread-safe.
class PiiScanner {
 public:
  explicit PiiScanner(const std::vector<PiiKind>& kinds);
  // Appends matches in order, none overlapping another. The time is linear in the size of the text.
  void find(std::string_view text, std::vector<PiiMatch>& out) const;

 private:
  // What no candidate looks at again, so that the work stays linear.
  struct Reached {
    std::size_t address = 0;  // no address begins before it
    std::size_t jwt = 0;      // no JWT begins before it
  };
  // Each looks at the candidate at `i` and returns where to go on, behind `i`.
  std::size_t look_at_number(std::string_view text, std::size_t i, std::vector<PiiMatch>& out) const;
  std::size_t look_at_iban(std::string_view text, std::size_t i, std::vector<PiiMatch>& out) const;
  std::size_t look_at_anchor(std::string_view text, std::size_t i, Reached& reached,
                             std::vector<PiiMatch>& out) const;
  bool wants(PiiKind kind) const { return wanted_[static_cast<std::size_t>(kind)]; }

  std::array<bool, kBuiltInKinds> wanted_{};
};

}  // namespace sidelight
