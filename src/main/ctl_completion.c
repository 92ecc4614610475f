/* completion: what a shell offers, made of the tables of commands. */
#include <stdio.h>

#include "base/str.h"
#include "main/ctl_priv.h"

static const char common_options[] = "--server --data --resource --json --help";

/* Is this the first command of its family, in the order of ctl_next()? Some families are made of two tables. */
static bool opens_family(const struct ctl_command *command)
{
    const struct ctl_command *one = ctl_next(NULL);
    while (strcmp(one->family, command->family) != 0)
        one = ctl_next(one);
    return one == command;
}

/* "serve sim plan ... help" */
static void put_families(void)
{
    printf("serve");
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command))
        if (opens_family(command))
            printf(" %s", command->family);
    printf(" help");
}

/* The verbs of a family: the first words, each once, or the words behind `first`. How many there are; to be told or counted only. */
static int put_words(const char *family, struct str first, bool tell)
{
    int        n = 0;
    struct str word, behind, last = { 0 };
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (strcmp(command->family, family) != 0 || !*command->verb)
            continue;
        bool two = str_cut(str_of(command->verb), ' ', &word, &behind);
        if (first.n ? !two || !str_eq(word, first) : str_eq(word, last))
            continue;
        last = word;
        n++;
        if (tell)
            printf(STR_FMT " ", STR_ARG(first.n ? behind : word));
    }
    return n;
}

/* For each family with verbs: before, its name, between, its verbs, behind. */
static void put_verbs(const char *before, const char *between, const char *behind)
{
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (!opens_family(command) || !put_words(command->family, (struct str){ 0 }, false))
            continue;
        printf("%s%s%s", before, command->family, between);
        (void)put_words(command->family, (struct str){ 0 }, true);
        printf("%s", behind);
    }
}

/* For each first word of verbs of two, "sim smsc": before, family, join, word, between, the second words, behind. */
static void put_second_words(const char *before, const char *join, const char *between, const char *behind)
{
    struct str last = { 0 }, word, rest;
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (!str_cut(str_of(command->verb), ' ', &word, &rest) || str_eq(word, last))
            continue;
        last = word;
        printf("%s%s%s" STR_FMT "%s", before, command->family, join, STR_ARG(word), between);
        (void)put_words(command->family, word, true);
        printf("%s", behind);
    }
}

/* "numbers search'*) words+=' --type ..." for each command with options. */
static void put_options(const char *before, const char *between, const char *behind)
{
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (!command->options)
            continue;
        printf("%s%s%s%s%s", before, command->family, *command->verb ? " " : "", command->verb, between);
        for (const struct ctl_option *o = command->options; o->name; o++)
            printf(" --%s", o->name);
        printf("%s", behind);
    }
}

static void for_bash(void)
{
    printf("# bash: eval \"$(carterfone completion)\"\n"
           "_carterfone() {\n    local cur=${COMP_WORDS[COMP_CWORD]} words='%s'\n"
           "    case \"${COMP_WORDS[*]:1:3} \" in\n", common_options);
    put_options("    '", "'*) words+='", "' ;;\n");
    printf("    esac\n    case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words='");
    put_families();
    printf("' ;;\n");
    put_verbs("    2:", ") words='", "' ;;\n");
    printf("    esac\n    case $COMP_CWORD:${COMP_WORDS[1]}:${COMP_WORDS[2]} in\n");
    put_second_words("    3:", ":", ") words+=' ", "' ;;\n");
    printf("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _carterfone carterfone\n");
}

/* CURRENT counts from 1, and word 1 is the program. */
static void for_zsh(void)
{
    printf("# zsh, behind compinit: eval \"$(carterfone completion zsh)\"\n"
           "_carterfone() {\n    local offered='%s'\n    case \"$words[2] $words[3] $words[4] \" in\n", common_options);
    put_options("    '", "'*) offered+='", "' ;;\n");
    printf("    esac\n    case $CURRENT:$words[2] in\n    2:*) offered='");
    put_families();
    printf("' ;;\n");
    put_verbs("    3:", ") offered='", "' ;;\n");
    printf("    esac\n    case $CURRENT:$words[2]:$words[3] in\n");
    put_second_words("    4:", ":", ") offered+=' ", "' ;;\n");
    printf("    esac\n    compadd -- ${=offered}\n    (( CURRENT > 3 )) && _files\n}\ncompdef _carterfone carterfone\n");
}

static const char *last_word(const char *verb)
{
    const char *blank = strrchr(verb, ' ');
    return blank ? blank + 1 : verb;
}

static void for_fish(void)
{
    printf("# fish: carterfone completion fish | source\ncomplete -c carterfone -n __fish_use_subcommand -f -a '");
    put_families();
    printf("'\n");
    put_verbs("complete -c carterfone -n '__fish_seen_subcommand_from ", "' -f -a '", "'\n");
    put_second_words("complete -c carterfone -n '__fish_seen_subcommand_from ", "; and __fish_seen_subcommand_from ", "' -f -a '", "'\n");
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command))
        for (const struct ctl_option *o = command->options; o && o->name; o++)
            printf("complete -c carterfone -n '__fish_seen_subcommand_from %s%s%s' -l %s%s\n", command->family,
                   *command->verb ? "; and __fish_seen_subcommand_from " : "", last_word(command->verb), o->name, o->takes ? " -r" : "");
    for (struct str one, rest = str_of(common_options); rest.n;) {
        str_cut(rest, ' ', &one, &rest);
        printf("complete -c carterfone -l " STR_FMT "\n", STR_ARG(str_from(one, 2)));
    }
}

static int completion(struct ctl *c)
{
    static const struct { const char *shell; void (*print)(void); } shells[] = {
        { "bash", for_bash }, { "zsh", for_zsh }, { "fish", for_fish },
    };
    const char *shell = c->args_n ? c->args[0] : "bash";
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (strcmp(shells[i].shell, shell) == 0) {
            shells[i].print();
            return CTL_OK;
        }
    return ctl_usage(c, "there is completion for bash, zsh and fish, not for '%s'", shell);
}

const struct ctl_command ctl_completion_commands[] = {
    { "completion", "", "[bash|zsh|fish]", 0, 1, NULL, completion, "command completion of a shell" },
    { 0 },
};
