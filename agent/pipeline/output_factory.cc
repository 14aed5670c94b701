#include "agent/pipeline/output_factory.h"

#include "agent/base/http_client.h"
#include "agent/send/elasticsearch/output.h"
#include "agent/send/file/output.h"
#include "agent/send/logstash/output.h"

namespace sidelight {

Expected<std::unique_ptr<Output>> make_output(const OutputSettings& settings, OutputContext context,
                                              FileSystem& fs) {
  if (settings.elasticsearch)
    return make_elasticsearch_output(*settings.elasticsearch, context, fs, make_curl_http_client());
  if (settings.logstash) return make_logstash_output(*settings.logstash, context, fs);
  if (settings.file) return make_file_output(*settings.file, context, fs);
  return fail("no output is configured");
}

}  // namespace sidelight
