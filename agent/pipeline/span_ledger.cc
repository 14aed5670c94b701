#include "agent/pipeline/span_ledger.h"

#include <algorithm>
#include <iterator>

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
  s.entries.push_back({.number = s.next++, .to = {}, .opened = now});
  return std::uint64_t{stream} << 32 | s.entries.back().number;
}

SpanLedger::Stream* SpanLedger::stream_of(std::uint64_t span) {
  const auto it = streams_.find(static_cast<std::uint32_t>(span >> 32));
  return it == streams_.end() ? nullptr : &it->second;
}

SpanLedger::Entries::iterator SpanLedger::find(Stream& s, std::uint64_t span) {
  if (s.entries.empty()) return s.entries.end();
  // Numbers wrap; the distance does not.
  const auto distance = [first = s.entries.front().number](std::uint32_t n) { return n - first; };
  const auto number = static_cast<std::uint32_t>(span);
  const auto it =
      std::lower_bound(s.entries.begin(), s.entries.end(), distance(number),
                       [&](const Entry& e, std::uint32_t wanted) { return distance(e.number) < wanted; });
  return it != s.entries.end() && it->number == number ? it : s.entries.end();
}

void SpanLedger::close(std::uint64_t span, const SettledTo& to, std::size_t parts) {
  const std::lock_guard lock(mutex_);
  Stream* const s = stream_of(span);
  if (s == nullptr) return;
  const auto e = find(*s, span);
  if (e == s->entries.end()) return;
  e->to = to;
  e->closed = true;
  e->parts = parts;
  advance(*s, e);
}

void SpanLedger::span_settled(std::uint64_t span) {
  const std::lock_guard lock(mutex_);
  Stream* const s = stream_of(span);
  if (s == nullptr) return;
  const auto e = find(*s, span);
  if (e == s->entries.end()) return;
  ++e->settled;
  advance(*s, e);
}

void SpanLedger::advance(Stream& s, Entries::iterator changed) {
  if (!changed->done()) return;
  auto first = changed;
  while (first != s.entries.begin() && std::prev(first)->done()) --first;
  auto last = changed;
  while (std::next(last) != s.entries.end() && std::next(last)->done()) ++last;
  if (first != s.entries.begin()) {
    s.entries.erase(first, last);
    return;
  }
  s.advanced = std::move(last->to);
  if (std::next(last) == s.entries.end()) {
    Entries().swap(s.entries);  // of ten thousand quiet files each would keep its memory
  } else {
    s.entries.erase(first, std::next(last));
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
