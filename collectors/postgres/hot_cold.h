// Hot and cold rows of one configured table: reads what pg_stats and the catalogs know, and advises.
#pragma once

#include "collectors/postgres/options.h"
#include "collectors/postgres/sample_list.h"
#include "collectors/postgres/session.h"

namespace sidelight {

// A table or column that is not there, and statistics that are not, are warnings; an Error means that the
// server did not answer. `session` is of the table's database.
Expected<void> read_hot_cold(SqlSession& session, const HotColdTable& settings, const Deadline& deadline,
                             SampleList& out);

}  // namespace sidelight
