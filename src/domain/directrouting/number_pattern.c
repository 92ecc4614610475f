#include "domain/directrouting/number_pattern.h"
#include "base/str.h"

#include <stdio.h>

enum { DEPTH_MAX = 32, COUNT_MAX = 1000, ENDLESS = -1, NOTHING = -1, WORDS = 96 };

/* Which of the 128 ASCII characters. */
struct set { uint64_t bits[2]; };

/* -- the pattern as a tree: nodes refer to each other by place ------------------------------------------------------- */

enum node_kind { NODE_EMPTY, NODE_SET, NODE_START, NODE_END, NODE_BOTH, NODE_EITHER, NODE_REPEAT };
struct node {
    enum node_kind kind;
    int            left, right;         /* BOTH, EITHER; REPEAT has left alone */
    int            min, max;            /* REPEAT; max may be ENDLESS */
    struct set     set;
};

/* -- and as a program: a state reads one character, or goes to one or two others --------------------------------------- */

enum op { OP_SET, OP_START, OP_END, OP_SPLIT, OP_MATCH };
struct state {
    enum op    op;
    int        next, other;             /* other: SPLIT */
    struct set set;
};

struct number_pattern {
    struct state *states;
    int           n, first;
};

struct reader {
    struct str   text;
    size_t       at;
    struct node *nodes;
    int          n, most, depth;
    enum err     err;
    char        *words;
};

static void set_add(struct set *s, unsigned char c)
{
    if (c < 128)
        s->bits[c >> 6] |= (uint64_t)1 << (c & 63);
}

static bool set_has(const struct set *s, unsigned char c)
{
    return c < 128 && (s->bits[c >> 6] >> (c & 63) & 1);
}

static void set_add_range(struct set *s, unsigned char from, unsigned char to)
{
    for (unsigned c = from; c <= to; c++)
        set_add(s, (unsigned char)c);
}

static void set_invert(struct set *s)
{
    s->bits[0] = ~s->bits[0];
    s->bits[1] = ~s->bits[1];
}

/* -- reading ---------------------------------------------------------------------------------------------------------- */

/* The first thing wrong is what is told. @return NOTHING */
static int wrong(struct reader *r, enum err err, const char *what)
{
    if (!r->err) {
        r->err = err;
        snprintf(r->words, WORDS, "at character %zu: %s", r->at + 1, what);
    }
    return NOTHING;
}

static bool more(const struct reader *r)
{
    return !r->err && r->at < r->text.n;
}

static char peek(const struct reader *r)
{
    return more(r) ? r->text.p[r->at] : '\0';
}

static bool take(struct reader *r, char c)
{
    if (!more(r) || r->text.p[r->at] != c)
        return false;
    r->at++;
    return true;
}

static int node_add(struct reader *r, struct node node)
{
    if (r->err)
        return NOTHING;
    if (r->n == r->most)
        return wrong(r, ERR_SIZE, "the pattern is too large");
    r->nodes[r->n] = node;
    return r->n++;
}

static int node_char(struct reader *r, unsigned char c)
{
    struct node node = { .kind = NODE_SET };
    if (c >= 128)
        return wrong(r, ERR_SYNTAX, "only ASCII characters can match a number");
    set_add(&node.set, c);
    return node_add(r, node);
}

/* \d \D \w \W \s \S into the set. @return false: another letter */
static bool class_escape(struct set *s, char c)
{
    struct set named = { { 0, 0 } };
    switch (c | 32) {
    case 'w':
        set_add_range(&named, 'a', 'z');
        set_add_range(&named, 'A', 'Z');
        set_add_range(&named, '0', '9');
        set_add(&named, '_');
        break;
    case 'd': set_add_range(&named, '0', '9'); break;
    case 's': set_add(&named, ' '); set_add_range(&named, '\t', '\r'); break;
    default:  return false;
    }
    if (c < 'a')
        set_invert(&named);
    s->bits[0] |= named.bits[0];
    s->bits[1] |= named.bits[1];
    return true;
}

/* \xHH, \uHHHH: the letter has been taken. @return the character, NOTHING when it is none or not ASCII */
static int hex_escape(struct reader *r, int digits)
{
    int c = 0;
    for (int i = 0; i < digits; i++) {
        int d = hex_digit(peek(r));
        if (d < 0)
            return wrong(r, ERR_SYNTAX, "a hexadecimal escape needs its digits");
        c = c << 4 | d;
        r->at++;
    }
    return c < 128 ? c : wrong(r, ERR_SYNTAX, "only ASCII characters can match a number");
}

/* An escape that stands for one character: the letter has been taken. @return it, or NOTHING */
static int char_escape(struct reader *r, char c)
{
    static const char letters[] = "tnrfvae", values[] = "\t\n\r\f\v\a\033";
    const char *known = c ? strchr(letters, c) : NULL;
    if (known)
        return values[known - letters];
    if (c == 'x' || c == 'u')
        return hex_escape(r, c == 'x' ? 2 : 4);
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
        return wrong(r, ERR_SYNTAX, c >= '0' && c <= '9' ? "back-references are not supported" : "this escape is not supported");
    return (unsigned char)c < 128 ? c : wrong(r, ERR_SYNTAX, "only ASCII characters can match a number");
}

static int escape(struct reader *r)
{
    struct node node = { .kind = NODE_SET };
    if (!more(r))
        return wrong(r, ERR_SYNTAX, "nothing follows the backslash");
    char c = r->text.p[r->at++];
    if (class_escape(&node.set, c))
        return node_add(r, node);
    if (c == 'A')
        return node_add(r, (struct node){ .kind = NODE_START });
    if (c == 'z' || c == 'Z')
        return node_add(r, (struct node){ .kind = NODE_END });
    int one = char_escape(r, c);
    return one == NOTHING ? NOTHING : node_char(r, (unsigned char)one);
}

/* One character of a class, or NOTHING when it was \d and the like (which is in the set now) or something is wrong. */
static int class_char(struct reader *r, struct set *s)
{
    char c = r->text.p[r->at++];
    if (c == '\\') {
        if (!more(r))
            return wrong(r, ERR_SYNTAX, "nothing follows the backslash");
        c = r->text.p[r->at++];
        return class_escape(s, c) ? NOTHING : c == 'b' ? '\b' : char_escape(r, c);
    }
    return (unsigned char)c < 128 ? c : wrong(r, ERR_SYNTAX, "only ASCII characters can match a number");
}

/* `[` has been taken. A `]` that comes first is a character, as is a `-` at either end. */
static int class(struct reader *r)
{
    struct node node = { .kind = NODE_SET };
    bool inverted = take(r, '^');
    for (bool first = true; first || peek(r) != ']'; first = false) {
        if (!more(r))
            return wrong(r, ERR_SYNTAX, "the class is not closed by ']'");
        if (peek(r) == '-' && r->at + 1 < r->text.n && r->text.p[r->at + 1] == '[')
            return wrong(r, ERR_SYNTAX, "subtraction in a class is not supported");
        int from = class_char(r, &node.set), to = from;
        if (from != NOTHING && peek(r) == '-' && r->at + 1 < r->text.n && r->text.p[r->at + 1] != ']') {
            r->at++;
            to = class_char(r, &node.set);
            if (to < from)
                return wrong(r, ERR_SYNTAX, "the range runs backwards");
        }
        if (from != NOTHING)
            set_add_range(&node.set, (unsigned char)from, (unsigned char)to);
    }
    r->at++;
    if (inverted)
        set_invert(&node.set);
    return node_add(r, node);
}

/* What may stand between "(" and the content: nothing, ?: or a name. */
static bool group_head(struct reader *r)
{
    if (!take(r, '?') || take(r, ':'))
        return true;
    char close = peek(r) == '<' ? '>' : peek(r) == '\'' ? '\'' : '\0';
    size_t start = ++r->at;
    char c = peek(r);
    if (!close || c == '=' || c == '!')
        return wrong(r, ERR_SYNTAX, "look-around and options are not supported") != NOTHING;
    while ((c = peek(r)) == '_' || hex_digit(c) >= 0 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        r->at++;
    if (r->at == start || !take(r, close))
        return wrong(r, ERR_SYNTAX, "the group's name is not one") != NOTHING;
    return true;
}

static int either(struct reader *r);

static int group(struct reader *r)
{
    if (!group_head(r))
        return NOTHING;
    if (r->depth == DEPTH_MAX)
        return wrong(r, ERR_SIZE, "groups are nested too deeply");
    r->depth++;
    int inside = either(r);
    r->depth--;
    return take(r, ')') ? inside : wrong(r, ERR_SYNTAX, "the group is not closed by ')'");
}

static int number(struct reader *r)
{
    int n = NOTHING;
    for (char c; (c = peek(r)) >= '0' && c <= '9'; r->at++)
        n = n > COUNT_MAX ? n : (n < 0 ? 0 : n) * 10 + c - '0';
    return n;
}

/* {n} {n,} {n,m}. @return false, and nothing taken, when that is not what stands there: then it is text */
static bool counts(struct reader *r, int *min, int *max)
{
    size_t start = r->at;
    if (take(r, '{')) {
        *max = *min = number(r);
        if (*min >= 0 && take(r, ','))
            *max = number(r);           /* NOTHING is ENDLESS */
        if (*min >= 0 && take(r, '}'))
            return true;
    }
    r->at = start;
    return false;
}

static bool quantifier(struct reader *r, int *min, int *max)
{
    *max = ENDLESS;
    if (take(r, '*')) {
        *min = 0;
    } else if (take(r, '+')) {
        *min = 1;
    } else if (take(r, '?')) {
        *min = 0;
        *max = 1;
    } else {
        return counts(r, min, max);
    }
    return true;
}

static int repeated(struct reader *r, int what)
{
    int min, max, again;
    if (!quantifier(r, &min, &max))
        return what;
    take(r, '?');                       /* lazy: the same texts match */
    if (min > COUNT_MAX || max > COUNT_MAX)
        return wrong(r, ERR_SIZE, "a repetition of more than 1000");
    if (max != ENDLESS && max < min)
        return wrong(r, ERR_SYNTAX, "the repetition's bounds run backwards");
    if (quantifier(r, &again, &again))
        return wrong(r, ERR_SYNTAX, "a repetition of a repetition");
    return node_add(r, (struct node){ .kind = NODE_REPEAT, .left = what, .min = min, .max = max });
}

/* One thing that can be repeated. `nothing_before`: at the start of a branch, or behind an anchor. */
static int atom(struct reader *r, bool nothing_before)
{
    struct node any = { .kind = NODE_SET, .set = { { ~((uint64_t)1 << '\n'), UINT64_MAX } } };
    int min, max;
    if (nothing_before && take(r, '+'))
        return node_char(r, '+');
    if (quantifier(r, &min, &max))
        return wrong(r, ERR_SYNTAX, "there is nothing to repeat");
    char c = r->text.p[r->at++];
    switch (c) {
    case '(':  return group(r);
    case '[':  return class(r);
    case '\\': return escape(r);
    case '.':  return node_add(r, any);
    case '^':  return node_add(r, (struct node){ .kind = NODE_START });
    case '$':  return node_add(r, (struct node){ .kind = NODE_END });
    default:   return node_char(r, (unsigned char)c);
    }
}

static int branch(struct reader *r)
{
    int all = NOTHING;
    bool nothing_before = true;
    while (more(r) && peek(r) != '|' && peek(r) != ')') {
        int one = atom(r, nothing_before);
        bool anchor = one != NOTHING && (r->nodes[one].kind == NODE_START || r->nodes[one].kind == NODE_END);
        if (!anchor)
            one = repeated(r, one);
        nothing_before = anchor;
        all = all == NOTHING ? one : node_add(r, (struct node){ .kind = NODE_BOTH, .left = all, .right = one });
    }
    return all == NOTHING ? node_add(r, (struct node){ .kind = NODE_EMPTY }) : all;
}

static int either(struct reader *r)
{
    int all = branch(r);
    while (take(r, '|'))
        all = node_add(r, (struct node){ .kind = NODE_EITHER, .left = all, .right = branch(r) });
    return r->err ? NOTHING : all;
}

/* -- the program, written from its end ---------------------------------------------------------------------------------- */

struct writer {
    const struct node     *nodes;
    struct number_pattern *p;
    int                    steps;       /* also those that write nothing: ((){1000}){1000} must end soon too */
    bool                   full;
};

static int state_add(struct writer *w, struct state s)
{
    if (w->full || w->p->n == NUMBER_PATTERN_STATES_MAX) {
        w->full = true;
        return 0;
    }
    w->p->states[w->p->n] = s;
    return w->p->n++;
}

static int emit(struct writer *w, int node, int next);

static int emit_repeat(struct writer *w, const struct node *node, int next)
{
    int first = next;
    if (node->max == ENDLESS) {
        int loop = state_add(w, (struct state){ .op = OP_SPLIT, .other = next });
        w->p->states[loop].next = emit(w, node->left, loop);
        first = loop;
    }
    for (int i = node->min; i < node->max && !w->full; i++)
        first = state_add(w, (struct state){ .op = OP_SPLIT, .next = emit(w, node->left, first), .other = next });
    for (int i = 0; i < node->min && !w->full; i++)
        first = emit(w, node->left, first);
    return first;
}

/* Code for `node` that goes on at `next`. The depth is that of the tree's right sides and groups; a row of atoms leans
 * left and is walked by the loop. @return its first state */
static int emit(struct writer *w, int at, int next)
{
    for (;;) {
        const struct node *node = &w->nodes[at];
        if (w->full || ++w->steps > 4 * NUMBER_PATTERN_STATES_MAX) {
            w->full = true;
            return 0;
        }
        switch (node->kind) {
        case NODE_EMPTY:  return next;
        case NODE_SET:    return state_add(w, (struct state){ .op = OP_SET, .next = next, .set = node->set });
        case NODE_START:  return state_add(w, (struct state){ .op = OP_START, .next = next });
        case NODE_END:    return state_add(w, (struct state){ .op = OP_END, .next = next });
        case NODE_REPEAT: return emit_repeat(w, node, next);
        case NODE_BOTH:
            next = emit(w, node->right, next);
            at = node->left;
            continue;
        case NODE_EITHER: {
            int right = emit(w, node->right, next), left = emit(w, node->left, next);
            return state_add(w, (struct state){ .op = OP_SPLIT, .next = left, .other = right });
        }
        }
    }
}

enum err number_pattern_read(struct number_pattern **out, struct str text, struct arena *a, char words[96])
{
    struct reader r = { .text = text, .words = words };
    struct number_pattern *p = arena_one(a, struct number_pattern);
    r.most = 3 * (int)(text.n < 4096 ? text.n : 4096) + 4;       /* a character makes two nodes at most, and a half */
    r.nodes = arena_array(a, (size_t)r.most, sizeof *r.nodes);
    if (!p || !r.nodes)
        return ERR_NOMEM;
    int root = either(&r);
    if (more(&r))
        wrong(&r, ERR_SYNTAX, "a ')' without its '('");
    if (r.err)
        return r.err;
    p->states = arena_array(a, NUMBER_PATTERN_STATES_MAX, sizeof *p->states);
    if (!p->states)
        return ERR_NOMEM;
    struct writer w = { .nodes = r.nodes, .p = p };
    int match = state_add(&w, (struct state){ .op = OP_MATCH });
    p->first = emit(&w, root, match);
    if (w.full) {
        wrong(&r, ERR_SIZE, "the pattern is too large when its repetitions are written out");
        return r.err;
    }
    *out = p;
    return ERR_NONE;
}

/* -- matching ------------------------------------------------------------------------------------------------------------ */

struct walk {
    const struct number_pattern *p;
    size_t  at, end;
    int    *now, *then, *pending;       /* states */
    int     n_now, n_then;
    size_t *seen;                       /* by state: 1 + the place where it was last reached; 0: never */
    bool    matched;
};

/* `state`, and all that it reaches without reading, into `then`. `pending` holds each state once at most. */
static void reach(struct walk *w, int state)
{
    int n = 0;
    if (w->seen[state] == w->at + 1)
        return;
    w->seen[state] = w->at + 1;
    w->pending[n++] = state;
    while (n) {
        const struct state *s = &w->p->states[w->pending[--n]];
        bool open = s->op == OP_SPLIT || (s->op == OP_START && w->at == 0) || (s->op == OP_END && w->at == w->end);
        if (s->op == OP_SET)
            w->then[w->n_then++] = (int)(s - w->p->states);
        w->matched |= s->op == OP_MATCH;
        for (int i = 0; open && i < (s->op == OP_SPLIT ? 2 : 1); i++) {
            int next = i ? s->other : s->next;
            if (w->seen[next] != w->at + 1) {
                w->seen[next] = w->at + 1;
                w->pending[n++] = next;
            }
        }
    }
}

enum err number_pattern_match(const struct number_pattern *p, struct str number, struct arena *a, bool *out)
{
    size_t n = (size_t)p->n;
    struct walk w = { .p = p, .end = number.n };
    w.now = arena_array(a, n, sizeof *w.now);
    w.then = arena_array(a, n, sizeof *w.then);
    w.pending = arena_array(a, n, sizeof *w.pending);
    w.seen = arena_array(a, n, sizeof *w.seen);
    if (!w.now || !w.then || !w.pending || !w.seen)
        return ERR_NOMEM;
    reach(&w, p->first);
    while (!w.matched && w.at < w.end) {
        unsigned char c = (unsigned char)number.p[w.at++];
        int *swap = w.now;
        w.now = w.then;
        w.then = swap;
        w.n_now = w.n_then;
        w.n_then = 0;
        for (int i = 0; i < w.n_now; i++)
            if (set_has(&p->states[w.now[i]].set, c))
                reach(&w, p->states[w.now[i]].next);
        reach(&w, p->first);            /* a match may begin anywhere */
    }
    *out = w.matched;
    return ERR_NONE;
}
