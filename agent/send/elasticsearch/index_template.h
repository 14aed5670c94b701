// The index template that fits the documents the encoder writes.
#pragma once

#include <string>
#include <string_view>

#include "agent/send/elasticsearch/options.h"

namespace sidelight {

// Which field types a server knows; found out by trying.
struct TemplateDialect {
  enum class Labels { flattened, flat_object, disabled_object };
  Labels labels = Labels::flattened;  // Elasticsearch; OpenSearch from 2.7 says flat_object
  bool match_only_text = true;        // else text
  // Adapts to a refusal of the template. False when the words of `reason` name nothing that could be said
  // otherwise.
  bool adapt(std::string_view reason);
};

// "sidelight-" and the data stream or index, dates left out.
std::string template_name(const ElasticsearchOptions& options);
// The index pattern: the name itself, with a star for each date part.
std::string template_pattern(const ElasticsearchOptions& options);
// The body of PUT _index_template/NAME.
std::string index_template(const ElasticsearchOptions& options, const TemplateDialect& dialect);

// What a template that is there already means for us.
enum class TemplateFit {
  not_told,  // the answer is none to this question: a gateway's page, say
  fits,      // ours for what is configured; or an answer that does not show the template
  outdated,  // ours, of another configuration: it makes the other kind, or its patterns leave the name out
  foreign,   // somebody else's, of the right kind
  foreign_unfit  // somebody else's, for plain indices where a data stream is configured or the reverse
};
// `answer` is that of GET _index_template/NAME, which may be any bytes.
TemplateFit judge_template(std::string_view answer, const ElasticsearchOptions& options);

}  // namespace sidelight
