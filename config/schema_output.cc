#include <algorithm>

#include "config/names.h"
#include "config/schema_builder.h"
#include "config/settings.h"

namespace sidelight {
namespace {

using Es = ElasticsearchOptions;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kTiB = 1024 * 1024 * kMiB;
constexpr std::int64_t kSecond = 1000;

std::shared_ptr<const ObjectSchema> dead_letters_schema() {
  SchemaBuilder<DeadLetterOptions> s(
      "Where documents go that the destination refuses for their own content: `dead-letters` in "
      "`state_dir`.");
  s.field(
       "max_bytes", KeyType::bytes, [](DeadLetterOptions& d) -> auto& { return d.max_bytes; },
       "Disk space for them.")
      .between(kMiB, kTiB);
  s.choice(
      "on_full", [](DeadLetterOptions& d) -> auto& { return d.on_full; },
      std::vector<std::pair<std::string, OnFull>>{{"pause", OnFull::pause},
                                                  {"drop_oldest", OnFull::drop_oldest}},
      "When that space is used up: stop reading the input (nothing is lost), or drop the oldest ones, "
      "counted.");
  return s.done();
}

void add_target(SchemaBuilder<Es>& s) {
  s.field(
       "hosts", KeyType::urls, [](Es& e) -> auto& { return e.hosts; },
       "URLs of one cluster's nodes, tried in turn: `http(s)://host[:port][/prefix]`. Without a port it is "
       "80 or "
       "443.")
      .required()
      .at_least(1)
      .shown()
      .example("[http://127.0.0.1:9200]");
  s.field(
       "data_stream", KeyType::text, [](Es& e) -> auto& { return e.data_stream; },
       "Data stream to write to; this or `index`.")
      .check(check_data_stream_name)
      .shown()
      .example("logs-shop-default");
  s.field(
       "index", KeyType::text, [](Es& e) -> auto& { return e.index; },
       "Index to write to; `%Y`, `%m`, `%d` and `%H` stand for the event's date and hour (UTC).")
      .check(check_index_pattern)
      .example("shop-%Y.%m.%d");
  s.field(
       "pipeline", KeyType::text, [](Es& e) -> auto& { return e.pipeline; }, "Ingest pipeline to go through.")
      .default_note("none")
      .example("shop-logs");
  s.field(
      "create_template", KeyType::boolean, [](Es& e) -> auto& { return e.create_template; },
      "Create the index template where there is none, and again where ours is of another configuration.");
  s.choice(
      "delivery", [](Es& e) -> auto& { return e.at_least_once; },
      std::vector<std::pair<std::string, bool>>{{"effectively_once", false}, {"at_least_once", true}},
      "`effectively_once` gives each document an id of its own, so that sending again doubles nothing; "
      "`at_least_once` leaves ids to the server, which is faster there.");
}

void add_auth(SchemaBuilder<Es>& s) {
  s.field(
       "username", KeyType::text, [](Es& e) -> auto& { return e.username; },
       "User name (basic authentication).")
      .example("sidelight");
  s.field(
       "password", KeyType::secret, [](Es& e) -> auto& { return e.password; },
       "Its password; best taken from the environment.")
      .example("${ELASTIC_PASSWORD}");
  s.field(
       "password_file", KeyType::secret_file, [](Es& e) -> auto& { return e.password_file; },
       "File that holds the password. Read again when it changes.")
      .example("/run/secrets/elastic-password");
  s.field(
       "api_key", KeyType::secret, [](Es& e) -> auto& { return e.api_key; },
       "API key: `id:key`, or its base64 form.")
      .example("${ELASTIC_API_KEY}");
  s.field(
       "api_key_file", KeyType::secret_file, [](Es& e) -> auto& { return e.api_key_file; },
       "File that holds the API key. Read again when it changes.")
      .example("/run/secrets/elastic-api-key");
  s.field(
       "bearer_token", KeyType::secret, [](Es& e) -> auto& { return e.bearer_token; }, "Bearer token.")
      .example("${ELASTIC_TOKEN}");
  s.field(
       "bearer_token_file", KeyType::secret_file, [](Es& e) -> auto& { return e.bearer_token_file; },
       "File that holds the bearer token. Read again when it changes.")
      .example("/run/secrets/elastic-token");
  s.at_most_one(
      {"password", "password_file", "api_key", "api_key_file", "bearer_token", "bearer_token_file"});
  s.at_most_one({"username", "api_key", "api_key_file", "bearer_token", "bearer_token_file"});
  s.needs("password", "username");
  s.needs("password_file", "username");
}

void add_transport(SchemaBuilder<Es>& s) {
  s.object("tls", [](Es& e) -> auto& { return e.tls; }, tls_schema());
  s.field(
       "proxy", KeyType::proxy_url, [](Es& e) -> auto& { return e.proxy; },
       "HTTP or SOCKS proxy, as a URL; `off`: none, whatever the environment says.")
      .default_note("from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`")
      .example("http://proxy.example:3128");
  s.choice(
      "compression", [](Es& e) -> auto& { return e.gzip; },
      std::vector<std::pair<std::string, bool>>{{"gzip", true}, {"none", false}}, "Compression of requests.");
  s.field(
       "compression_level", KeyType::integer, [](Es& e) -> auto& { return e.gzip_level; },
       "1 is the fastest, 12 the smallest.")
      .between(1, 12);
  s.field(
       "max_concurrency", KeyType::integer, [](Es& e) -> auto& { return e.max_concurrency; },
       "Requests in flight at most; the actual number adapts to what the server bears.")
      .between(1, 64);
  s.field(
       "backoff_initial", KeyType::duration, [](Es& e) -> auto& { return e.backoff_initial; },
       "Longest wait before the first repeat of a failed request; it doubles with each further one.")
      .between(1, 60 * kSecond);
  s.field(
       "backoff_max", KeyType::duration, [](Es& e) -> auto& { return e.backoff_max; },
       "Where that doubling ends.")
      .between(10, 600 * kSecond);
  s.field(
       "timeout", KeyType::duration, [](Es& e) -> auto& { return e.timeout; },
       "How long one request may take.")
      .between(100, 600 * kSecond);
  s.object("dead_letters", [](Es& e) -> auto& { return e.dead_letters; }, dead_letters_schema());
}

std::shared_ptr<const ObjectSchema> elasticsearch_schema() {
  SchemaBuilder<Es> s("Elasticsearch 8 or OpenSearch 2.");
  add_target(s);
  add_auth(s);
  add_transport(s);
  s.exactly_one({"data_stream", "index"});
  return s.done();
}

std::shared_ptr<const ObjectSchema> file_schema() {
  SchemaBuilder<FileOutputOptions> s("A file of one JSON document a line.");
  s.field(
       "path", KeyType::path, [](FileOutputOptions& f) -> auto& { return f.path; }, "The file.")
      .required()
      .example("./out.ndjson");
  s.field(
       "max_bytes", KeyType::bytes, [](FileOutputOptions& f) -> auto& { return f.max_bytes; },
       "Beyond this size the file becomes `PATH.1`, that one `PATH.2`, and so on.")
      .between(64 * kKiB, kTiB);
  s.field(
       "keep", KeyType::integer, [](FileOutputOptions& f) -> auto& { return f.keep; },
       "How many of these older files are kept.")
      .between(0, 1000);
  return s.done();
}

std::shared_ptr<const ObjectSchema> stdout_schema() {
  // Shares its struct with the file output, whose empty path means the standard output.
  return SchemaBuilder<FileOutputOptions>("The standard output, one JSON document a line: `stdout: {}`.")
      .done();
}

// It names a directory, too.
std::string check_output_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  constexpr std::size_t kLongest = 64;
  const bool good = !name.empty() && name.size() <= kLongest && std::all_of(name.begin(), name.end(), plain);
  return good ? std::string() : "a name of at most 64 letters, digits, - and _ is expected";
}

}  // namespace

std::shared_ptr<const ObjectSchema> output_schema() {
  using Out = OutputSettings;
  SchemaBuilder<Out> s(
      "Where the documents go: exactly one of `elasticsearch`, `logstash`, `file` and `stdout`.");
  s.field(
       "name", KeyType::text, [](Out& o) -> auto& { return o.name; },
       "Of several outputs: what routes and inputs call it; letters, digits, `-` and `_`.")
      .check(check_output_name)
      .example("audit");
  s.object("elasticsearch", [](Out& o) -> auto& { return o.elasticsearch; }, elasticsearch_schema()).shown();
  s.object("logstash", [](Out& o) -> auto& { return o.logstash; }, logstash_schema());
  s.object(
       "file", [](Out& o) -> auto& { return o.file; }, file_schema())
      .only_if<FileOutputOptions>([](const FileOutputOptions& f) { return !f.path.empty(); });
  s.object(
       "stdout", [](Out& o) -> auto& { return o.file; }, stdout_schema())
      .only_if<FileOutputOptions>([](const FileOutputOptions& f) { return f.path.empty(); })
      .example("{}");
  s.field(
       "flush_interval", KeyType::duration, [](Out& o) -> auto& { return o.flush_interval; },
       "A batch is sent at this age at the latest.")
      .between(10, 60 * kSecond);
  s.field(
       "batch_bytes", KeyType::bytes, [](Out& o) -> auto& { return o.batch_bytes; },
       "A batch is sent at this size of its body, before compression.")
      .between(16 * kKiB, 64 * kMiB);
  s.field(
       "batch_documents", KeyType::integer, [](Out& o) -> auto& { return o.batch_documents; },
       "A batch is sent at this many documents.")
      .between(1, 100'000);
  s.exactly_one({"elasticsearch", "logstash", "file", "stdout"});
  return s.done();
}

}  // namespace sidelight
