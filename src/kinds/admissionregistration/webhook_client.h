#pragma once

// Where a webhook is: the clientConfig of admission webhooks and of conversion webhooks. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {

struct WebhookUrl {
  std::string host;  // a name or an address, without brackets
  uint16_t port = 443;
  std::string path = "/";
};
// kBadRequest with what is wrong; only https, without user, query and fragment.
Result<WebhookUrl> parse_webhook_url(std::string_view text);

// The rules of a clientConfig: a url or a service, and not both.
void check_webhook_client(const Path& path, const Value& client, FieldErrors& errors);

}  // namespace stead::kinds
