// TLS towards a server that we connect to: what is verified, and what a failure means to the person who set
// it up. Private to agent/base: it shows Boost and OpenSSL.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>

#include "agent/base/error.h"
#include "agent/base/http_client.h"

namespace sidelight {

// TLS 1.2 or 1.3; certificate authorities and our own certificate are read from their files now.
Expected<std::unique_ptr<boost::asio::ssl::context>> make_tls_context(const TlsOptions& options);

// Makes `connection` ask for `host` and accept a certificate for that name or address alone.
Expected<void> expect_server_name(SSL* connection, const std::string& host, const TlsOptions& options);

// In one sentence what is wrong: the authority, the dates, the name, our certificate. The library's own words
// stay in brackets.
std::string explain_tls_error(SSL* connection, const boost::system::error_code& error,
                              const std::string& host, const TlsOptions& options);

// Whether the error is the other side's alert about our certificate (or the lack of one).
bool is_client_certificate_refused(const boost::system::error_code& error);

}  // namespace sidelight
