#pragma once

// What the server adds to and holds against CertificateSigningRequests: who asks is written into them, and only who may
// approve or sign for a signer changes that (the admission plugins CertificateApproval, CertificateSigning and
// CertificateSubjectRestriction). API loop only.

#include "apiserver/authorization/authorizer.h"
#include "apiserver/verbs.h"

namespace stead::apiserver {

bool is_certificate_request(const Call& call);

// Writes the caller into spec. kInvalid: spec.request is no request; kForbidden: it asks for system:masters.
Result<void> admit_certificate_request(const Call& call, Value& document);
// kForbidden unless the caller may sign, where `document` brings a certificate or a failure.
Result<void> admit_certificate_status(const Call& call, const Authorizer& authorizer, const Value& document,
                                      const Value& old);

// Subresource approval: only conditions change. kForbidden unless the caller may approve for that signer.
Result<Response> get_approval(const Verbs& verbs, const Call& call);
void update_approval(Verbs& verbs, const Authorizer& authorizer, Call call, WallTime now, Callback done);
void patch_approval(Verbs& verbs, const Authorizer& authorizer, Call call, WallTime now, Callback done);

}  // namespace stead::apiserver
