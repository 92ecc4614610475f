#include "base/nearest.h"

#include "base/str.h"

enum { LETTERS_MAX = 63, FAR = 1000 };

static char fold(char c)
{
    if (c == '_')
        return '-';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance in its restricted form, three rows at a time. */
size_t nearest_distance(struct str a, struct str b)
{
    if (a.n > LETTERS_MAX || b.n > LETTERS_MAX)
        return FAR;

    size_t  rows[3][LETTERS_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;

    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = fold(a.p[i - 1]), y = fold(b.p[j - 1]);
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b.p[j - 2]) && y == fold(a.p[i - 2]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n];
}

const char *nearest(struct str typed, const char *const *words, size_t n)
{
    size_t      best = typed.n / 3 + 2;     /* further off than this is another word, not a slip */
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        struct str word = str_of(words[i]);
        size_t     distance = nearest_distance(typed, word);
        if (distance < best && distance < word.n) {
            best = distance;
            found = words[i];
        }
    }
    return found;
}
