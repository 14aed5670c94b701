// A batch: a request body in the making or in flight, and what it takes to settle, retry or dead-letter each
// of its documents.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/arena.h"
#include "agent/base/chunk.h"
#include "agent/base/clock.h"
#include "agent/base/rfc3339.h"

namespace sidelight {

// The origin of documents: one generation of one file. Immutable, shared by batches.
struct Source {
  std::uint32_t input = 0;  // index of the log input in the configuration
  std::string path;         // as the user knows it
  std::string key;          // 22 characters of base64url: the generation's random 128-bit key
};

// Told when all documents of a span are settled: delivered, in the dead letters, or dropped by a rule.
// Thread-safe.
class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual void span_settled(std::uint64_t ledger_span) = 0;
};

// A contiguous range of one lane of one file; its documents are consecutive in the batch.
struct Span {
  std::uint64_t ledger_span = 0;
  std::shared_ptr<const Source> source;
  std::uint32_t pending = 0;  // documents not settled yet
};

struct Doc {
  std::uint32_t body_begin = 0;    // of the action line (bulk) or of the document
  std::uint32_t source_begin = 0;  // of the document itself, == body_begin where there is no action line
  std::uint32_t body_end = 0;      // past the '\n'
  std::uint32_t span = 0;          // index into Batch::spans
  std::uint64_t begin = 0;         // byte range in the file
  std::uint64_t end = 0;
  std::string_view raw;    // the event's text, view into Batch::chunks or Batch::arena
  bool may_exist = false;  // inside the replay window: "already there" is expected
  bool settled = false;
};

// The offset that was written last into a document id, in hexadecimal: where one event ends, the next one
// mostly begins.
struct OffsetMemory {
  std::uint64_t offset = 0;
  std::array<char, 8> digits{};
  std::uint8_t count = 0;  // 0: none
};

// What the encoder remembers from one document to the next: neighbours mostly share the second and the hour.
struct EncoderMemory {
  Rfc3339Cache time;
  OffsetMemory offset;
  std::int64_t hour = INT64_MIN;  // of `index`, hours since 1970
  std::string index;              // dated_index: the name, ready to stand between quotes
  const void* pattern = nullptr;  // the encoder that made it
};

// Owned by one thread at a time; moved from the worker to the output.
struct Batch {
  std::string body;  // capacity is reused through BatchPool
  std::vector<Doc> docs;
  std::vector<Span> spans;
  std::vector<ChunkRef> chunks;  // what Doc::raw points into
  Arena arena;
  std::uint64_t durable_seq = 0;  // the checkpoint store must have synced up to this before anything is sent
  std::uint64_t input_bytes = 0;  // bytes of log that went in
  MonoTime opened{};              // when its first document was added
  std::size_t charged = 0;        // bytes charged to the budget for body and arena
  std::size_t held = 0;           // the same with its chunks, where its output has a share of the budget
  EncoderMemory encoder;          // the encoder's own
  bool attempted = false;         // a request with (some of) it may have reached the destination

  // Without its chunks, which their pool charges.
  std::size_t memory() const {
    return body.capacity() + arena.capacity() + docs.capacity() * sizeof(Doc) +
           spans.capacity() * sizeof(Span);
  }
  std::string_view doc_source(const Doc& d) const {
    return std::string_view(body).substr(d.source_begin, d.body_end - d.source_begin);
  }
  // Marks one document settled; tells the ledger when that completes its span. Settling twice is a bug and
  // ignored.
  void settle(std::size_t doc, Ledger& ledger) {
    Doc& d = docs[doc];
    if (d.settled) return;
    d.settled = true;
    Span& s = spans[d.span];
    if (--s.pending == 0) ledger.span_settled(s.ledger_span);
  }
  // Settles all of its documents, none of which is settled yet, without a look at each of them (they are not
  // marked): the batch is done with.
  void settle_all(Ledger& ledger) {
    for (Span& s : spans)
      if (std::exchange(s.pending, 0) > 0) ledger.span_settled(s.ledger_span);
  }
};

using BatchPtr = std::unique_ptr<Batch>;

// Writes the document id of an event: KEY-BEGIN-END, offsets in lower-case hexadecimal. `out` needs room for
// 22 + 2 * 17 bytes. Returns the length.
std::size_t write_doc_id(char* out, std::string_view key, std::uint64_t begin, std::uint64_t end);
std::size_t write_doc_id(char* out, std::string_view key, std::uint64_t begin, std::uint64_t end,
                         OffsetMemory& memory);

}  // namespace sidelight
