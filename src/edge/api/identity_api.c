/* identity_api.c - users and their tokens (spec identity 2025-06-30).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "edge/api/http.h"

const struct http_route identity_routes[] = {
    { "POST", "/access/teamsExtension/:exchangeAccessToken", HTTP_RESOURCE, NULL, NULL,
      "TeamsExtensionOperations_ExchangeToken", "" },
    { "GET", "/access/teamsExtension/tenants/{tenantId}/assignments/{objectId}", HTTP_RESOURCE, NULL, NULL,
      "TeamsExtensionOperations_GetAssignment", "" },
    { "PUT", "/access/teamsExtension/tenants/{tenantId}/assignments/{objectId}", HTTP_RESOURCE, NULL, NULL,
      "TeamsExtensionOperations_UpsertAssignment", "" },
    { "DELETE", "/access/teamsExtension/tenants/{tenantId}/assignments/{objectId}", HTTP_RESOURCE, NULL, NULL,
      "TeamsExtensionOperations_DeleteAssignment", "" },
    { "POST", "/identities", HTTP_RESOURCE, NULL, NULL, "IdentityOperations_Create", "" },
    { "DELETE", "/identities/{id}", HTTP_RESOURCE, NULL, NULL, "IdentityOperations_Delete", "" },
    { "POST", "/identities/{id}/:issueAccessToken", HTTP_RESOURCE, NULL, NULL,
      "IdentityOperations_IssueAccessToken", "" },
    { "POST", "/identities/{id}/:revokeAccessTokens", HTTP_RESOURCE, NULL, NULL,
      "IdentityOperations_RevokeAccessTokens", "" },
    { "POST", "/teamsUser/:exchangeAccessToken", HTTP_RESOURCE, NULL, NULL,
      "TeamsUserOperations_ExchangeTeamsUserAccessToken", "" },
    { 0 },
};
