// MB of log lines per second through the framer and the encoder, one thread.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "agent/batch/encoder.h"
#include "agent/decode/framer.h"

namespace sidelight {
namespace {

constexpr std::size_t kWindow = 256 * 1024;

std::string lines_of(bool cyrillic) {
  std::string s;
  for (int i = 0; s.size() + 300 < kWindow; ++i) {
    s += "2026-11-22T20:01:02.123Z INFO [worker-" + std::to_string(i % 8) + "] order " +
         std::to_string(100000 + i) +
         (cyrillic ? " принят в производство, модель рассчитана, цена передана в магазин и в CRM"
                   : " accepted for production, model priced, price handed to the shop and to the CRM; took "
                     "12.3 ms, retries 0") +
         ", customer \"" + std::to_string(i * 7919) + "\", material PLA, layers 1200, queue mes.orders\n";
  }
  return s;
}

void frame(benchmark::State& state, const DecodeOptions& options) {
  const auto framer = make_framer(options);
  const std::string bytes = lines_of(false);
  std::vector<Event> events;
  Arena arena;
  FrameStats stats;
  for (auto _ : state) {
    events.clear();
    arena.clear();
    FrameInput in;
    in.bytes = bytes;
    benchmark::DoNotOptimize((*framer)->frame(in, arena, events, stats));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void encode(benchmark::State& state, bool cyrillic, std::size_t labels, std::size_t ecs) {
  const auto framer = make_framer({});
  const std::string bytes = lines_of(cyrillic);
  std::vector<Event> events;
  Arena arena;
  FrameStats stats;
  FrameInput in;
  in.bytes = bytes;
  (*framer)->frame(in, arena, events, stats);
  const auto encoder = make_encoder({.shape = BulkShape::fixed_target});
  const auto tmpl =
      encoder->prepare({.path = "/var/log/app/shop.log",
                        .service = "shop",
                        .fields = {{"host.name", "node-1"}, {"kubernetes.pod.name", "shop-5d8f"}},
                        .labels = {}});
  Source source;
  source.key = "AAAAAAAAAAAAAAAAAAAAAA";
  Batch batch;
  batch.spans.emplace_back();
  Record record;
  const std::vector<Field> some_ecs = {{"trace.id", "4bf92f3577b34da6a3ce929d0e0e4736", ValueKind::text},
                                       {"http.request.method", "GET", ValueKind::text},
                                       {"http.response.status_code", "200", ValueKind::json},
                                       {"log.logger", "shop.cart", ValueKind::text}};
  const std::vector<Field> some_labels = {
      {"order", "100000", ValueKind::json},     {"user", "ivan", ValueKind::text},
      {"took_ms", "12.3", ValueKind::json},     {"material", "PLA", ValueKind::text},
      {"queue", "mes.orders", ValueKind::text}, {"retry", "false", ValueKind::json}};
  for (auto _ : state) {
    batch.body.clear();
    batch.docs.clear();
    std::int64_t time = 1795377662123000000;
    for (const Event& e : events) {
      record.clear();
      record.event = &e;
      record.message = e.text;
      record.level = "info";
      record.timestamp_ns = time += 50'000'000;
      record.ecs.assign(some_ecs.begin(), some_ecs.begin() + static_cast<std::ptrdiff_t>(ecs));
      record.labels.assign(some_labels.begin(), some_labels.begin() + static_cast<std::ptrdiff_t>(labels));
      encoder->append(record, *tmpl, source, 0, 0, batch);
    }
    benchmark::DoNotOptimize(batch.body.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void frame_plain(benchmark::State& s) {
  frame(s, {});
}
void frame_latin1(benchmark::State& s) {
  frame(s, {.encoding = Encoding::latin1});
}
void frame_java(benchmark::State& s) {
  frame(s, {.multiline = {.preset = MultilinePreset::java}});
}
void frame_detect(benchmark::State& s) {
  frame(s, {.container = ContainerFormat::detect});
}
void encode_raw(benchmark::State& s) {
  encode(s, false, 0, 0);
}
void encode_raw_cyrillic(benchmark::State& s) {
  encode(s, true, 0, 0);
}
void encode_ten_fields(benchmark::State& s) {
  encode(s, false, 6, 4);
}

BENCHMARK(frame_plain);
BENCHMARK(frame_latin1);
BENCHMARK(frame_java);
BENCHMARK(frame_detect);
BENCHMARK(encode_raw);
BENCHMARK(encode_raw_cyrillic);
BENCHMARK(encode_ten_fields);

}  // namespace
}  // namespace sidelight

BENCHMARK_MAIN();
