// What is kept of the documents that are not settled: dead letters on their way, and those that wait long.
#include <algorithm>
#include <array>
#include <utility>

#include "agent/send/elasticsearch/sender.h"
#include "agent/send/elasticsearch/set_aside.h"

namespace sidelight {
namespace {

constexpr std::chrono::seconds kBuryAgain{3};
constexpr std::size_t kBuryAtOnce = 256;
constexpr std::size_t kAsideBytes = 256u << 10;

}  // namespace

std::size_t Sender::body_bytes(const Work& work) {
  const Batch& batch = *work.held->batch;
  if (work.whole) return batch.body.size();
  std::size_t bytes = 0;
  for (const std::uint32_t d : work.docs) bytes += batch.docs[d].body_end - batch.docs[d].body_begin;
  return bytes;
}

void Sender::settle(Held* held, std::uint32_t doc) {
  if (held->batch->docs[doc].settled) return;
  held->batch->settle(doc, ctx_.ledger);
  --held->unsettled;
}

void Sender::bury(Held* held, std::uint32_t doc, std::string_view reason, std::string type,
                  std::string detail) {
  const Batch& batch = *held->batch;
  const Doc& d = batch.docs[doc];
  const Source& source = *batch.spans[d.span].source;
  DeadLetter letter;
  letter.doc = doc;
  std::array<char, 64> id{};
  letter.id.assign(id.data(), write_doc_id(id.data(), source.key, d.begin, d.end));
  letter.may_exist = d.may_exist;
  letter.reason = reason;
  letter.error_type = std::move(type);
  letter.error_reason = std::move(detail);
  letter.destination = options_.data_stream.empty() ? options_.index : options_.data_stream;
  letter.path = source.path;
  letter.key = source.key;
  letter.begin = d.begin;
  letter.end = d.end;
  letter.input = source.input;
  const std::string_view body = batch.body;
  const auto line = [body](std::size_t begin, std::size_t end) {
    std::string_view s = body.substr(begin, end - begin);
    while (!s.empty() && s.back() == '\n') s.remove_suffix(1);
    return s;
  };
  letter.action = line(d.body_begin, d.source_begin);
  letter.document = line(d.source_begin, d.body_end);
  letter.original = d.raw;
  const std::size_t bytes = sizeof(Unburied) + letter.id.capacity() + letter.error_type.capacity() +
                            letter.error_reason.capacity() + letter.destination.capacity();
  ctx_.budget.charge(bytes);
  unburied_bytes_ += bytes;
  unburied_.push_back({held, std::move(letter), bytes});
}

void Sender::bury_waiting(MonoTime now) {
  while (!unburied_.empty()) {
    std::vector<const DeadLetter*> letters;
    for (const Unburied& u : unburied_) {
      if (letters.size() == kBuryAtOnce) break;
      letters.push_back(&u.letter);
    }
    const auto written = dead_letters_.write(letters);
    if (!written) {
      const std::string why = "dead letters cannot be written: " + written.error().message;
      ctx_.log.error("send.dead_letters", why + "; the inputs that they came from pause until they can");
      for (const Unburied& u : unburied_) {
        const std::uint32_t input = u.letter.input;
        if (std::find(paused_inputs_.begin(), paused_inputs_.end(), input) != paused_inputs_.end()) continue;
        paused_inputs_.push_back(input);
        ctx_.gate.pause_input(input, why);
      }
      down(cause::kDeadLettersFull, why);
      bury_again_ =
          now + (draining_ ? std::chrono::milliseconds(kDrainWait) : std::chrono::milliseconds(kBuryAgain));
      return;
    }
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const Unburied u = std::move(unburied_.front());
      unburied_.pop_front();
      ctx_.budget.release(u.charged);
      unburied_bytes_ -= u.charged;
      ctx_.probe.dead_lettered(1, u.letter.reason);
      ctx_.log.warn("send.dead_lettered", "a document of " + std::string(u.letter.path) +
                                              " was refused for good (" + u.letter.error_type + ": " +
                                              u.letter.error_reason + ") and is in the dead letters");
      settle(u.held, u.letter.doc);
      finish_if_done(u.held);
    }
  }
  for (const std::uint32_t input : std::exchange(paused_inputs_, {})) ctx_.gate.resume_input(input);
  if (down_cause_ == cause::kDeadLettersFull) up();
}

void Sender::finish_if_done(Held* held) {
  const auto it = std::find_if(held_.begin(), held_.end(), [held](const Held& h) { return &h == held; });
  if (it == held_.end() || it->unsettled > 0) return;
  ctx_.probe.batch_acknowledged(std::chrono::duration<double>(ctx_.clock.now() - it->batch->opened).count());
  recycled_bytes_ += it->body_bytes;
  BatchPtr batch = std::move(it->batch);
  held_.erase(it);
  ctx_.recycler.recycle(std::move(batch));
}

// When all that is left of a batch waits while its neighbours were taken, or for the destination, and is
// little, it moves to a small batch, together with what is left of others: it may wait for days, and is asked
// for in one request then.
void Sender::set_aside(Held* held) {
  const auto it = std::find_if(held_.begin(), held_.end(), [held](const Held& h) { return &h == held; });
  if (it == held_.end()) return;
  std::vector<std::multimap<MonoTime, Work>::iterator> parts;
  std::vector<std::uint32_t> docs;
  for (auto w = waiting_.begin(); w != waiting_.end(); ++w) {
    const Work& work = w->second;
    if (work.held != held || !(work.for_destination || work.beside_others) || work.bisect) continue;
    if (!parts.empty() && parts.front()->second.for_destination != work.for_destination) return;
    parts.push_back(w);
    docs.insert(docs.end(), w->second.docs.begin(), w->second.docs.end());
  }
  if (docs.size() != it->unsettled || docs.empty()) return;  // some are on their way
  std::sort(docs.begin(), docs.end());
  Batch& batch = *it->batch;
  Work all;
  all.held = held;
  all.docs = std::move(docs);
  const std::size_t bytes = body_bytes(all);
  const bool little = 2 * bytes <= batch.body.size();
  if (!little && !it->aside) return;
  const bool for_destination = parts.front()->second.for_destination;
  auto room = room_aside(held, parts.front()->second, bytes);
  if (room == waiting_.end()) {
    if (!little) return;
    Held& made = held_.emplace_back();
    made.batch = std::make_unique<Batch>();
    made.batch->opened = batch.opened;
    made.durable = true;
    made.aside = true;
    Work work = parts.front()->second;
    work.held = &made;
    work.docs.clear();
    if (for_destination) ++held_works_;
    room = waiting_.emplace(parts.front()->first, std::move(work));
  }
  Held& aside = *room->second.held;
  std::vector<std::uint32_t>& waiting = room->second.docs;
  for (std::size_t i = 0; i < all.docs.size(); ++i) {
    waiting.push_back(static_cast<std::uint32_t>(aside.batch->docs.size() + i));
  }
  const std::size_t moved = move_documents(batch, all.docs, *aside.batch);
  aside.batch->opened = std::min(aside.batch->opened, batch.opened);
  aside.unsettled += all.docs.size();
  aside.body_bytes += moved;
  charge_batch(*aside.batch, ctx_.budget);
  for (const auto part : parts) waiting_.erase(part);
  if (for_destination) held_works_ -= parts.size();
  recycled_bytes_ += it->body_bytes - moved;
  BatchPtr used = std::move(it->batch);
  held_.erase(it);
  ctx_.recycler.recycle(std::move(used));
}

// The work of a batch of documents set aside, other than `but`, with room for `bytes` more that wait as
// `like` does.
std::multimap<MonoTime, Sender::Work>::iterator Sender::room_aside(const Held* but, const Work& like,
                                                                   std::size_t bytes) {
  return std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& entry) {
    const Work& w = entry.second;
    const bool alike =
        w.for_destination ? like.for_destination : !like.for_destination && w.attempts == like.attempts;
    return w.held != but && w.held->aside && alike && !w.bisect && w.docs.size() == w.held->unsettled &&
           w.held->batch->body.size() + bytes <= kAsideBytes;
  });
}

}  // namespace sidelight
