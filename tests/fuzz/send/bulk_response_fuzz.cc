// The answer of a _bulk request is bytes from outside: whatever they are, the reader neither crashes nor
// believes in more or fewer items than were sent. The first byte is the number of items expected.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "agent/send/elasticsearch/bulk_response.h"
#include "agent/send/elasticsearch/retry_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t expected =
      data[0] >= '0' && data[0] <= '9' ? static_cast<std::size_t>(data[0] - '0') : data[0];
  std::string body(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string before = body;
  sidelight::BulkResponseReader reader;
  sidelight::BulkAnswer answer;
  if (reader.read(body, expected, answer)) {
    if (answer.status.size() != expected) std::abort();
    for (std::size_t i = 0; i < expected; ++i) {
      const auto* error = answer.error_of(i);
      const auto verdict = sidelight::judge_item(answer.status[i], error ? error->type : "",
                                                 error ? error->reason : "", error ? error->causes : "");
      const bool good = answer.status[i] / 100 == 2;
      if (good != (verdict.action == sidelight::ItemVerdict::Action::delivered)) std::abort();
    }
  }
  if (body != before) std::abort();
  const auto error = sidelight::read_error_answer(before);
  static_cast<void>(sidelight::judge_answer(400, error.type, error.reason));
  return 0;
}
