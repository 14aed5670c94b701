// What a configuration may say of a server and a table: what is taken can be said again, quoted, and is the
// same then.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "collectors/postgres/names.h"

namespace {

void check(bool good) {
  if (!good) std::abort();
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = sidelight::parse_table_name(text)) {
    check(!name->schema.empty() && !name->table.empty());
    const auto again = sidelight::parse_table_name(quoted(name->schema) + "." + quoted(name->table));
    check(again && again->schema == name->schema && again->table == name->table);
  }
  if (const auto place = sidelight::parse_postgres_url(text)) {
    check(!place->host.empty() && place->port != 0 && !place->database.empty());
    check(place->database.find('\0') == std::string::npos && place->host.find('\0') == std::string::npos);
  }
  check(sidelight::array_literal({std::string(text)}).size() >= size + 4);
  return 0;
}
