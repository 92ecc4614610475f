/* inventory_export.c - the inventory as CSV, page by page: what an import reads, with state, resource and note.
 *
 * The first page begins with the header; each tells the next in a Link header (RFC 8288), so that the bodies one after the
 * other are the file. */
#include "codec/csv/csv.h"
#include "codec/e164/e164.h"
#include "domain/numbers/catalogue.h"
#include "domain/numbers/stock.h"
#include "edge/api/import_csv.h"
#include "edge/api/inventory_priv.h"

#include <inttypes.h>

/* "gold west" is "gold;west" in a list. */
static void put_tags(struct buf *b, const char *tags, const char *own_tags)
{
    scoped_buf list = { 0 };
    const char *const both[] = { tags, own_tags };
    struct str one, rest;
    for (size_t i = 0; i < ARRAY_LEN(both); i++)
        for (rest = str_of(both[i]); rest.n;) {
            str_cut(rest, ' ', &one, &rest);
            if (one.n && list.n)
                buf_putc(&list, ';');
            buf_puts(&list, one);
        }
    csv_put(b, list.n ? buf_str(&list) : STR(""));
    b->bad |= list.bad;
}

static void put_row(const struct http_call *hc, struct buf *b, const struct stock_number *x)
{
    char number[E164_SIZE];
    const struct resource *r = x->resource ? accounts_resource(hc->api->accounts, x->resource) : NULL;
    buf_putz(b, e164_write(number, x->number));
    buf_putc(b, ',');
    csv_put(b, str_of(x->carrier));
    buf_printf(b, ",%s,%s,calling:%s sms:%s,", number_type_in_words(x->type), x->country, capability_word(x->calling),
               capability_word(x->sms));
    import_cost_put(b, x->cost_micro);
    buf_putc(b, ',');
    put_tags(b, x->tags, x->own_tags);
    buf_printf(b, ",%s,%s,", stock_state_word(x->state), r ? r->name : "");
    csv_put(b, str_of(x->note));
    buf_putz(b, "\r\n");
}

static void say_next(struct http_call *hc, uint64_t next)
{
    struct str link = http_next_link(hc, "after", arena_printf(hc->arena, "%" PRIu64, next));
    if (link.n)
        http_answer_header(hc, "Link", "<" STR_FMT ">; rel=\"next\"", STR_ARG(link));
}

enum err export_get(struct http_call *hc)
{
    struct stock_filter f;
    uint64_t after = 0, next = 0;
    enum err err = operator_only(hc);
    if (!err)
        err = inventory_filter_read(hc, &f);
    if (!err)
        err = inventory_after_read(hc, &after);
    if (err)
        return err;
    struct stock_number *list = arena_array(hc->arena, STOCK_LIST_MOST, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t n = numbers_stock_list(hc->api->numbers, &f, after, STOCK_LIST_MOST, list, &next);
    if (!after)
        buf_putz(&hc->out, "number,carrier,type,country,capabilities,cost,tags,state,resource,note\r\n");
    for (size_t i = 0; i < n; i++)
        put_row(hc, &hc->out, &list[i]);
    if (next)
        say_next(hc, next);
    http_reply_as(hc, 200, "text/csv; charset=utf-8");
    return ERR_NONE;
}
