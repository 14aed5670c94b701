#include "collectors/postgres/table_state.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "collectors/postgres/metrics.h"

namespace sidelight {
namespace {

using namespace postgres;

// What belongs to users, each with its root. pg_partition_root() looks at catalogs alone and takes no lock;
// pg_table_size() takes one, so CASE keeps it from what is locked.
constexpr const char* kTablesSql =
    "with locked as materialized ("
    "  select distinct relation from pg_locks where locktype = 'relation' and mode = 'AccessExclusiveLock'"
    "  and database = (select oid from pg_database where datname = current_database())"
    "), member as materialized ("
    "  select c.oid, c.relkind, c.reltuples,"
    "    case when c.relispartition or c.relkind = 'p' then coalesce(pg_partition_root(c.oid)::oid, c.oid)"
    "      else c.oid end as root,"
    "    case when c.relkind in ('p', 'f') then 0"
    "      when c.oid in (select relation from locked) or c.reltoastrelid in (select relation from locked) "
    "then null"
    "      else pg_table_size(c.oid) end as size"
    "  from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    "  where (c.relkind in ('r', 'p', 'm') or c.relkind = 'f' and c.relispartition) and c.relpersistence <> "
    "'t'"
    "  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'"
    "), top as materialized ("
    "  select root, sum(size) as size from member group by root"
    "  order by sum(size) desc nulls last, root limit $1::int"
    ")"
    " select m.root, m.oid, n.nspname, c.relname, c.relkind, m.relkind, m.size, m.reltuples,"
    "  pg_stat_get_dead_tuples(m.oid), pg_stat_get_numscans(m.oid),"
    "  (select sum(pg_stat_get_numscans(i.indexrelid)) from pg_index i where i.indrelid = m.oid)"
    " from top t join member m on m.root = t.root join pg_class c on c.oid = t.root"
    " join pg_namespace n on n.oid = c.relnamespace"
    " order by t.size desc nulls last, t.root, m.oid limit $2::int";

// An index that hangs on no index of the root has its own name, below the root table.
constexpr const char* kIndexesSql =
    "with locked as materialized ("
    "  select distinct relation from pg_locks where locktype = 'relation' and mode = 'AccessExclusiveLock'"
    "  and database = (select oid from pg_database where datname = current_database())"
    "), tab as materialized ("
    "  select c.oid, case when c.relispartition or c.relkind = 'p'"
    "    then coalesce(pg_partition_root(c.oid)::oid, c.oid) else c.oid end as root"
    "  from pg_class c where c.relkind in ('r', 'p', 'm')"
    ")"
    " select n.nspname, r.relname, x.relname, i.indexrelid, c.relkind,"
    "  case when c.relkind = 'I' then 0 when i.indexrelid in (select relation from locked) then null"
    "    else pg_relation_size(i.indexrelid) end, pg_stat_get_numscans(i.indexrelid)"
    " from tab t join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid"
    " join pg_class r on r.oid = t.root join pg_namespace n on n.oid = r.relnamespace"
    " join pg_class x on x.oid = case when c.relispartition"
    "    then coalesce(pg_partition_root(c.oid)::oid, c.oid) else c.oid end"
    " where t.root = any ($1::oid[]) order by array_position($1::oid[], t.root), i.indexrelid limit $2::int";

// A sum that is unknown as soon as one part is.
class Sum {
 public:
  void add(std::optional<double> value) {
    known_ = known_ && value.has_value();
    sum_ += value.value_or(0);
  }
  std::optional<double> value() const { return known_ ? std::optional(sum_) : std::nullopt; }

 private:
  double sum_ = 0;
  bool known_ = true;
};

struct Table {
  std::string schema;
  std::string name;
  bool partitioned = false;
  Sum size;
  double rows = 0;
  bool rows_known = false;
  double dead = 0;
  double partitions = 0;
};

struct Index {
  std::string schema;
  std::string table;
  std::string name;
  Sum size;
};

std::uint64_t id(const SqlRow& row, std::size_t column) {
  return static_cast<std::uint64_t>(row.number(column).value_or(0));
}

}  // namespace

Expected<void> TableState::read(SqlSession& session, std::size_t max_tables, bool replica,
                                const Deadline& deadline, SampleList& out) {
  if (max_tables == 0) return {};
  const SqlParameters limits = {std::to_string(max_tables), std::to_string(kMaxMembers)};
  if (auto tables = read_tables(session, limits, replica, deadline, out); !tables) return tables;
  return read_indexes(session, deadline, out);
}

Expected<void> TableState::read_tables(SqlSession& session, const SqlParameters& limits, bool replica,
                                       const Deadline& deadline, SampleList& out) {
  const auto rows = session.query(kTablesSql, limits, deadline);
  if (!rows) return std::unexpected(rows.error());
  if (rows->size() >= kMaxMembers)
    out.warn("database " + session.database() + ": more partitions than are looked at (" +
             std::to_string(kMaxMembers) + "); lower max_tables");
  std::vector<std::pair<std::string, Table>> tables;  // the largest first
  sequential_scans_.begin();
  index_scans_of_tables_.begin();
  for (const SqlRow& r : *rows) {
    const std::string root = r.text_or_empty(0);
    if (tables.empty() || tables.back().first != root)
      tables.emplace_back(root, Table{.schema = r.text_or_empty(2), .name = r.text_or_empty(3), .size = {}});
    Table& t = tables.back().second;
    t.partitioned = r.text(4) == "p";
    t.size.add(r.number(6));
    if (r.text(5) == "p") continue;
    t.partitions += 1;
    // -1: not yet vacuumed nor analysed.
    if (const auto n = r.number(7); n && *n >= 0) {
      t.rows += *n;
      t.rows_known = true;
    }
    t.dead += r.number(8).value_or(0);
    sequential_scans_.add(root, id(r, 1), r.number(9).value_or(0));
    index_scans_of_tables_.add(root, id(r, 1), r.number(10).value_or(0));
  }
  sequential_scans_.end();
  index_scans_of_tables_.end();

  std::vector<std::string> roots;
  std::string locked;
  for (const auto& [root, t] : tables) {
    roots.push_back(root);
    const Labels labels = {{"database", session.database()}, {"schema", t.schema}, {"table", t.name}};
    if (const auto size = t.size.value()) {
      out.gauge(kTableSize, *size, labels);
    } else {
      locked += (locked.empty() ? "" : ", ") + t.schema + "." + t.name;
    }
    if (t.rows_known) out.gauge(kTableRows, t.rows, labels);
    if (!replica) out.gauge(kDeadRows, t.dead, labels);
    if (t.partitioned) out.gauge(kPartitions, t.partitions, labels);
    out.counter(kSequentialScans, sequential_scans_.total(root), labels);
    out.counter(kTableIndexScans, index_scans_of_tables_.total(root), labels);
  }
  if (!locked.empty())
    out.warn("database " + session.database() +
             ": no size of what is locked in ACCESS EXCLUSIVE mode: " + locked);
  roots_ = array_literal(roots);
  return {};
}

Expected<void> TableState::read_indexes(SqlSession& session, const Deadline& deadline, SampleList& out) {
  const auto rows = session.query(kIndexesSql, {roots_, std::to_string(kMaxMembers)}, deadline);
  if (!rows) return std::unexpected(rows.error());
  if (rows->size() >= kMaxMembers)
    out.warn("database " + session.database() + ": more indexes than are looked at (" +
             std::to_string(kMaxMembers) + "); lower max_tables");
  std::map<std::string, Index> indexes;
  std::vector<std::string> order;
  index_scans_.begin();
  for (const SqlRow& r : *rows) {
    Index named{r.text_or_empty(0), r.text_or_empty(1), r.text_or_empty(2), {}};
    const std::string key = array_literal({named.schema, named.table, named.name});
    const auto [it, is_new] = indexes.try_emplace(key, std::move(named));
    if (is_new) order.push_back(key);
    it->second.size.add(r.number(5));
    index_scans_.add(key, id(r, 3), r.number(6).value_or(0));
  }
  index_scans_.end();
  for (const std::string& key : order) {
    const Index& i = indexes.at(key);
    const Labels labels = {
        {"database", session.database()}, {"schema", i.schema}, {"table", i.table}, {"index", i.name}};
    if (const auto size = i.size.value()) out.gauge(kIndexSize, *size, labels);
    out.counter(kIndexScans, index_scans_.total(key), labels);
  }
  return {};
}

}  // namespace sidelight
