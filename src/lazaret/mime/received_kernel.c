/* Reads Received fields that are ASCII and of a known form: what mime/received.py does, for machines with a C compiler.

   The formats come from mime/received_formats.py as small programs (mime/received_program.py). Where a program, or a
   field, holds what is not known here, read() says so with None, and Python does all of it; what is read here gives the
   same: tests/mime/test_received_program.py compares the two.

   Safety: a line has at most LINE octets, and a NUL after them; every step looks at places between 0 and its length.
   A program goes back over a line as a regular expression would, by recursion that is as deep as the program is long,
   and gives up (None) when that takes more than STEPS steps. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <string.h>

#define INTERFACE 1
#define LINE 8192
#define LONGEST 40    /* operations of a program */
#define STEPS 20000   /* of all programs over one line, and octets that they skip, by 16 */

enum operation {
    /* As in received_program.py, which says what they stand for. */
    LITERAL, WORD, ADDRESS, LAZY, GREEDY, OPTIONAL, NEITHER, GREETING, IDENT, ATOMIC_IDENT, PORT, BOUNDARY, END,
    SENDER_COMMENT, QMAIL_WITH, DOTTED, ZONE, VERSION, UNKNOWN, OPERATIONS,
};

static const char *const operation_names[OPERATIONS] = {
    "literal", "word", "address", "lazy", "greedy", "optional", "neither", "greeting", "ident", "atomic ident", "port",
    "boundary", "end", "sender comment", "qmail with", "dotted", "zone", "version", "unknown",
};

enum group { IP, RDNS, HELO, BY, IDENTITY, ENVFROM, ID, NAME, DETAILS, GROUPS };

static const char *const group_names[GROUPS] = {
    "ip", "rdns", "helo", "by", "ident", "envfrom", "id", "name", "details",
};

typedef struct {
    int code;
    int group; /* -1: none */
    int least;
    int most;  /* 0: any */
    const char *text;
    Py_ssize_t length;
} Operation;

typedef struct {
    Operation *operations;
    Py_ssize_t count;
    const char *hint, *absent;
    Py_ssize_t hint_length, absent_length;
    PyObject *outcome; /* NULL: a relay */
    int looked_up;
    unsigned groups;
} Row;

typedef struct {
    const char *prefix;
    Py_ssize_t length;
    Row *rows;
    Py_ssize_t count;
} Shape;

typedef struct {
    PyObject_HEAD
    PyObject *settings; /* what all pointers to text point into */
    PyObject *relay_type;
    PyObject *ignored;
    PyObject *authentication;
    PyObject *bare_address;
    PyObject *hints; /* of authentication */
    Shape *shapes;
    Py_ssize_t count;
} Reader;

static PyTypeObject ReaderType;

typedef struct {
    const char *text;
    Py_ssize_t length;
    Py_ssize_t starts[GROUPS], ends[GROUPS]; /* -1: not there */
    long steps;
    int unsure;
} Match;

static int
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char
lower(char c)
{
    return (char)(c | ((c >= 'A' && c <= 'Z') << 5));
}

static int
is_word(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
}

static int
is_hex(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/* Looks for the octet of `wanted` that is the rarest by its kind: memmem() is slow in texts as short as these. */
static const char *
find(const char *text, Py_ssize_t length, const char *wanted, Py_ssize_t wanted_length)
{
    Py_ssize_t anchor = 0;
    if (length < wanted_length)
        return NULL;
    if (!wanted_length)
        return text;
    for (Py_ssize_t at = 0; at < wanted_length; at++) {
        char c = wanted[at];
        if (c != ' ' && !(c >= 'a' && c <= 'z')) {
            anchor = at;
            break;
        }
        if (wanted[anchor] == ' ')
            anchor = at;
    }
    const char *at = text + anchor, *last = text + length - wanted_length + anchor;
    for (; at <= last && (at = memchr(at, wanted[anchor], (size_t)(last - at + 1))); at++)
        if (at[-anchor] == *wanted && memcmp(at - anchor, wanted, (size_t)wanted_length) == 0)
            return at - anchor;
    return NULL;
}

#define FIND(text, length, wanted) find((text), (length), wanted, (Py_ssize_t)sizeof(wanted) - 1)

/* `prefix` in lower case. */
static int
begins(const char *text, Py_ssize_t length, const char *prefix, int any_case)
{
    Py_ssize_t wanted = (Py_ssize_t)strlen(prefix);
    if (length < wanted)
        return 0;
    if (!any_case)
        return memcmp(text, prefix, (size_t)wanted) == 0;
    for (Py_ssize_t at = 0; at < wanted; at++)
        if (lower(text[at]) != prefix[at])
            return 0;
    return 1;
}

/* -- Matching -- */

/* After an octet of a dotted quad; -1: there is none. */
static Py_ssize_t
quad_octet(const Match *m, Py_ssize_t at)
{
    const char *t = m->text;
    Py_ssize_t first = at;
    while (at < m->length && at - first < 4 && is_digit(t[at]))
        at++;
    Py_ssize_t digits = at - first;
    if (digits == 0 || digits > 3 || (digits > 1 && t[first] == '0'))
        return -1;
    if (digits == 3 && (t[first] - '0') * 100 + (t[first + 1] - '0') * 10 + (t[first + 2] - '0') > 255)
        return -1;
    return at;
}

/* After an address; -1: there is none. What only a regular expression can tell makes it unsure. */
static Py_ssize_t
address(Match *m, Py_ssize_t at)
{
    const char *t = m->text;
    Py_ssize_t end = at;
    for (int part = 0; part < 4; part++) {
        end = quad_octet(m, end);
        if (end < 0)
            break;
        if (part < 3) {
            if (end >= m->length || t[end] != '.') {
                end = -1;
                break;
            }
            end++;
        }
    }
    if (end >= 0 && !(end < m->length && is_word(t[end])))
        return end;
    end = at;
    if (begins(t + at, m->length - at, "ipv6:", 1))
        end += 5;
    Py_ssize_t first = end;
    while (end < m->length && is_hex(t[end]))
        end++;
    if (end >= m->length || t[end] != ':')
        return -1;
    while (end < m->length && end - first < 39 && (is_hex(t[end]) || t[end] == ':'))
        end++;
    if (end - first < 2 || (end < m->length && (is_hex(t[end]) || t[end] == ':' || t[end] == '.'))) {
        m->unsure = 1;
        return -1;
    }
    return end;
}

static int
is_boundary(const Match *m, Py_ssize_t at)
{
    int before = at > 0 && is_word(m->text[at - 1]), after = at < m->length && is_word(m->text[at]);
    return before != after;
}

static Py_ssize_t
word_end(const Match *m, Py_ssize_t at)
{
    const char *space = at < m->length ? memchr(m->text + at, ' ', (size_t)(m->length - at)) : NULL;
    return space ? space - m->text : m->length;
}

static void
take(Match *m, int group, Py_ssize_t start, Py_ssize_t end)
{
    if (group >= 0) {
        m->starts[group] = start;
        m->ends[group] = end;
    }
}

/* (?:(?> \(.+?\) with )| with )(?:.* )?(?:SMTP|QMQP)(?! id ) */
static int
qmail_with(const Match *m, Py_ssize_t at)
{
    const char *t = m->text;
    Py_ssize_t left = m->length - at;
    if (begins(t + at, left, " (", 0) && left > 3) {
        const char *closed = FIND(t + at + 3, left - 3, ") with ");
        if (!closed)
            return 0;
        at = closed + 7 - t;
    }
    else if (begins(t + at, left, " with ", 0))
        at += 6;
    else
        return 0;
    for (Py_ssize_t word = at; word < m->length; word = word_end(m, word) + 1) {
        left = m->length - word;
        if ((begins(t + word, left, "SMTP", 0) || begins(t + word, left, "QMQP", 0))
            && !begins(t + word + 4, left - 4, " id ", 0))
            return 1;
    }
    return 0;
}

/* (?=.*TEXT(?:\([^)]+\) )?\d+\.[\d.]+(?: |$)), the comment only where `most` says so */
static int
has_version(Match *m, Py_ssize_t at, const Operation *operation)
{
    const char *t = m->text, *end = t + m->length, *found = t + at;
    while ((found = find(found, end - found, operation->text, operation->length))) {
        const char *number = found += operation->length;
        if (operation->most && number < end && *number == '(') {
            const char *closed = memchr(number, ')', (size_t)(end - number));
            m->steps -= ((closed ? closed : end) - number) / 16;
            if (closed && closed > number + 1 && end - closed > 1 && closed[1] == ' ')
                number = closed + 2;
        }
        const char *dot = number;
        while (dot < end && is_digit(*dot))
            dot++;
        if (dot == number || dot == end || *dot != '.')
            continue;
        const char *after = dot + 1;
        while (after < end && (is_digit(*after) || *after == '.'))
            after++;
        if (after > dot + 1 && (after == end || *after == ' '))
            return 1;
    }
    return 0;
}

static int match_from(Match *m, const Row *row, Py_ssize_t number, Py_ssize_t at);

/* A group of any text up to the next operations, the shortest first or the longest. */
static int
match_any(Match *m, const Row *row, Py_ssize_t number, Py_ssize_t at)
{
    const Operation *operation = &row->operations[number];
    const Operation *next = number + 1 < row->count ? operation + 1 : NULL;
    int literal = next && next->code == LITERAL && next->length > 0;
    int lazy = operation->code == LAZY;
    if (!lazy)
        m->steps -= (m->length - at) / 16;
    for (Py_ssize_t end = lazy ? at : m->length; lazy ? end <= m->length : end >= at; end += lazy ? 1 : -1) {
        if (literal) {
            if (lazy) {
                const char *found = find(m->text + end, m->length - end, next->text, next->length);
                if (!found)
                    return 0;
                m->steps -= (found - (m->text + end)) / 16;
                end = found - m->text;
            }
            else if (m->length - end < next->length || memcmp(m->text + end, next->text, (size_t)next->length))
                continue;
        }
        take(m, operation->group, at, end);
        if (match_from(m, row, number + 1, end))
            return 1;
        if (m->unsure)
            return 0;
    }
    return 0;
}

static int
among(const Operation *operation, char c)
{
    for (Py_ssize_t at = 0; at < operation->length; at++)
        if (operation->text[at] == c)
            return 1;
    return 0;
}

/* Octets that are none of some, as many as there are first; for a word nothing but a space. */
static int
match_run(Match *m, const Row *row, Py_ssize_t number, Py_ssize_t at)
{
    const Operation *operation = &row->operations[number];
    const Operation *next = number + 1 < row->count ? operation + 1 : NULL;
    Py_ssize_t end = at;
    if (operation->code == WORD)
        end = word_end(m, at);
    else
        while (end < m->length && (!operation->most || end - at < operation->most)
               && !among(operation, m->text[end]))
            end++;
    m->steps -= (end - at) / 16;
    Py_ssize_t shortest = at + operation->least;
    int literal = next && next->code == LITERAL && next->length > 0;
    for (; end >= shortest; end--) {
        if (literal && (end >= m->length || m->text[end] != *next->text))
            continue;
        take(m, operation->group, at, end);
        if (match_from(m, row, number + 1, end))
            return 1;
        if (m->unsure)
            return 0;
    }
    return 0;
}

static int
match_ident(Match *m, const Row *row, Py_ssize_t number, Py_ssize_t at)
{
    const char *t = m->text;
    int atomic = row->operations[number].code == ATOMIC_IDENT;
    Py_ssize_t end = word_end(m, at);
    if (atomic) {
        Py_ssize_t sign = end - 1;
        while (sign >= at && t[sign] != '@')
            sign--;
        if (sign >= at + row->operations[number].least) {
            take(m, IDENTITY, at, sign);
            return match_from(m, row, number + 1, sign + 1);
        }
        return match_from(m, row, number + 1, at);
    }
    const char *sign = end > at ? memchr(t + at, '@', (size_t)(end - at)) : NULL;
    if (sign) {
        for (int tagged = begins(t + at, end - at, "IDENT:", 0); tagged >= 0; tagged--) {
            take(m, IDENTITY, at + 6 * tagged, sign - t);
            if (match_from(m, row, number + 1, sign - t + 1))
                return 1;
            if (m->unsure)
                return 0;
        }
    }
    take(m, IDENTITY, -1, -1);
    return match_from(m, row, number + 1, at);
}

static int
holds(const Match *m, const Row *row)
{
    return find(m->text, m->length, row->hint, row->hint_length)
           && !(row->absent_length && find(m->text, m->length, row->absent, row->absent_length));
}

/* Whether what comes next begins with nothing that an address or a port holds. */
static int
begins_otherwise(const Row *row, Py_ssize_t number)
{
    for (; number < row->count; number++) {
        const Operation *next = &row->operations[number];
        if (next->code == ZONE)
            continue; /* begins with % where it is there */
        if ((next->code != LITERAL && next->code != OPTIONAL) || !next->length || is_hex(*next->text)
            || *next->text == '.' || *next->text == ':')
            return 0;
        if (next->code == LITERAL)
            return 1;
    }
    return 0;
}

static int
match_from(Match *m, const Row *row, Py_ssize_t number, Py_ssize_t at)
{
    const char *t = m->text;
    for (; number < row->count; number++) {
        const Operation *operation = &row->operations[number];
        Py_ssize_t left = m->length - at;
        if (--m->steps < 0) {
            m->unsure = 1;
            return 0;
        }
        switch (operation->code) {
        case LITERAL:
            if (left < operation->length || memcmp(t + at, operation->text, (size_t)operation->length))
                return 0;
            take(m, operation->group, at, at + operation->length);
            at += operation->length;
            break;
        case WORD:
        case NEITHER:
            return match_run(m, row, number, at);
        case ADDRESS: {
            Py_ssize_t end = address(m, at);
            if (end < 0)
                return 0;
            take(m, operation->group, at, end);
            if (!memchr(t + at, ':', (size_t)(end - at))) {
                at = end;
                break;
            }
            if (match_from(m, row, number + 1, end))
                return 1;
            m->unsure |= !begins_otherwise(row, number + 1); /* a shorter one may do */
            return 0;
        }
        case LAZY:
        case GREEDY:
            return match_any(m, row, number, at);
        case OPTIONAL:
            if (left >= operation->length && memcmp(t + at, operation->text, (size_t)operation->length) == 0) {
                if (match_from(m, row, number + 1, at + operation->length))
                    return 1;
                if (m->unsure)
                    return 0;
            }
            break;
        case GREETING:
            if (left < 4 || !(t[at] == 'E' || t[at] == 'H') || !(t[at + 1] == 'E' || t[at + 1] == 'H')
                || t[at + 2] != 'L' || t[at + 3] != 'O')
                return 0;
            at += 4;
            break;
        case IDENT:
        case ATOMIC_IDENT:
            return match_ident(m, row, number, at);
        case PORT: { /* (?:[.:]\d+)?, with what stands before the digits in `text` */
            Py_ssize_t end = at + 1;
            while (end < m->length && is_digit(t[end]))
                end++;
            if (left > 1 && end > at + 1 && memchr(operation->text, t[at], (size_t)operation->length)) {
                if (match_from(m, row, number + 1, end))
                    return 1;
                m->unsure |= !begins_otherwise(row, number + 1);
                return 0;
            }
            break;
        }
        case BOUNDARY:
            if (!is_boundary(m, at))
                return 0;
            break;
        case END:
            if (left)
                return 0;
            break;
        case SENDER_COMMENT: { /* (?: \(envelope-sender <\S+>\))? and then a space */
            static const char opened[] = " (envelope-sender <";
            if (begins(t + at, left, opened, 0)) {
                Py_ssize_t start = at + (Py_ssize_t)sizeof(opened) - 1, end = word_end(m, start);
                if (end - start >= 3 && t[end - 2] == '>' && t[end - 1] == ')') {
                    if (match_from(m, row, number + 1, end))
                        return 1;
                    if (m->unsure)
                        return 0;
                }
            }
            break;
        }
        case QMAIL_WITH:
            if (number + 1 != row->count || !qmail_with(m, at))
                return 0;
            break;
        case DOTTED: { /* (?=[^\s.\[]+\.) */
            Py_ssize_t end = at;
            while (end < m->length && t[end] != ' ' && t[end] != '.' && t[end] != '[')
                end++;
            if (end == at || end >= m->length || t[end] != '.')
                return 0;
            break;
        }
        case ZONE: { /* (?:%[\w.~-]*)? and then what begins with none of these */
            Py_ssize_t end = at + 1;
            if (!left || t[at] != '%')
                break;
            while (end < m->length && (is_word(t[end]) || t[end] == '.' || t[end] == '~' || t[end] == '-'))
                end++;
            if (!match_from(m, row, number + 1, end))
                return 0;
            return 1;
        }
        case VERSION:
            if (!has_version(m, at, operation))
                return 0;
            take(m, operation->group, at, at);
            break;
        default:
            m->unsure = 1;
            return 0;
        }
    }
    return 1;
}

/* -- One field -- */

typedef struct {
    char octets[LINE + 1];
    Py_ssize_t length;
} Line;

/* Blanks as one space each, none at the end and no semicolon there; 0: it is not ASCII. */
static int
collapse(Line *line, const signed char *value, Py_ssize_t length)
{
    Py_ssize_t count = 0;
    int blank = 0;
    for (const signed char *c = value, *end = value + length; c < end; c++) {
        if (*c > ' ' || (*c >= 0 && *c < '\t') || (*c > '\r' && *c < ' ')) {
            if (blank)
                line->octets[count++] = ' '; /* never more than the value has: it stands for a blank of it */
            blank = 0;
            line->octets[count++] = (char)*c;
        }
        else if (*c < 0)
            return 0;
        else
            blank = count > 0;
    }
    while (count > 0 && (line->octets[count - 1] == ' ' || line->octets[count - 1] == ';'))
        count--;
    line->octets[count] = 0;
    line->length = count;
    return 1;
}

/* from (not [1.2.3.4]) by word; */
static int
is_bare_handover(const Line *line)
{
    Match m = {.text = line->octets, .length = line->length};
    const char *t = line->octets;
    Py_ssize_t at = 5, end = word_end(&m, at);
    if (end == at || end >= m.length)
        return 0;
    if (t[at] == '[' && t[end - 1] == ']' && end - at > 2) {
        Py_ssize_t quad = at + 1;
        while (quad < end - 1 && (is_digit(t[quad]) || t[quad] == '.'))
            quad++;
        if (quad == end - 1)
            return 0;
    }
    if (!begins(t + end, m.length - end, " by ", 1))
        return 0;
    at = end += 4;
    while (end < m.length && t[end] != ' ' && t[end] != ';')
        end++;
    if (end == at)
        return 0;
    return t[end] == ';' || (t[end] == ' ' && t[end + 1] == ';'); /* a NUL stands at the end */
}

static Py_ssize_t
digits(const char *t, Py_ssize_t at)
{
    Py_ssize_t end = at;
    while (is_digit(t[end]))
        end++;
    return end > at ? end : -1;
}

/* Whether from here to the end of the line stands a date, a blank or semicolon first. */
static int
is_date(const Line *line, Py_ssize_t at)
{
    static const char days[] = "Mon, Tue, Wed, Thu, Fri, Sat, Sun, ";
    static const char months[] = " Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
    const char *t = line->octets;
    if (t[at] != ' ' && t[at] != ';')
        return 0;
    at++;
    for (const char *day = days; *day; day += 5)
        if (strncmp(t + at, day, 5) == 0) {
            at += 5;
            break;
        }
    if ((at = digits(t, at)) < 0)
        return 0;
    const char *month = months;
    while (month[1] && strncmp(t + at, month, 5) != 0)
        month += 4;
    if (!month[1])
        return 0;
    if ((at = digits(t, at + 5)) < 0 || t[at] != ' ' || (at = digits(t, at + 1)) < 0)
        return 0;
    if (t[at] != ':' || (at = digits(t, at + 1)) < 0)
        return 0;
    if (t[at] == ':' && (at = digits(t, at + 1)) < 0)
        return 0;
    if (t[at] != ' ' || !t[at + 1])
        return 0;
    at++;
    return !memchr(t + at, ' ', (size_t)(line->length - at));
}

static void
cut_date(Line *line)
{
    char *t = line->octets;
    Py_ssize_t space = line->length;
    while (space > 0 && t[space - 1] != ' ')
        space--;
    if (--space < 0)
        return;
    Py_ssize_t first = space > 7 ? space - 7 : 0;
    if (!memchr(t + first, ':', (size_t)(space - first)))
        return;
    Py_ssize_t start = line->length > 80 ? line->length - 80 : 0;
    for (Py_ssize_t at = line->length - 1; at > start; at--)
        if (t[at] == ';') {
            start = at;
            break;
        }
    for (; start < line->length; start++)
        if (is_date(line, start)) {
            while (start > 0 && (t[start - 1] == ' ' || t[start - 1] == ';'))
                start--;
            line->length = start;
            t[start] = 0;
            return;
        }
}

/* (?:return-path:? |envelope-(?:sender|from)[ =])(\S+)\b in any case: whether it is there. */
static int
find_sender(const Match *m, Py_ssize_t *start, Py_ssize_t *end)
{
    const char *t = m->text;
    const char *hyphen = t;
    for (; (hyphen = memchr(hyphen, '-', (size_t)(t + m->length - hyphen))); hyphen++) {
        Py_ssize_t at = hyphen - t, left = m->length - at, after;
        if (at >= 6 && begins(hyphen - 6, 6, "return", 1) && begins(hyphen, left, "-path", 1)) {
            after = at + 5 + (left > 5 && hyphen[5] == ':');
            if (after >= m->length || t[after] != ' ')
                continue;
        }
        else if (at >= 8 && begins(hyphen - 8, 8, "envelope", 1)) {
            if (begins(hyphen, left, "-sender", 1))
                after = at + 7;
            else if (begins(hyphen, left, "-from", 1))
                after = at + 5;
            else
                continue;
            if (after >= m->length || (t[after] != ' ' && t[after] != '='))
                continue;
        }
        else
            continue;
        *start = after + 1;
        for (*end = word_end(m, *start); *end > *start; --*end)
            if (is_boundary(m, *end))
                return 1;
    }
    return 0;
}

/* -- What becomes of it -- */

static PyObject *
text_of(const char *text, Py_ssize_t length)
{
    PyObject *made = PyUnicode_New(length, 127);
    if (made && length)
        memcpy(PyUnicode_1BYTE_DATA(made), text, (size_t)length);
    return made;
}

static const char unsafe[128] = {
    [' '] = 1, ['#'] = 1, ['['] = 1, [']'] = 1, ['('] = 1, [')'] = 1, ['<'] = 1, ['>'] = 1, ['|'] = 1,
};

/* What would break the string form becomes an exclamation mark. */
static PyObject *
safe_text(const char *text, Py_ssize_t length)
{
    PyObject *made = text_of(text, length);
    for (Py_ssize_t at = 0; made && at < length; at++)
        if (unsafe[text[at] & 127])
            PyUnicode_1BYTE_DATA(made)[at] = '!';
    return made;
}

static PyObject *
tidy_sender(const char *text, Py_ssize_t length)
{
    for (; length && *text == '<'; text++)
        length--;
    while (length && text[length - 1] == '>')
        length--;
    return safe_text(text, length);
}

/* What stands after `label` up to a space: the first of at least `least` octets. -1: there is none. */
static Py_ssize_t
find_detail(const Match *m, int group, const char *label, int least, Py_ssize_t *start)
{
    Py_ssize_t at = m->starts[group], end = m->ends[group], length = (Py_ssize_t)strlen(label);
    for (;;) {
        const char *found = find(m->text + at, end - at, label, length);
        if (!found)
            return -1;
        at = found + length - m->text;
        const char *space = memchr(m->text + at, ' ', (size_t)(end - at));
        Py_ssize_t word = space ? space - m->text : end;
        if (word - at >= least) {
            *start = at;
            return word;
        }
    }
}

/* ` id <?([^\s<>;]{3,})` */
static PyObject *
message_id(const Line *line)
{
    const char *t = line->octets, *found = t;
    while ((found = FIND(found, t + line->length - found, " id "))) {
        const char *start = found + 4 + (found[4] == '<'), *end = start;
        while (*end && *end != ' ' && *end != '<' && *end != '>' && *end != ';')
            end++; /* a NUL of the field ends it too soon: such lines are left to Python */
        if (end - start >= 3)
            return text_of(start, end - start);
        found++;
    }
    return text_of("", 0);
}

/* Whether the line may tell of a login: only then is Python asked. */
static int
may_authenticate(Reader *self, const Line *line)
{
    const char *t = line->octets, *end = t + line->length, *found = t;
    while ((found = FIND(found, end - found, " with "))) {
        found += 5;
        for (const char *word = found + 1; *word && *word != ' ' && *word != ';'; word++)
            if (lower(*word) == 'a' || (word == found + 1 && lower(*word) == 'h'))
                return 1;
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(self->hints); at++) {
        PyObject *hint = PyTuple_GET_ITEM(self->hints, at);
        if (find(t, line->length, PyBytes_AS_STRING(hint), PyBytes_GET_SIZE(hint)))
            return 1;
    }
    return 0;
}

static PyObject *
authentication(Reader *self, const Line *line)
{
    if (!may_authenticate(self, line))
        return text_of("", 0);
    PyObject *text = text_of(line->octets, line->length);
    PyObject *made = text ? PyObject_CallOneArg(self->authentication, text) : NULL;
    Py_XDECREF(text);
    return made;
}

/* The bare address as a text; None: it is none after all. */
static PyObject *
address_of(Reader *self, const Match *m)
{
    PyObject *text = text_of(m->text + m->starts[IP], m->ends[IP] - m->starts[IP]);
    if (!text || !memchr(m->text + m->starts[IP], ':', (size_t)(m->ends[IP] - m->starts[IP])))
        return text;
    PyObject *bare = PyObject_CallOneArg(self->bare_address, text);
    Py_DECREF(text);
    return bare;
}

#define PART(group) m->text + m->starts[group], m->ends[group] - m->starts[group]

static PyObject *
relay(Reader *self, const Row *row, const Line *line, Match *m, PyObject *ip, Py_ssize_t sender, Py_ssize_t sender_end)
{
    if (!(row->groups & 1u << HELO)) {
        m->starts[HELO] = m->starts[NAME];
        m->ends[HELO] = m->ends[NAME];
    }
    if (m->starts[DETAILS] >= 0 && m->ends[DETAILS] > m->starts[DETAILS]) {
        Py_ssize_t start, end = find_detail(m, DETAILS, "helo=", 1, &start);
        if (end >= 0)
            take(m, HELO, start, end);
        start = m->starts[DETAILS];
        end = find_detail(m, DETAILS, "ident=", 0, &start);
        take(m, IDENTITY, start, end >= 0 ? end : start);
    }
    if (m->starts[HELO] < 0)
        Py_RETURN_NONE;
    for (int group = RDNS; group <= IDENTITY; group++) /* HELO and BY are there, as far as a relay tells them */
        if (m->starts[group] < 0)
            take(m, group, 0, 0);
    if (m->starts[RDNS] == m->ends[RDNS] && m->starts[NAME] >= 0)
        take(m, RDNS, m->starts[NAME], m->ends[NAME]);
    while (m->ends[RDNS] > m->starts[RDNS] && m->text[m->ends[RDNS] - 1] == '.')
        m->ends[RDNS]--;
    Py_ssize_t length = m->ends[RDNS] - m->starts[RDNS];
    if (length && (m->text[m->starts[RDNS]] == '[' || (length == 7 && begins(PART(RDNS), "unknown", 1)))) {
        m->ends[RDNS] = m->starts[RDNS];
        length = 0;
    }
    if (m->ends[BY] > m->starts[BY] && m->text[m->ends[BY] - 1] == ';')
        m->ends[BY]--;
    PyObject *fields[11] = {
        Py_NewRef(ip),
        safe_text(PART(RDNS)),
        safe_text(PART(HELO)),
        safe_text(PART(BY)),
        safe_text(PART(IDENTITY)),
        m->starts[ENVFROM] >= 0 && m->ends[ENVFROM] > m->starts[ENVFROM] ? tidy_sender(PART(ENVFROM))
        : sender >= 0 ? tidy_sender(m->text + sender, sender_end - sender) : Py_NewRef(Py_None),
        Py_NewRef(Py_False),
        m->starts[ID] >= 0 ? text_of(PART(ID)) : message_id(line),
        NULL,
        Py_NewRef(Py_False),
        Py_NewRef(row->looked_up && !length ? Py_True : Py_False),
    };
    fields[8] = authentication(self, line);
    PyObject *made = NULL, *tuple = PyTuple_New(11);
    int complete = tuple != NULL;
    for (int at = 0; at < 11; at++) {
        complete = complete && fields[at];
        if (tuple && fields[at])
            PyTuple_SET_ITEM(tuple, at, fields[at]);
        else
            Py_XDECREF(fields[at]);
    }
    if (complete) {
        PyObject *arguments = PyTuple_Pack(1, tuple);
        if (arguments)
            made = PyTuple_Type.tp_new((PyTypeObject *)self->relay_type, arguments, NULL);
        Py_XDECREF(arguments);
    }
    Py_XDECREF(tuple);
    return made;
}

/* No format is that of the line: what is left to do takes the line and the sender that it tells. */
static PyObject *
no_format(const Line *line, const Match *m, Py_ssize_t sender, Py_ssize_t sender_end)
{
    PyObject *envfrom = sender >= 0 ? text_of(m->text + sender, sender_end - sender) : Py_NewRef(Py_None);
    PyObject *text = text_of(line->octets, line->length), *made = NULL;
    if (envfrom && text)
        made = PyTuple_Pack(2, text, envfrom);
    Py_XDECREF(envfrom);
    Py_XDECREF(text);
    return made;
}

static PyObject *
try_rows(Reader *self, const Line *line)
{
    Match m = {.text = line->octets + 5, .length = line->length - 5, .steps = STEPS};
    Py_ssize_t sender = -1, sender_end = -1;
    if (!find_sender(&m, &sender, &sender_end))
        sender = -1;
    Py_ssize_t space = word_end(&m, 0), second = space < m.length ? space + 1 : 0;
    for (Py_ssize_t shape = 0; shape < self->count; shape++) {
        if (m.length - second < self->shapes[shape].length
            || memcmp(m.text + second, self->shapes[shape].prefix, (size_t)self->shapes[shape].length))
            continue;
        for (Py_ssize_t number = 0; number < self->shapes[shape].count; number++) {
            const Row *row = &self->shapes[shape].rows[number];
            memset(m.starts, -1, sizeof m.starts);
            memset(m.ends, -1, sizeof m.ends);
            int found = match_from(&m, row, 0, 0);
            if (m.steps < 0)
                Py_RETURN_NONE;
            if (!(found || m.unsure) || !holds(&m, row))
                found = m.unsure = 0;
            if (m.unsure)
                Py_RETURN_NONE;
            if (!found)
                continue;
            if (row->outcome)
                return Py_NewRef(row->outcome);
            if (m.starts[IP] < 0)
                Py_RETURN_NONE;
            PyObject *ip = address_of(self, &m);
            if (ip == Py_None) {
                Py_DECREF(ip);
                continue;
            }
            PyObject *made = ip ? relay(self, row, line, &m, ip, sender, sender_end) : NULL;
            Py_XDECREF(ip);
            return made;
        }
        break;
    }
    return no_format(line, &m, sender, sender_end);
}

PyDoc_STRVAR(read_doc, "read(value): what it says; None: Python must read it; (line, sender): it is of no known format.");

static PyObject *
reader_read(Reader *self, PyObject *value)
{
    if (!PyBytes_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "a value is bytes");
        return NULL;
    }
    Py_ssize_t length = PyBytes_GET_SIZE(value) < LINE ? PyBytes_GET_SIZE(value) : LINE;
    Line line;
    if (!collapse(&line, (const signed char *)PyBytes_AS_STRING(value), length) || memchr(line.octets, 0, (size_t)line.length))
        Py_RETURN_NONE;
    if (!begins(line.octets, line.length, "from ", 1) && !begins(line.octets, line.length, "(from ", 1))
        return Py_NewRef(self->ignored);
    if (!begins(line.octets, line.length, "from ", 0) || FIND(line.octets, line.length, ")by "))
        Py_RETURN_NONE;
    if (FIND(line.octets, line.length, " with local for") || is_bare_handover(&line))
        return Py_NewRef(self->ignored);
    cut_date(&line);
    if (line.length < 5)
        Py_RETURN_NONE;
    return try_rows(self, &line);
}

/* -- Programs -- */

/* The number of a name in a list; -1 with ValueError set. */
static int
number_of(PyObject *name, const char *const *names, int count)
{
    const char *wanted = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    for (int number = 0; wanted && number < count; number++)
        if (strcmp(wanted, names[number]) == 0)
            return number;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "%R is not known here", name);
    return -1;
}

static int
read_operation(Operation *to, PyObject *tuple)
{
    PyObject *code, *group;
    if (!PyArg_ParseTuple(tuple, "OOiiy#", &code, &group, &to->least, &to->most, &to->text, &to->length))
        return -1;
    to->code = number_of(code, operation_names, OPERATIONS);
    to->group = -1;
    if (to->code < 0 || (group != Py_None && (to->group = number_of(group, group_names, GROUPS)) < 0))
        return -1;
    if (to->least < 0 || to->most < 0 || (to->code == OPTIONAL && !to->length)) {
        PyErr_SetString(PyExc_ValueError, "such an operation would be none");
        return -1;
    }
    return 0;
}

static int
read_row(Row *to, PyObject *tuple)
{
    PyObject *operations, *outcome;
    if (!PyArg_ParseTuple(tuple, "O!y#y#Op", &PyTuple_Type, &operations, &to->hint, &to->hint_length, &to->absent,
                          &to->absent_length, &outcome, &to->looked_up))
        return -1;
    to->outcome = outcome == Py_None ? NULL : outcome;
    Py_ssize_t count = PyTuple_GET_SIZE(operations);
    if (count > LONGEST) {
        PyErr_SetString(PyExc_ValueError, "a program is too long");
        return -1;
    }
    to->operations = PyMem_Calloc((size_t)count + 1, sizeof(Operation));
    if (!to->operations) {
        PyErr_NoMemory();
        return -1;
    }
    for (; to->count < count; to->count++) {
        Operation *operation = &to->operations[to->count];
        if (read_operation(operation, PyTuple_GET_ITEM(operations, to->count)) < 0)
            return -1;
        if (operation->group >= 0)
            to->groups |= 1u << operation->group;
    }
    return 0;
}

static int
read_shape(Shape *to, PyObject *tuple)
{
    PyObject *rows;
    if (!PyArg_ParseTuple(tuple, "y#O!", &to->prefix, &to->length, &PyTuple_Type, &rows))
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(rows);
    to->rows = PyMem_Calloc((size_t)count + 1, sizeof(Row));
    if (!to->rows) {
        PyErr_NoMemory();
        return -1;
    }
    for (; to->count < count; to->count++)
        if (read_row(&to->rows[to->count], PyTuple_GET_ITEM(rows, to->count)) < 0) {
            PyMem_Free(to->rows[to->count].operations);
            return -1;
        }
    return 0;
}

static void
reader_dealloc(Reader *self)
{
    for (Py_ssize_t shape = 0; self->shapes && shape < self->count; shape++) {
        for (Py_ssize_t row = 0; self->shapes[shape].rows && row < self->shapes[shape].count; row++)
            PyMem_Free(self->shapes[shape].rows[row].operations);
        PyMem_Free(self->shapes[shape].rows);
    }
    PyMem_Free(self->shapes);
    Py_XDECREF(self->settings);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

PyDoc_STRVAR(reader_doc, "Reader(shapes, relay_type, ignored, authentication, bare_address, hints)");

static PyObject *
reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    Reader *self = (Reader *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    PyObject *shapes;
    self->settings = Py_NewRef(args);
    if (!PyArg_ParseTuple(args, "O!O!OOOO!", &PyTuple_Type, &shapes, &PyType_Type, &self->relay_type, &self->ignored,
                          &self->authentication, &self->bare_address, &PyTuple_Type, &self->hints))
        goto failed;
    if (!PyType_IsSubtype((PyTypeObject *)self->relay_type, &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "a relay is a tuple");
        goto failed;
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(self->hints); at++)
        if (!PyBytes_Check(PyTuple_GET_ITEM(self->hints, at))) {
            PyErr_SetString(PyExc_TypeError, "hints are bytes");
            goto failed;
        }
    Py_ssize_t count = PyTuple_GET_SIZE(shapes);
    self->shapes = PyMem_Calloc((size_t)count + 1, sizeof(Shape));
    if (!self->shapes) {
        PyErr_NoMemory();
        goto failed;
    }
    while (self->count < count) {
        self->count++;
        if (read_shape(&self->shapes[self->count - 1], PyTuple_GET_ITEM(shapes, self->count - 1)) < 0)
            goto failed;
    }
    return (PyObject *)self;
failed:
    Py_DECREF(self);
    return NULL;
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)reader_read, METH_O, read_doc},
    {NULL},
};

static PyTypeObject ReaderType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "lazaret.mime._received_kernel.Reader",
    .tp_doc = reader_doc,
    .tp_basicsize = sizeof(Reader),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = reader_new,
    .tp_dealloc = (destructor)reader_dealloc,
    .tp_methods = reader_methods,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_received_kernel",
    .m_size = -1,
};

PyMODINIT_FUNC
PyInit__received_kernel(void)
{
    if (PyType_Ready(&ReaderType) < 0)
        return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made && (PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0
                 || PyModule_AddObjectRef(made, "Reader", (PyObject *)&ReaderType) < 0))
        Py_CLEAR(made);
    return made;
}
