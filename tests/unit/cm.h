/* cm.h - cmocka and what it wants included before it. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A struct str against a C string, with both in the message. */
#define assert_str(s, z)                                                                       \
    do {                                                                                       \
        struct str got_ = (s);                                                                 \
        const char *want_ = (z);                                                               \
        if (got_.n != strlen(want_) || (got_.n && memcmp(got_.p, want_, got_.n)))              \
            fail_msg("\"%.*s\" is not \"%s\"", (int)got_.n, got_.p ? got_.p : "", want_);      \
    } while (0)
