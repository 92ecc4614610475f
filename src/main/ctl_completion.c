/* completion: what a shell offers, made of the tables of commands. */
#include <stdio.h>

#include "base/str.h"
#include "main/ctl_priv.h"

static const char common_options[] = "--server --data --resource --json --help";

/* "serve sim plan ..." */
static void put_families(void)
{
    const char *family = "sim";
    printf("serve sim");
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (strcmp(command->family, family) != 0)
            printf(" %s", command->family);
        family = command->family;
    }
}

/* For each family with verbs: before, its name, between, its verbs, behind. */
static void put_verbs(const char *before, const char *between, const char *behind)
{
    for (const struct ctl_command *command = ctl_next(NULL); command;) {
        const char *family = command->family;
        bool verbs = *command->verb;
        if (verbs)
            printf("%s%s%s", before, family, between);
        for (; command && strcmp(command->family, family) == 0; command = ctl_next(command))
            if (verbs)
                printf("%s ", command->verb);
        if (verbs)
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
           "    case \"${COMP_WORDS[*]:1:2} \" in\n", common_options);
    put_options("    '", "'*) words+='", "' ;;\n");
    printf("    esac\n    case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words='");
    put_families();
    printf("' ;;\n");
    put_verbs("    2:", ") words='", "' ;;\n");
    printf("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _carterfone carterfone\n");
}

/* CURRENT counts from 1, and word 1 is the program. */
static void for_zsh(void)
{
    printf("# zsh, behind compinit: eval \"$(carterfone completion zsh)\"\n"
           "_carterfone() {\n    local offered='%s'\n    case \"$words[2] $words[3] \" in\n", common_options);
    put_options("    '", " '*) offered+='", "' ;;\n");
    printf("    esac\n    case $CURRENT:$words[2] in\n    2:*) offered='");
    put_families();
    printf("' ;;\n");
    put_verbs("    3:", ") offered='", "' ;;\n");
    printf("    esac\n    compadd -- ${=offered}\n    (( CURRENT > 3 )) && _files\n}\ncompdef _carterfone carterfone\n");
}

static void for_fish(void)
{
    printf("# fish: carterfone completion fish | source\ncomplete -c carterfone -n __fish_use_subcommand -f -a '");
    put_families();
    printf("'\n");
    put_verbs("complete -c carterfone -n '__fish_seen_subcommand_from ", "' -f -a '", "'\n");
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command))
        for (const struct ctl_option *o = command->options; o && o->name; o++)
            printf("complete -c carterfone -n '__fish_seen_subcommand_from %s%s%s' -l %s%s\n", command->family,
                   *command->verb ? "; and __fish_seen_subcommand_from " : "", command->verb, o->name, o->takes ? " -r" : "");
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
