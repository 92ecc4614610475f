/* main.c - the first word decides: `serve` and `sim` stay, every other command talks to a server that runs. */
#include <stdio.h>
#include <string.h>

#include "main/ctl.h"
#include "main/server.h"
#include "main/settings.h"

enum { EXIT_OK = 0, EXIT_USAGE = 2 };

extern char **environ;

static int run_long(enum settings_for who, int argc, char **argv)
{
    static struct settings settings;
    struct problem         why = { 0 };
    const char            *command = who == SETTINGS_SERVE ? "serve" : "sim";
    enum err               err = settings_read(&settings, who, argc, argv, environ, &why);
    if (err) {
        fprintf(stderr, "carterfone %s: %s\n", command, why.text[0] ? why.text : err_words(err));
        return EXIT_USAGE;
    }
    if (settings.help) {
        printf("carterfone %s: %s\n\n", command,
               who == SETTINGS_SERVE ? "run the platform" : "run the simulated networks alone");
        settings_help(stdout, who);
        if (who == SETTINGS_SIM)
            printf("\nThe networks inside a server are told by `carterfone sim smsc`; `carterfone help sim` says how.\n");
        return EXIT_OK;
    }
    return who == SETTINGS_SERVE ? serve_main(&settings) : sim_main(&settings, argc, argv, environ);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return run_long(SETTINGS_SERVE, argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "sim") == 0 && (argc == 2 || argv[2][0] == '-'))     /* `sim smsc` asks a server */
        return run_long(SETTINGS_SIM, argc - 2, argv + 2);
    return ctl_main(argc - 1, argv + 1);
}
