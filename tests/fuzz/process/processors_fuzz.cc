// Any lines through any list of processors: valid documents. The first four bytes choose the list, the fifth
// the format.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "agent/batch/encoder.h"
#include "agent/parse/parser.h"
#include "agent/process/chain.h"
#include "tests/agent/process/random_processors.h"
#include "tests/fakes/memory_filesystem.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sidelight;
  if (size < 5) return 0;
  std::uint32_t seed = 0;
  std::memcpy(&seed, data, sizeof seed);
  test::Random random(seed);
  const auto processors = test::any_processors(random);
  const auto format = static_cast<Format>(data[4] % 6);
  auto parser = make_parser({format, {}, "UTC", {}});
  MemoryFileSystem files;
  auto chain = Chain::make(processors, files, {true, "UTC"});
  if (!parser || !chain) std::abort();
  const auto memory = (*chain)->make_memory("");
  const auto encoder = make_encoder({BulkShape::ndjson, true, {}});
  const auto doc_template = encoder->prepare({"/logs/a.log", "shop", {}, {{"a", "constant"}}});
  const Source source{0, "/logs/a.log", "AAAAAAAAAAAAAAAAAAAAAA"};
  const ConstantFields constants{"shop", {}, {{"a", "constant"}}};
  Batch batch;
  batch.spans.emplace_back();
  std::vector<PendingSummary> summaries;
  std::string_view rest(reinterpret_cast<const char*>(data) + 5, size - 5);
  for (std::uint64_t at = 0; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    Event event;
    event.begin = at;
    event.end = at += line.size() + 1;
    event.text = batch.arena.copy(line);
    Record record;
    (*parser)->parse(event, 1'790'000'000'000'000'000, batch.arena, record);
    record.event = &event;
    const EventContext context{batch.arena, record.timestamp_ns.value_or(1), 1, &(*chain)->zone(), source.key,
                               &constants};
    if ((*chain)->process(record, context, memory.get(), summaries).verdict == Verdict::keep)
      encoder->append(record, *doc_template, source, context.time_ns, 0, batch);
  }
  for (const PendingSummary& p : summaries) {
    Event event;
    Record record;
    const EventContext context{batch.arena, p.summary.time_ns, 1, &(*chain)->zone(), source.key, &constants};
    if ((*chain)->finish_summary(p, context, event, record))
      encoder->append(record, *doc_template, source, context.time_ns, 0, batch);
  }
  for (const Doc& d : batch.docs)
    if (!nlohmann::json::accept(batch.doc_source(d))) std::abort();
  const std::string saved = memory->save();
  if ((*chain)->make_memory(saved)->save() != saved) std::abort();
  return 0;
}
