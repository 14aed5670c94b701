// How a configuration names a server and a table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

struct PostgresPlace {
  std::string host;  // a name, an address (IPv6 without brackets), or the folder of a Unix socket
  std::uint16_t port = 5432;
  std::string database;
};

// "postgresql://HOST[:PORT]/DATABASE"; a folder is written with %2F for each slash. One host, no credentials
// and no parameters: those have keys of their own. An Error says what is wrong and what is expected, and
// holds nothing of the URL, which may hold a password by mistake.
Expected<PostgresPlace> parse_postgres_url(std::string_view url);

struct TableName {
  std::string schema;
  std::string table;
};

// "orders", "public.orders", "sales.\"Orders.2026\"". Names are taken as they are, without folding to lower
// case; quotes, doubled inside, are for those with a dot or a quote. Without a schema it is "public".
Expected<TableName> parse_table_name(std::string_view text);

// A text[] as PostgreSQL reads it: {"a","b\"c"}.
std::string array_literal(const std::vector<std::string>& items);

}  // namespace sidelight
