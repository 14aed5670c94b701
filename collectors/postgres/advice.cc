#include "collectors/postgres/advice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace sidelight {
namespace {

std::string percent(double ratio) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), ratio < 0.01 ? "%.2g %%" : "%.0f %%", ratio * 100);
  return out.data();
}

std::string count(double n) {
  return std::to_string(static_cast<std::int64_t>(std::llround(n)));
}

std::string gibibytes(double bytes) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.1f GiB", bytes / (1 << 30));
  return out.data();
}

// A role on a replica cannot do any of it there.
std::string on_the_primary(const HotColdFacts& f, const std::string& statement) {
  return f.replica ? "-- on the primary:\n" + statement : statement;
}

// A partial index whose condition lets nearly everything in is none: it holds the cold rows as well.
bool leaves_cold_rows_out(const HotColdTable& s, const HotColdFacts& f, const StatusIndex& index) {
  if (!index.rows || f.rows <= 0) return true;
  return *index.rows / f.rows <= std::max(2 * f.hot_share.value_or(0), s.partial_index_max_hot_ratio);
}

std::optional<TableAdvice> partial_index(const HotColdTable& s, const HotColdFacts& f) {
  if (f.rows < static_cast<double>(s.partial_index_min_rows)) return std::nullopt;
  if (*f.hot_share <= 0 || *f.hot_share > s.partial_index_max_hot_ratio) return std::nullopt;
  bool full = false;
  for (const StatusIndex& i : f.indexes) {
    full = full || (i.leads_with_status && !i.partial);
    if (i.partial && i.hot != Coverage::no && leaves_cold_rows_out(s, f, i)) return std::nullopt;
  }
  TableAdvice a{.action = "partial_index",
                .code = full ? "full_index_holds_cold_rows" : "no_status_index",
                .reason = {},
                .statement = {}};
  a.reason = percent(*f.hot_share) + " of " + count(f.rows) + " rows are hot, and " +
             (full ? "the index on the status holds all the others as well" : "no index leads to them");
  const std::string column = f.created_column.empty() ? f.status_column : f.created_column;
  const std::string tail = f.hot_index + " ON " + f.table + " (" + column + ") WHERE " + f.status_column +
                           " IN (" + f.hot_literals + ");";
  // CONCURRENTLY is not possible on a partitioned table.
  a.statement = f.partitioned ? "-- holds up writes to each partition while its part is built; the "
                                "documentation has the way round\n"
                                "CREATE INDEX " +
                                    tail
                              : "CREATE INDEX CONCURRENTLY " + tail;
  a.statement = on_the_primary(f, a.statement);
  return a;
}

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += c;
    out += c;
  }
  return out + "\"";
}

// PostgreSQL cuts names at 63 bytes; room is left for what is appended.
std::string short_name(const std::string& name) {
  std::size_t n = std::min<std::size_t>(name.size(), 40);
  while (n < name.size() && n > 0 && (static_cast<unsigned char>(name[n]) & 0xC0) == 0x80) --n;
  return name.substr(0, n);
}

// The table as it is becomes the partition of all that is past; nothing is copied. The check, validated
// beforehand without holding anybody up, saves ATTACH from reading the table under its lock.
std::string partition_statement(const HotColdFacts& f) {
  if (f.created_column.empty() || f.months.size() < 2)
    return "-- set created_column for this table in the configuration to see the statements";
  const std::string schema = quoted(f.plain_schema) + ".";
  const std::string old_name = quoted(short_name(f.plain_table) + "_before_" + f.next_month);
  const std::string check = quoted(short_name(f.plain_table) + "_before_" + f.next_month + "_check");
  const std::string& first = f.months.front();
  std::string out =
      "-- Try it on a copy first. Keys that do not hold " + f.created_column +
      " and keys of other tables that refer to this one\n-- cannot be kept; rights, triggers and identity "
      "columns "
      "are to be set on the new table.\n"
      "ALTER TABLE " +
      f.table + " ADD CONSTRAINT " + check + " CHECK (" + f.created_column + " IS NOT NULL AND " +
      f.created_column + " < '" + first + "') NOT VALID;\n" + "ALTER TABLE " + f.table +
      " VALIDATE CONSTRAINT " + check + ";\n" +
      "BEGIN;\n"
      "ALTER TABLE " +
      f.table + " RENAME TO " + old_name + ";\n" + "CREATE TABLE " + f.table + " (LIKE " + schema + old_name +
      " INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING COMMENTS INCLUDING STORAGE) PARTITION BY RANGE (" +
      f.created_column + ");\n" + "ALTER TABLE " + f.table + " ATTACH PARTITION " + schema + old_name +
      " FOR VALUES FROM (MINVALUE) TO ('" + first + "');\n";
  for (std::size_t i = 0; i + 1 < f.months.size(); ++i) {
    std::string month = f.months[i].substr(0, 7);
    std::ranges::replace(month, '-', '_');
    out += "CREATE TABLE " + schema + quoted(short_name(f.plain_table) + "_" + month) + " PARTITION OF " +
           f.table + " FOR VALUES FROM ('" + f.months[i] + "') TO ('" + f.months[i + 1] + "');\n";
  }
  return out + "COMMIT;";
}

std::optional<TableAdvice> partitions(const HotColdTable& s, const HotColdFacts& f) {
  if (f.partitioned || f.is_partition || !f.plain || !f.size_known) return std::nullopt;
  if (f.size < static_cast<double>(s.partition_min_size)) return std::nullopt;
  const double cold = 1 - *f.hot_share;
  if (cold < s.partition_min_cold_ratio) return std::nullopt;
  return TableAdvice{.action = "partition_by_month",
                     .code = "large_and_cold",
                     .reason = percent(cold) + " of the rows are cold, and the table has " +
                               gibibytes(f.size) +
                               "; by month, what is old could be dropped or moved without reading the rest",
                     .statement = on_the_primary(f, partition_statement(f))};
}

}  // namespace

std::vector<TableAdvice> advise(const HotColdTable& settings, const HotColdFacts& f) {
  if (!f.may_see_status)
    return {{.action = "grant",
             .code = "no_select",
             .reason = "the role may not read the status column, and so sees no statistics of it (pg_monitor "
                       "does not help)",
             .statement = on_the_primary(
                 f, "GRANT SELECT (" + f.status_column + ") ON " + f.table + " TO " + f.role + ";")}};
  if (f.row_security)
    return {{.action = "grant",
             .code = "row_security",
             .reason = "the table has row security, which hides its statistics from the role",
             .statement = on_the_primary(f, "ALTER ROLE " + f.role + " BYPASSRLS;")}};
  std::vector<TableAdvice> out;
  const std::string analyze = on_the_primary(f, "ANALYZE " + f.table + ";");
  if (!f.has_statistics) {
    // An empty table has none, and needs none.
    if (!f.empty)
      out.push_back({.action = "analyze",
                     .code = f.partitioned ? "partitioned_never_analyzed" : "never_analyzed",
                     .reason = f.partitioned ? "there are no statistics of the table as a whole; autovacuum "
                                               "makes those of its partitions only"
                                             : "there are no statistics of the status column",
                     .statement = analyze});
    return out;
  }
  if (f.stale_statistics)
    out.push_back({.action = "analyze",
                   .code = f.partitioned ? "partitioned_stale" : "stale",
                   .reason = "the table has changed by more than a fifth since it was last analysed",
                   .statement = analyze});
  if (!f.hot_share) return out;
  if (auto a = partial_index(settings, f)) out.push_back(std::move(*a));
  if (auto a = partitions(settings, f)) out.push_back(std::move(*a));
  return out;
}

std::optional<double> selectivity(const HotColdFacts& f, const StatusIndex& index) {
  if (!f.hot_share) return std::nullopt;
  if (index.partial && index.hot != Coverage::yes) return std::nullopt;
  if (index.leads_with_status) return f.hot_share;
  if (!index.partial || !index.rows || f.rows <= 0) return std::nullopt;
  return std::clamp(*index.rows / f.rows, 0.0, 1.0);
}

}  // namespace sidelight
