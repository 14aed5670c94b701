// Appends records to a batch's body as ECS documents.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/batch/batch.h"
#include "agent/parse/record.h"

namespace sidelight {

// What does not change from line to line of one file; the encoder turns it into bytes once.
struct DocConstants {
  std::string path = {};     // log.file.path
  std::string service = {};  // service.name, may be empty
  std::vector<std::pair<std::string, std::string>> fields =
      {};  // further constant ECS fields, dotted names (host.name, kubernetes.pod.name ...)
  std::vector<std::pair<std::string, std::string>> labels = {};  // constant labels
};

// A prepared form of DocConstants; made by the encoder, kept by the caller beside the file. Immutable.
class DocTemplate {
 public:
  virtual ~DocTemplate() = default;
};

enum class BulkShape {
  fixed_target,  // {"create":{"_id":"..."}} - the URL names the index or data stream
  dated_index,   // {"create":{"_index":"shop-2026.11.22","_id":"..."}} from a pattern and the event's date
                 // (UTC)
  ndjson,        // no action line; the document carries "event":{"id":"..."}
};

struct EncoderOptions {
  BulkShape shape = BulkShape::ndjson;
  bool with_ids = true;            // false: delivery at_least_once, the destination makes the ids
  std::string index_pattern = {};  // dated_index: strftime-like, %Y %m %d %H only
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual std::unique_ptr<DocTemplate> prepare(const DocConstants& constants) const = 0;
  // Appends one document (with its action line) to batch.body and batch.docs; `span` is the index of its
  // Span, whose `pending` it increments. `fallback_ns` is the @timestamp of a record without one. The output
  // is valid JSON in valid UTF-8 on one line, whatever the record holds. Event::raw text goes to Doc::raw.
  virtual void append(const Record& record, const DocTemplate& tmpl, const Source& source,
                      std::int64_t fallback_ns, std::uint32_t span, Batch& batch) const = 0;
};

std::unique_ptr<Encoder> make_encoder(const EncoderOptions& options);

}  // namespace sidelight
