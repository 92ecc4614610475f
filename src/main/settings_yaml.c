/* The config file: one mapping of setting names to scalars (a list where a setting is repeatable).
 *
 * libyaml's document, not libcyaml's structs: every complaint must name the line, and an unknown key the nearest name. */
#include "main/settings_priv.h"

#include <stdio.h>

#include <yaml.h>

#include "base/str.h"

struct reader {
    struct settings  *s;
    enum settings_for who;
    const char       *name;         /* of the file, for complaints */
    struct problem   *why;
    yaml_document_t   doc;
};

static struct str scalar(const yaml_node_t *node)
{
    return (struct str){ (const char *)node->data.scalar.value, node->data.scalar.length };
}

static enum err complain(struct reader *r, const yaml_node_t *node, const char *what)
{
    return problem_set(r->why, ERR_SYNTAX, "BadConfig", "%s:%zu: %s", r->name, node->start_mark.line + 1, what);
}

static enum err put_scalar(struct reader *r, const struct setting *setting, struct str key, yaml_node_t *value, bool first)
{
    if (value->type != YAML_SCALAR_NODE)
        return complain(r, value, "a plain value is wanted here");
    char where[256];
    snprintf(where, sizeof where, "%s:%zu: " STR_FMT, r->name, value->start_mark.line + 1, STR_ARG(key));
    return setting_put(r->s, setting, scalar(value), first, where, r->why);
}

static enum err put_sequence(struct reader *r, const struct setting *setting, struct str key, yaml_node_t *list)
{
    if (!setting_is_list(setting))
        return complain(r, list, "this setting takes one value, not a list");
    enum err err = ERR_NONE;
    yaml_node_item_t *from = list->data.sequence.items.start, *to = list->data.sequence.items.top;
    for (yaml_node_item_t *item = from; !err && item < to; item++)
        err = put_scalar(r, setting, key, yaml_document_get_node(&r->doc, *item), item == from);
    return err;
}

static enum err put_pair(struct reader *r, yaml_node_t *key, yaml_node_t *value)
{
    if (key->type != YAML_SCALAR_NODE)
        return complain(r, key, "a setting's name is wanted here");
    struct problem        unknown;
    const struct setting *setting = setting_find(scalar(key), r->who, &unknown);
    if (!setting)
        return complain(r, key, unknown.text), ERR_ABSENT;
    if (str_eqz(scalar(key), "config"))
        return complain(r, key, "a config file cannot name another");
    if (value->type == YAML_SEQUENCE_NODE)
        return put_sequence(r, setting, scalar(key), value);
    return put_scalar(r, setting, scalar(key), value, true);
}

static enum err put_root(struct reader *r)
{
    yaml_node_t *root = yaml_document_get_root_node(&r->doc);
    if (!root)
        return ERR_NONE;                /* an empty file sets nothing */
    if (root->type != YAML_MAPPING_NODE)
        return complain(r, root, "the file must be a mapping, one `name: value` a line");

    enum err err = ERR_NONE;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; !err && pair < root->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&r->doc, pair->key);
        for (yaml_node_pair_t *other = root->data.mapping.pairs.start; other < pair; other++) {
            yaml_node_t *before = yaml_document_get_node(&r->doc, other->key);
            if (key->type == YAML_SCALAR_NODE && before->type == YAML_SCALAR_NODE && str_eq(scalar(key), scalar(before)))
                return complain(r, key, "this name stands twice");
        }
        err = put_pair(r, key, yaml_document_get_node(&r->doc, pair->value));
    }
    return err;
}

enum err settings_apply_yaml(struct settings *s, enum settings_for who, struct str text, const char *name,
                             struct problem *why)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return ERR_NOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);

    struct reader r = { .s = s, .who = who, .name = name, .why = why };
    enum err      err;
    if (!yaml_parser_load(&parser, &r.doc)) {
        err = problem_set(why, ERR_SYNTAX, "BadConfig", "%s:%zu: %s", name, parser.problem_mark.line + 1,
                          parser.problem ? parser.problem : "not YAML");
    } else {
        err = put_root(&r);
        yaml_document_delete(&r.doc);
    }
    yaml_parser_delete(&parser);
    return err;
}
