#include "agent/base/host_port.h"
#include "collectors/memcached/options.h"
#include "config/schema_collectors.h"

namespace sidelight {
namespace {

std::string check_address(const std::string& text) {
  if (text.find('@') != std::string::npos) return "no user and password here: use username and password_file";
  const auto address = parse_host_port(text, kMemcachedPort);
  return address ? std::string() : address.error().message;
}

}  // namespace

std::shared_ptr<const ObjectSchema> memcached_schema() {
  using M = MemcachedOptions;
  SchemaBuilder<M> s("memcached, by its text protocol.");
  s.field(
       "address", KeyType::text, [](M& o) -> auto& { return o.address; },
       "`HOST[:PORT]`, without a port 11211.")
      .required()
      .check(check_address)
      .example("127.0.0.1:11211");
  s.field(
       "username", KeyType::text, [](M& o) -> auto& { return o.username; },
       "User, where the server has an authentication file (`-Y`).")
      .example("monitoring");
  s.field(
       "password", KeyType::secret, [](M& o) -> auto& { return o.password; },
       "Its password; better from the environment or, best, as `password_file`.")
      .example("${MEMCACHED_PASSWORD}");
  s.field(
       "password_file", KeyType::secret_file, [](M& o) -> auto& { return o.password_file; },
       "File with the password; read again at each run.")
      .example("/run/secrets/memcached-password");
  s.at_most_one({"password", "password_file"});
  s.needs("password", "username");
  s.needs("password_file", "username");
  s.object(
      "tls", [](M& o) -> auto& { return o.tls; },
      tls_schema("TLS towards the server; an empty section, `{}`, switches it on."));
  add_target_keys(s);
  return s.done();
}

}  // namespace sidelight
