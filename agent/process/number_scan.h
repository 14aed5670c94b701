// Numbers that stand for people and money: cards, phones, IBANs. The part of PiiScanner that looks at digits.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "agent/process/pii_scanner.h"

namespace sidelight {

struct NumberKinds {
  bool phone = false;
  bool card = false;
};

// `i` is the first digit of a run. Appends what is found and returns where to look on, behind `i`.
std::size_t scan_number(std::string_view text, std::size_t i, const NumberKinds& kinds,
                        std::vector<PiiMatch>& out);

// The IBAN whose check digits stand at `i`: its end, or 0.
std::size_t iban_end(std::string_view text, std::size_t i);

// Digits only, 13 to 19 of them: Luhn's check, and a beginning that payment systems use.
bool is_card_number(std::string_view digits);
// Letters and digits without separators, any case.
bool is_iban(std::string_view compact);

}  // namespace sidelight
