#include "domain/messages/keywords.h"
#include "base/str.h"

enum { WORD_MAX = 64 };

static const struct optout_policy policies[] = {
#include "domain/optout_policies.inc"
};
struct entry { enum keyword keyword; const char *language, *text; };
static const struct entry words[] = {
#include "domain/optout_words.inc"
};
static const struct entry texts[] = {
#include "domain/optout_texts.inc"
};
static const char *const handlings[] = { [OPTOUT_BY_DEFAULT] = "default", [OPTOUT_BY_CARRIER] = "carrier",
                                         [OPTOUT_BY_PLATFORM] = "platform", [OPTOUT_BY_NONE] = "none" };

/* -- who answers --------------------------------------------------------------------------------------------------------- */

static bool fits(const char *pattern, const char *value)
{
    return strcmp(pattern, "*") == 0 || strcmp(pattern, value) == 0;
}

const struct optout_policy *optout_policy_of(const char *edition, const char *country, const char *type)
{
    const struct optout_policy *best = NULL;
    int most = -1;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        const struct optout_policy *p = &policies[i];
        int how = (p->type[0] != '*') * 2 + (p->country[0] != '*');
        if (how > most && fits(p->edition, edition) && fits(p->country, country) && fits(p->type, type))
            most = how, best = p;
    }
    return best;
}

const char *optout_handling_word(enum optout_handling handling)
{
    return handlings[handling];
}

enum err optout_handling_read(struct str word, enum optout_handling *out)
{
    for (size_t i = 0; i < ARRAY_LEN(handlings); i++)
        if (str_eqz(word, handlings[i])) {
            *out = (enum optout_handling)i;
            return ERR_NONE;
        }
    return ERR_RANGE;
}

/* -- which word ----------------------------------------------------------------------------------------------------------- */

/* Latin capitals, as far as the words of the tables have letters. */
static uint32_t folded(uint32_t c)
{
    bool capital = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
    return capital ? c + 0x20 : c;
}

static bool same(struct str a, const char *word)
{
    struct str b = str_of(word);
    size_t i = 0, j = 0;
    while (i < a.n && j < b.n)
        if (folded(utf8_next(a, &i)) != folded(utf8_next(b, &j)))
            return false;
    return i == a.n && j == b.n;
}

static bool is_mark(char c)
{
    return c && strchr(" \t\r\n.,!?\"'*()", c) != NULL;
}

static struct str without_marks(struct str s)
{
    while (s.n && is_mark(s.p[0]))
        s = str_from(s, 1);
    while (s.n && is_mark(s.p[s.n - 1]))
        s.n--;
    return s;
}

enum keyword keyword_of(struct str text, struct str language)
{
    struct str word = without_marks(text);
    if (!word.n || word.n > WORD_MAX || !utf8_valid(word))
        return KEYWORD_NONE;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if ((str_eqz(language, words[i].language) || strcmp(words[i].language, "en") == 0) && same(word, words[i].text))
            return words[i].keyword;
    return KEYWORD_NONE;
}

enum keyword keyword_of_carrier(struct str text)
{
    struct str word = str_trim(text);
    if (str_eq_nocase(word, STR("STOP")))
        return KEYWORD_STOP;
    return str_eq_nocase(word, STR("START")) || str_eq_nocase(word, STR("UNSTOP")) ? KEYWORD_START : KEYWORD_NONE;
}

/* -- what is answered ------------------------------------------------------------------------------------------------------ */

static const char *text_in(enum keyword keyword, struct str language)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].keyword == keyword && str_eqz(language, texts[i].language))
            return texts[i].text;
    return NULL;
}

const char *keyword_text(enum keyword keyword, struct str language)
{
    const char *text = text_in(keyword, language);
    return text ? text : text_in(keyword, STR("en"));
}

bool keyword_language(struct str language)
{
    return text_in(KEYWORD_STOP, language) != NULL;
}
