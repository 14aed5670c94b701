// The Elasticsearch/OpenSearch output: Sender on a thread of its own.
#pragma once

#include <memory>

#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "agent/send/elasticsearch/options.h"
#include "agent/send/output.h"

namespace sidelight {

// The output takes the client over; `fs` outlives it. Nothing is sent before the first step of its thread.
std::unique_ptr<Output> make_elasticsearch_output(ElasticsearchOptions options, OutputContext context,
                                                  FileSystem& fs, std::unique_ptr<HttpClient> client);

}  // namespace sidelight
