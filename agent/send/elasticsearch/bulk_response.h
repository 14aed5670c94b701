// Reads the answer to a _bulk request, item by item. Whether it says "errors":false does not matter: every
// item's status counts. Format: the "Bulk API" page of the Elasticsearch and OpenSearch references.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

// One item that carried an "error" object.
struct BulkItemError {
  std::uint32_t item = 0;
  std::string type;    // of the error itself, at most 256 bytes
  std::string reason;  // its own, at most 2 KiB
  std::string causes;  // "TYPE: REASON; caused by TYPE: REASON ...", at most 2 KiB, apart because a reason
                       // quotes documents

  std::string full_reason() const;  // with the causes, for people
};

struct BulkAnswer {
  std::vector<std::uint16_t> status;  // one an item
  std::vector<BulkItemError> errors;  // ascending by item
  // "_index" of the first item that is stored (2xx or 409), empty where there is none. One that was refused
  // before it was routed names the data stream itself.
  std::string stored_in;
  bool all_created = false;  // every status is 2xx

  // The error of `item`, or null. Linear over ascending calls is the caller's business; this is a binary
  // search.
  const BulkItemError* error_of(std::size_t item) const;
};

// One thread; reuses its memory from answer to answer.
class BulkResponseReader {
 public:
  BulkResponseReader();
  ~BulkResponseReader();
  BulkResponseReader(const BulkResponseReader&) = delete;
  BulkResponseReader& operator=(const BulkResponseReader&) = delete;

  // Fails when `body` is not JSON to its end, has no "items", an item without a status, or not exactly
  // `expected_items` of them. `body` is the caller's; it may grow in capacity, its text stays. `out` is
  // overwritten, and unspecified after a failure.
  Expected<void> read(std::string& body, std::size_t expected_items, BulkAnswer& out);
  // Frees what is kept for reuse.
  void trim();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// The "type" and "reason" of an answer {"error":{"type":..,"reason":..},"status":400}; where it is none, an
// excerpt of the body as the reason. For answers that are an error as a whole.
struct ErrorAnswer {
  std::string type;
  std::string reason;
};
ErrorAnswer read_error_answer(std::string_view body);

}  // namespace sidelight
