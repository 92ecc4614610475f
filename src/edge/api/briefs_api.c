/* briefs_api.c - short-code program briefs and toll-free verification (their preview specs).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "edge/api/http.h"

const struct http_route briefs_routes[] = {
    { "GET", "/shortCodes", HTTP_RESOURCE, NULL, NULL, "ShortCodes_GetShortCodes", "" },
    { "PATCH", "/shortCodes/countries/US/programBriefs/{programBriefId}", HTTP_RESOURCE, NULL, NULL,
      "ShortCodes_UpsertUSProgramBrief", "" },
    { "DELETE", "/shortCodes/countries/US/programBriefs/{programBriefId}", HTTP_RESOURCE, NULL, NULL,
      "ShortCodes_DeleteUSProgramBrief", "" },
    { "GET", "/shortCodes/countries/US/programBriefs/{programBriefId}", HTTP_RESOURCE, NULL, NULL,
      "ShortCodes_GetUSProgramBrief", "" },
    { "POST", "/shortCodes/countries/US/programBriefs/{programBriefId}/:submit", HTTP_RESOURCE, NULL, NULL,
      "ShortCodes_SubmitUSProgramBrief", "" },
    { "GET", "/shortCodes/countries/US/programBriefs", HTTP_RESOURCE, NULL, NULL, "ShortCodes_GetUSProgramBriefs", "" },
    { "PATCH", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_UpsertCampaignBrief", "" },
    { "DELETE", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_DeleteCampaignBrief", "" },
    { "GET", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_GetCampaignBrief", "" },
    { "POST", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}/:submit", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_SubmitCampaignBrief", "" },
    { "GET", "/tollfreeVerification/countries/{countryCode}/campaignBriefs", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_GetAllCampaignBriefsByCountryCode", "" },
    { "GET", "/tollfreeVerification/campaignBriefs", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_GetAllCampaignBriefSummaries", "" },
    { "PUT", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}/attachments/{attachmentId}", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_CreateOrReplaceCampaignBriefAttachment", "" },
    { "DELETE", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}/attachments/{attachmentId}", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_DeleteCampaignBriefAttachment", "" },
    { "GET", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}/attachments/{attachmentId}", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_GetCampaignBriefAttachment", "" },
    { "GET", "/tollfreeVerification/countries/{countryCode}/campaignBriefs/{campaignBriefId}/attachments", HTTP_RESOURCE, NULL, NULL,
      "TollFreeVerification_GetCampaignBriefAttachments", "" },
    { 0 },
};
