#include "agent/pipeline/span_ledger.h"

namespace sidelight {

void SpanLedger::add_stream(std::uint32_t stream) {
  const std::lock_guard lock(mutex_);
  streams_[stream];
}

void SpanLedger::remove_stream(std::uint32_t stream) {
  const std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

std::uint64_t SpanLedger::open(std::uint32_t stream, MonoTime now) {
  const std::lock_guard lock(mutex_);
  Stream& s = streams_[stream];
  s.entries.push_back({{}, now});
  const auto number = s.first + static_cast<std::uint32_t>(s.entries.size() - 1);
  return std::uint64_t{stream} << 32 | number;
}

SpanLedger::Entry* SpanLedger::find(std::uint64_t span, Stream*& stream) {
  const auto it = streams_.find(static_cast<std::uint32_t>(span >> 32));
  if (it == streams_.end()) return nullptr;
  stream = &it->second;
  // Numbers wrap; the distance does not.
  const std::uint32_t index = static_cast<std::uint32_t>(span) - stream->first;
  return index < stream->entries.size() ? &stream->entries[index] : nullptr;
}

void SpanLedger::close(std::uint64_t span, const SettledTo& to, std::size_t parts) {
  const std::lock_guard lock(mutex_);
  Stream* s = nullptr;
  Entry* e = find(span, s);
  if (e == nullptr) return;
  e->to = to;
  e->closed = true;
  e->parts = parts;
  advance(*s);
}

void SpanLedger::span_settled(std::uint64_t span) {
  const std::lock_guard lock(mutex_);
  Stream* s = nullptr;
  Entry* e = find(span, s);
  if (e == nullptr) return;
  ++e->settled;
  advance(*s);
}

void SpanLedger::advance(Stream& s) {
  std::size_t n = 0;
  while (n < s.entries.size() && s.entries[n].closed && s.entries[n].settled >= s.entries[n].parts) ++n;
  if (n == 0) return;
  s.advanced = s.entries[n - 1].to;
  s.first += static_cast<std::uint32_t>(n);
  if (n == s.entries.size()) {
    std::vector<Entry>().swap(s.entries);  // of ten thousand quiet files each would keep its memory
  } else {
    s.entries.erase(s.entries.begin(), s.entries.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

SpanLedger::Progress SpanLedger::take(std::uint32_t stream) {
  const std::lock_guard lock(mutex_);
  Progress p;
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return p;
  p.advanced_to = it->second.advanced;
  it->second.advanced.reset();
  p.idle = it->second.entries.empty();
  if (!p.idle) p.oldest = it->second.entries.front().opened;
  return p;
}

}  // namespace sidelight
