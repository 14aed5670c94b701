// Any text: nothing is read outside of it, what was found is in order, and the redacted text holds nothing
// any more. The first byte chooses the action and whether escapes count.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/process/escaped_text.h"
#include "agent/process/redactor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sidelight;
  if (size == 0) return 0;
  const std::vector<char> exact(data + 1, data + size);  // with nothing behind it
  const std::string_view text(exact.data(), exact.size());
  RedactOptions options;
  options.action = static_cast<RedactAction>(data[0] % 3);
  const bool as_line = (data[0] / 3) % 2 == 1;
  auto redactor = Redactor::make(options, "k");
  if (!redactor) std::abort();
  std::string out;
  const bool found = as_line ? (*redactor)->redact_line(text, {}, out) : (*redactor)->redact(text, out);
  const std::string_view clean = found ? std::string_view(out) : text;
  std::vector<PiiMatch> left;
  using enum PiiKind;
  const PiiScanner scanner({email, phone, card, iban, bearer, jwt});
  scanner.find(clean, left);
  if (!left.empty()) std::abort();
  if (as_line) {
    UnescapedLine plain;
    unescape_line(clean, plain);
    if (plain.from(0) != 0 || plain.from(plain.text.size()) != clean.size()) std::abort();
    for (std::size_t i = 0; i < plain.text.size(); ++i)
      if (plain.from(i) > plain.from(i + 1)) std::abort();
    scanner.find(plain.text, left);
    if (!left.empty()) std::abort();
  }
  return 0;
}
