#include "main/signals.h"
#include "base/log.h"

void signals_block(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);           /* a file that may not grow is an error of its write, as a full disk is */
}

void signals_wait(const sigset_t *set, void (*reload)(void *arg), void *arg)
{
    int sig = 0;
    do {
        sigwait(set, &sig);
        if (sig == SIGHUP)
            reload(arg);
    } while (sig == SIGHUP);
    log_info("server", "%s: draining", sig == SIGTERM ? "SIGTERM" : "SIGINT");
}
