#include "collectors/postgres/names.h"
#include "collectors/postgres/options.h"
#include "config/schema_collectors.h"

namespace sidelight {
namespace {

std::string wrong_url(const std::string& url) {
  const auto place = parse_postgres_url(url);
  return place ? std::string() : place.error().message;
}

std::string wrong_table(const std::string& name) {
  const auto table = parse_table_name(name);
  return table ? std::string() : table.error().message;
}

std::shared_ptr<const ObjectSchema> tls() {
  const std::vector<std::pair<std::string, PostgresTlsMode>> modes = {
      {"auto", PostgresTlsMode::automatic},      {"disable", PostgresTlsMode::disable},
      {"prefer", PostgresTlsMode::prefer},       {"require", PostgresTlsMode::require},
      {"verify-ca", PostgresTlsMode::verify_ca}, {"verify-full", PostgresTlsMode::verify_full}};
  SchemaBuilder<PostgresTls> s("TLS towards the server.");
  s.choice(
       "mode", [](PostgresTls& t) -> auto& { return t.mode; }, modes,
       "What libpq calls `sslmode`. `auto` is `verify-full` where `ca_file` is given and `prefer` elsewhere; "
       "only the two that verify protect against somebody in between.")
      .example("verify-full");
  s.field(
       "ca_file", KeyType::readable_file, [](PostgresTls& t) -> auto& { return t.ca_file; },
       "Certificate authorities to trust (PEM).")
      .default_note("those of the system")
      .example("/etc/ssl/mes-ca.pem");
  s.field(
       "certificate_file", KeyType::readable_file, [](PostgresTls& t) -> auto& { return t.certificate_file; },
       "Our certificate (PEM), for a role that logs in with one.")
      .example("/etc/ssl/sidelight.pem");
  s.field(
       "key_file", KeyType::secret_file, [](PostgresTls& t) -> auto& { return t.key_file; },
       "The key of our certificate (PEM); libpq refuses one that others may read.")
      .example("/etc/ssl/private/sidelight.key");
  s.needs("certificate_file", "key_file");
  s.needs("key_file", "certificate_file");
  return s.done();
}

std::shared_ptr<const ObjectSchema> hot_cold() {
  using T = HotColdTable;
  SchemaBuilder<T> s(
      "Tables of which some rows are worked on (hot) and the rest is an archive (cold): their shares, and "
      "advice on "
      "indexes and partitions. docs/collectors/postgres.md says when what is advised.");
  s.field(
       "table", KeyType::text, [](T& t) -> auto& { return t.table; },
       "The table, as SCHEMA.TABLE; without a schema it is in `public`.")
      .required()
      .check(wrong_table)
      .example("public.orders");
  s.field(
       "database", KeyType::text, [](T& t) -> auto& { return t.database; }, "The database that it is in.")
      .default_note("that of the URL")
      .example("mes");
  s.field(
       "status_column", KeyType::text, [](T& t) -> auto& { return t.status_column; },
       "The column that tells hot rows from cold ones.")
      .required()
      .example("status");
  s.field(
       "hot", KeyType::texts, [](T& t) -> auto& { return t.hot; },
       "The values of that column which make a row hot, as text.")
      .required()
      .between(1, 50)
      .example("[new, priced, in_production]");
  s.field(
       "created_column", KeyType::text, [](T& t) -> auto& { return t.created_column; },
       "The column with the date or the time by which rows could be put into partitions.")
      .example("created_at");
  s.field(
       "partial_index_min_rows", KeyType::integer, [](T& t) -> auto& { return t.partial_index_min_rows; },
       "A partial index is advised from so many rows on.")
      .at_least(0);
  s.field(
       "partial_index_max_hot_ratio", KeyType::number,
       [](T& t) -> auto& { return t.partial_index_max_hot_ratio; },
       "A partial index is advised where no greater share of the rows is hot.")
      .between(0, 1);
  s.field(
       "partition_min_size", KeyType::bytes, [](T& t) -> auto& { return t.partition_min_size; },
       "Partitions are advised for tables (without indexes) from this size on.")
      .at_least(0);
  s.field(
       "partition_min_cold_ratio", KeyType::number, [](T& t) -> auto& { return t.partition_min_cold_ratio; },
       "Partitions are advised where at least this share of the rows is cold.")
      .between(0, 1);
  return s.done();
}

}  // namespace

std::shared_ptr<const ObjectSchema> postgres_schema() {
  using O = PostgresOptions;
  SchemaBuilder<O> s(
      "PostgreSQL 12 or later, by its statistics. docs/collectors/postgres.md has the role to make.");
  s.field(
       "url", KeyType::text, [](O& o) -> auto& { return o.url; },
       "The server and the database to connect to; a folder of a Unix socket with %2F for each slash.")
      .required()
      .check(wrong_url)
      .example("postgresql://127.0.0.1:5432/mes");
  add_target_keys(s);
  s.field("username", KeyType::text, [](O& o) -> auto& { return o.username; }, "The role.");
  s.field(
       "password", KeyType::secret, [](O& o) -> auto& { return o.password; },
       "Its password; better from the environment or, best, as `password_file`.")
      .example("${MES_DB_PASSWORD}");
  s.field(
       "password_file", KeyType::secret_file, [](O& o) -> auto& { return o.password_file; },
       "File with the password; read again at each connect.")
      .example("/run/secrets/mes-db-password");
  s.object("tls", [](O& o) -> auto& { return o.tls; }, tls());
  s.field(
       "databases", KeyType::texts, [](O& o) -> auto& { return o.databases; },
       "Databases of the server whose tables are looked at, one connection each; sizes, connections, "
       "transactions and locks "
       "are told of all databases.")
      .between(0, 50)
      .default_note("that of the URL")
      .example("[mes, crm]");
  s.field(
       "slow_interval", KeyType::duration, [](O& o) -> auto& { return o.slow_interval; },
       "Time between two looks at what is dear to ask: sizes, tables, indexes, statistics of columns. In "
       "between the last values "
       "are shown.")
      .between(1000, 86'400'000);
  s.field(
       "long_query", KeyType::duration, [](O& o) -> auto& { return o.long_query; },
       "A query that is active for longer counts as long.")
      .between(1, 86'400'000);
  s.field(
       "max_tables", KeyType::integer, [](O& o) -> auto& { return o.max_tables; },
       "The largest tables of each database that have series of their own.")
      .between(0, 500);
  s.objects("hot_cold", [](O& o) -> auto& { return o.hot_cold; }, hot_cold()).between(0, 50);
  s.at_most_one({"password", "password_file"});
  return s.done();
}

}  // namespace sidelight
