#include "collectors/postgres/hot_cold.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <utility>

#include "collectors/postgres/advice.h"
#include "collectors/postgres/metrics.h"
#include "collectors/postgres/names.h"
#include "collectors/postgres/status_shares.h"

namespace sidelight {
namespace {

using namespace postgres;

constexpr const char* kUndefinedColumn = "42703";
constexpr const char* kCancelled = "57014";
constexpr std::size_t kMaxPartialIndexes = 20;
// Conditions are short expressions on a few values; one that takes longer is not to be understood.
constexpr std::chrono::milliseconds kConditionTime{200};
// A change below it is no reason to analyse.
constexpr double kStaleRows = 1000;

// One row, or none when there is no such table. Without a status column that column is null.
constexpr const char* kTableSql =
    "with t as materialized ("
    "  select c.*, n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    "  where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'm')"
    "), leaf as materialized ("
    "  select p.relid::oid as oid from t, pg_partition_tree(t.oid) p where p.isleaf and t.relkind = 'p'"
    "  union all select oid from t where relkind <> 'p'"
    "), sums as ("
    "  select sum(greatest(c.reltuples, 0)) as rows, sum(pg_stat_get_mod_since_analyze(c.oid)) as changed,"
    "    bool_or(exists (select from pg_locks l where l.relation in (c.oid, nullif(c.reltoastrelid, 0))"
    "      and l.mode = 'AccessExclusiveLock' and l.database = d.oid)) as locked"
    "  from leaf join pg_class c on c.oid = leaf.oid, pg_database d where d.datname = current_database()"
    ")"
    " select t.oid, quote_ident(t.nspname) || '.' || quote_ident(t.relname), t.relkind, t.relispartition,"
    "  exists (select from pg_inherits i where i.inhparent = t.oid),"
    "  quote_ident(s.attname), s.attnum, has_column_privilege(t.oid, s.attnum, 'select'),"
    "  t.relrowsecurity and row_security_active(t.oid),"
    "  case when ty.typtype in ('b', 'e') then format_type(ty.oid, -1)"
    "    when ty.typtype = 'd' and bt.typtype in ('b', 'e') then format_type(bt.oid, -1) end,"
    "  quote_ident(c.attname), ct.typname in ('date', 'timestamp', 'timestamptz'),"
    "  (select string_agg(quote_literal(v), ', ' order by o) from unnest($5::text[]) with ordinality u (v, "
    "o)),"
    "  quote_ident(current_user), quote_ident(left(t.relname, 40) || '_hot'),"
    "  to_char(date_trunc('month', now()) + interval '1 month', 'YYYY_MM'),"
    "  (select string_agg(to_char(date_trunc('month', now()) + make_interval(months => i), 'YYYY-MM-DD'), "
    "',' order by i)"
    "    from generate_series(1, 4) i),"
    "  sums.rows, sums.changed, t.reltuples,"
    "  case when not sums.locked then (select sum(pg_table_size(leaf.oid)) from leaf) end,"
    "  pg_is_in_recovery(), current_setting('server_version_num')::int,"
    "  case when not sums.locked then (select sum(pg_relation_size(leaf.oid)) from leaf) end"
    " from t cross join sums"
    " left join pg_attribute s on s.attrelid = t.oid and s.attname = $3 and s.attnum > 0 and not "
    "s.attisdropped"
    " left join pg_type ty on ty.oid = s.atttypid left join pg_type bt on bt.oid = ty.typbasetype"
    " left join pg_attribute c on c.attrelid = t.oid and c.attname = $4 and c.attnum > 0 and not "
    "c.attisdropped"
    " left join pg_type ct on ct.oid = c.atttypid";

// A row for each hot value that is most common and for the others on top of the list; the first columns are
// the same in all of them. bpchar pads with blanks, which nobody writes into a configuration.
constexpr const char* kStatisticsSql =
    "with s as materialized ("
    "  select st.null_frac, st.n_distinct, st.most_common_vals::text::text[] as vals, st.most_common_freqs "
    "as freqs,"
    "    a.atttypid = 'bpchar'::regtype as padded"
    "  from pg_stats st join pg_namespace n on n.nspname = st.schemaname"
    "  join pg_class c on c.relnamespace = n.oid and c.relname = st.tablename"
    "  join pg_attribute a on a.attrelid = c.oid and a.attname = st.attname"
    "  where st.schemaname = $1 and st.tablename = $2 and st.attname = $3 and st.inherited = $5::bool"
    "), m as materialized ("
    "  select case when s.padded then rtrim(u.v) else u.v end as v, u.f, u.o"
    "  from s, unnest(s.vals, s.freqs) with ordinality u (v, f, o)"
    "), shown as ("
    "  select v, f, v = any ($4::text[]) as hot from m where v = any ($4::text[]) or o <= 20"
    ")"
    " select s.null_frac, s.n_distinct, (select count(*) from m), (select sum(f) from m), (select min(f) "
    "from m),"
    "  case when shown.hot then shown.v else left(shown.v, 256) end, shown.f"
    " from s left join shown on true order by shown.hot desc, shown.f desc limit 100";

// The condition of a partial index is evaluated below, so it may call nothing but what comes with the server:
// that is never in pg_depend.
constexpr const char* kIndexesSql =
    "select ic.relname, i.indkey[0] = $2::int, i.indpred is not null, pg_get_expr(i.indpred, i.indrelid),"
    "  not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = ic.oid"
    "    and (d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)"
    "      or d.refclassid = 'pg_type'::regclass and exists"
    "        (select from pg_type y where y.oid = d.refobjid and y.typtype not in ('b', 'e')))),"
    "  case when ic.relkind = 'i' then ic.reltuples else (select sum(greatest(pc.reltuples, 0))"
    "    from pg_partition_tree(ic.oid) p join pg_class pc on pc.oid = p.relid where p.isleaf) end"
    " from pg_index i join pg_class ic on ic.oid = i.indexrelid"
    " where i.indrelid = $1::oid and i.indisvalid and i.indisready order by ic.relname limit 200";

// What one reading is about.
struct Reading {
  SqlSession& session;
  const HotColdTable& settings;
  const Deadline& deadline;
  SampleList& out;
  TableName name;
  std::vector<std::string> hot;  // each once
  HotColdFacts facts;
  std::string oid;
  std::string status_number;
  std::string status_type;  // empty: not one that values can be made of
  Labels labels;

  std::string title() const { return "table " + name.schema + "." + name.table + " of hot_cold"; }
};

Expected<bool> read_table(Reading& r) {
  const auto rows = r.session.query(kTableSql,
                                    {r.name.schema, r.name.table, r.settings.status_column,
                                     r.settings.created_column, array_literal(r.hot)},
                                    r.deadline);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) {
    r.out.warn(r.title() + ": there is no such table in database " + r.session.database());
    return false;
  }
  const SqlRow& t = rows->front();
  if (!t.text(5)) {
    r.out.warn(r.title() + ": there is no column " + r.settings.status_column);
    return false;
  }
  HotColdFacts& f = r.facts;
  r.oid = t.text_or_empty(0);
  f.table = t.text_or_empty(1);
  f.plain_schema = r.name.schema;
  f.plain_table = r.name.table;
  f.partitioned = t.text(2) == "p";
  f.is_partition = t.flag(3);
  f.plain = t.text(2) == "r" && !t.flag(4);
  f.status_column = t.text_or_empty(5);
  r.status_number = t.text_or_empty(6);
  f.may_see_status = t.flag(7);
  f.row_security = t.flag(8);
  r.status_type = t.text_or_empty(9);
  if (!r.settings.created_column.empty()) {
    if (t.flag(11)) {
      f.created_column = t.text_or_empty(10);
    } else {
      r.out.warn(r.title() + ": created_column " + r.settings.created_column +
                 (t.text(10) ? " is neither a date nor a timestamp" : " is no column of it"));
    }
  }
  f.hot_literals = t.text_or_empty(12);
  f.role = t.text_or_empty(13);
  f.hot_index = t.text_or_empty(14);
  f.next_month = t.text_or_empty(15);
  const std::string months = t.text_or_empty(16);
  for (std::size_t at = 0; at < months.size(); at += 11) f.months.push_back(months.substr(at, 10));
  f.rows = t.number(17).value_or(0);
  const auto size = t.number(20);
  f.size_known = size.has_value();
  f.size = size.value_or(0);
  f.replica = t.flag(21);
  f.empty = t.number(23) == 0;
  const double changed = t.number(18).value_or(0);
  const double at_analyze = t.number(19).value_or(-1);
  if (f.partitioned) {
    // Nobody counts changes of the whole; before version 14 nobody noted its rows either.
    if (t.number(22).value_or(0) >= 140000 && at_analyze >= 0)
      f.stale_statistics =
          std::abs(f.rows - at_analyze) > std::max(kStaleRows, 0.2 * std::max(f.rows, at_analyze));
  } else {
    f.stale_statistics = !f.replica && changed > std::max(kStaleRows, 0.2 * f.rows);
  }
  return true;
}

Expected<void> read_statistics(Reading& r) {
  const auto rows = r.session.query(kStatisticsSql,
                                    {r.name.schema, r.name.table, r.settings.status_column,
                                     array_literal(r.hot), r.facts.partitioned ? "t" : "f"},
                                    r.deadline);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return {};
  r.facts.has_statistics = true;
  const SqlRow& first = rows->front();
  ColumnStatistics s{.null_fraction = first.number(0).value_or(0),
                     .distinct = first.number(1).value_or(0),
                     .common_count = first.number(2).value_or(0),
                     .common_share = first.number(3).value_or(0),
                     .least_common = first.number(4).value_or(1),
                     .values = {}};
  for (const SqlRow& row : *rows) {
    const auto value = row.text(5);
    const auto share = row.number(6);
    if (value && share) s.values.push_back({*value, *share});
  }
  r.facts.hot_share = hot_share(s, r.facts.rows, r.hot);
  r.out.gauge(kHotRows, *r.facts.hot_share, r.labels);
  const auto show = [&](const std::string& status, double share) {
    Labels labels = r.labels;
    labels.emplace_back("status", status);
    r.out.gauge(kStatusShare, share, std::move(labels));
  };
  for (const auto& v : s.values) show(v.value, v.share);
  for (const std::string& hot : r.hot) {
    if (std::ranges::find(s.values, hot, &ColumnStatistics::Value::value) == s.values.end())
      show(hot, value_share(s, r.facts.rows, hot));
  }
  if (*r.facts.hot_share <= 0)
    r.out.warn(
        r.title() +
        ": no row has one of the hot statuses, as of the last ANALYZE; are they spelt as in the table?");
  return {};
}

// Whether every hot value satisfies the condition, which is about the status alone.
Expected<Coverage> covers_hot(Reading& r, const std::string& condition) {
  if (r.status_type.empty()) return Coverage::unknown;
  const std::string sql = "select bool_and(coalesce((" + condition +
                          "), false)) from (select v::" + r.status_type + " as " + r.facts.status_column +
                          " from unnest($1::text[]) v) s";
  const auto rows = r.session.query(sql, {array_literal(r.hot)}, r.deadline, kConditionTime);
  if (!rows) {
    const std::string& state = r.session.last_sqlstate();
    if (state.empty() || r.deadline.passed() || (state.starts_with("57") && state != kCancelled))
      return std::unexpected(rows.error());
    if (state == kUndefinedColumn) return Coverage::no;  // other columns decide as well
    r.out.warn(r.title() +
               ": cannot tell whether its partial indexes hold the hot rows: " + rows.error().message);
    return Coverage::unknown;
  }
  return !rows->empty() && rows->front().flag(0) ? Coverage::yes : Coverage::no;
}

Expected<void> read_indexes(Reading& r) {
  const auto rows = r.session.query(kIndexesSql, {r.oid, r.status_number}, r.deadline);
  if (!rows) return std::unexpected(rows.error());
  std::size_t evaluated = 0;
  for (const SqlRow& row : *rows) {
    StatusIndex index{.name = row.text_or_empty(0),
                      .leads_with_status = row.flag(1),
                      .partial = row.flag(2),
                      .hot = Coverage::yes,
                      .rows = row.number(5)};
    if (index.rows && *index.rows < 0) index.rows.reset();
    if (index.partial) {
      index.hot = Coverage::unknown;
      if (row.flag(4) && ++evaluated <= kMaxPartialIndexes) {
        const auto covers = covers_hot(r, row.text_or_empty(3));
        if (!covers) return std::unexpected(covers.error());
        index.hot = *covers;
      }
    }
    if (const auto share = selectivity(r.facts, index)) {
      Labels labels = r.labels;
      labels.emplace_back("index", index.name);
      r.out.gauge(kStatusSelectivity, *share, std::move(labels));
    }
    r.facts.indexes.push_back(std::move(index));
  }
  return {};
}

}  // namespace

Expected<void> read_hot_cold(SqlSession& session, const HotColdTable& settings, const Deadline& deadline,
                             SampleList& out) {
  auto name = parse_table_name(settings.table);
  if (!name) return std::unexpected(name.error());
  const std::set<std::string> hot(settings.hot.begin(), settings.hot.end());
  Reading r{.session = session,
            .settings = settings,
            .deadline = deadline,
            .out = out,
            .name = *name,
            .hot = {hot.begin(), hot.end()},
            .facts = {},
            .oid = {},
            .status_number = {},
            .status_type = {},
            .labels = {{"database", session.database()}, {"schema", name->schema}, {"table", name->table}}};
  const auto there = read_table(r);
  if (!there) return std::unexpected(there.error());
  if (!*there) return {};
  if (r.facts.may_see_status && !r.facts.row_security) {
    if (auto read = read_statistics(r); !read) return read;
    if (auto read = read_indexes(r); !read) return read;
  }
  for (TableAdvice& a : advise(settings, r.facts)) {
    Labels labels = r.labels;
    labels.emplace_back("action", a.action);
    labels.emplace_back("reason", a.code);
    out.gauge(kAdvice, 1, std::move(labels));
    if (a.action == "grant") out.warn("table " + r.facts.table + ": " + a.reason + "; run: " + a.statement);
    out.advise({.subject = r.facts.table, .reason = std::move(a.reason), .action = std::move(a.statement)});
  }
  return {};
}

}  // namespace sidelight
