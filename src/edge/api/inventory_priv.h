/* inventory_priv.h - what the files of the operator's inventory share: one function for each route. */
#pragma once
#include "edge/api/operator_priv.h"

/* import_api.c */
enum err imports_get(struct http_call *hc);
enum err imports_post(struct http_call *hc);
enum err import_get(struct http_call *hc);
enum err import_rows_read(struct http_call *hc);
enum err import_rows_run(struct http_call *hc);
enum err import_complete_post(struct http_call *hc);
enum err import_roll_back_post(struct http_call *hc);
enum err import_bad_get(struct http_call *hc);

/* inventory_export.c */
enum err export_get(struct http_call *hc);

/* areas_api.c */
enum err areas_get(struct http_call *hc);

/** What the query asks of the inventory. */
struct stock_filter;
MUST_USE enum err inventory_filter_read(struct http_call *hc, struct stock_filter *f);
/** "after" of the query: behind which number. */
MUST_USE enum err inventory_after_read(struct http_call *hc, uint64_t *after);
