#include "agent/pipeline/output_factory.h"

#include "agent/base/http_client.h"
#include "agent/send/elasticsearch/output.h"
#include "agent/send/file/output.h"
#include "agent/send/logstash/output.h"

namespace sidelight {

Expected<std::unique_ptr<Output>> make_output(const Settings& settings, OutputContext context,
                                              FileSystem& fs) {
  if (settings.output.elasticsearch)
    return make_elasticsearch_output(*settings.output.elasticsearch, context, fs, make_curl_http_client());
  if (settings.output.logstash) return make_logstash_output(*settings.output.logstash, context, fs);
  if (settings.output.file) return make_file_output(*settings.output.file, context, fs);
  return fail("no output is configured");
}

}  // namespace sidelight
