#include <utility>

#include "agent/base/http_client.h"
#include "config/schema_builder.h"

namespace sidelight {

std::shared_ptr<const ObjectSchema> tls_schema(std::string help) {
  SchemaBuilder<TlsOptions> s(std::move(help));
  s.field(
       "ca_file", KeyType::readable_file, [](TlsOptions& t) -> auto& { return t.ca_file; },
       "Certificate authorities to trust (PEM).")
      .default_note("those of the system")
      .example("/etc/ssl/shop-ca.pem");
  s.field(
       "certificate_file", KeyType::readable_file, [](TlsOptions& t) -> auto& { return t.certificate_file; },
       "Our certificate (PEM), for mutual TLS.")
      .example("/etc/ssl/sidelight.pem");
  s.field(
       "key_file", KeyType::secret_file, [](TlsOptions& t) -> auto& { return t.key_file; },
       "The key of our certificate (PEM).")
      .example("/etc/ssl/private/sidelight.key");
  s.field(
      "verify", KeyType::boolean, [](TlsOptions& t) -> auto& { return t.verify; },
      "Whether the server's certificate is verified. Switch it off for experiments only.");
  s.needs("certificate_file", "key_file");
  s.needs("key_file", "certificate_file");
  return s.done();
}

}  // namespace sidelight
