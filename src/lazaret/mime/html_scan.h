/* Characters, names, references and attributes of HTML: what html_kernel.c reads a page with.

   As in html_tokens.py and entities.py. A text is (kind, data, from, to): octets for each character, where they
   lie, and the places between which it stands; nothing is read at `to` or behind it. */

#include <stdlib.h>
#include <string.h>

typedef Py_ssize_t Place;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The same loop three times, each for characters of one size. */
#define BY_KIND(kind, function, ...)                                                                              \
    ((kind) == PyUnicode_1BYTE_KIND   ? function(PyUnicode_1BYTE_KIND, __VA_ARGS__)                               \
     : (kind) == PyUnicode_2BYTE_KIND ? function(PyUnicode_2BYTE_KIND, __VA_ARGS__)                               \
                                      : function(PyUnicode_4BYTE_KIND, __VA_ARGS__))

ALWAYS_INLINE Py_UCS4
at(int kind, const void *data, Place i)
{
    return PyUnicode_READ(kind, data, i);
}

ALWAYS_INLINE int
is_blank(Py_UCS4 c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

ALWAYS_INLINE int
is_letter(Py_UCS4 c)
{
    return (c | 32) - 'a' < 26;
}

ALWAYS_INLINE int
is_digit(Py_UCS4 c)
{
    return c - '0' < 10;
}

ALWAYS_INLINE Place
find_in(int kind, const void *data, Place from, Place to, Py_UCS4 wanted)
{
    if (kind == PyUnicode_1BYTE_KIND) {
        const char *start = (const char *)data + from, *found = to > from ? memchr(start, (int)wanted, to - from) : NULL;
        return found ? from + (found - start) : -1;
    }
    for (; from < to; from++)
        if (at(kind, data, from) == wanted)
            return from;
    return -1;
}

/* The place of the character; -1: there is none. */
static Place
find(int kind, const void *data, Place from, Place to, Py_UCS4 wanted)
{
    return BY_KIND(kind, find_in, data, from, to, wanted);
}

ALWAYS_INLINE Place
letters_in(int kind, const void *data, Place from, Place to)
{
    while (from < to && (is_letter(at(kind, data, from)) || is_digit(at(kind, data, from))))
        from++;
    return from;
}

static PyObject *
substring(int kind, const void *data, Place from, Place to)
{
    return PyUnicode_FromKindAndData(kind, (const char *)data + from * kind, to - from);
}

/* Text that grows; each character takes as many octets as the widest so far. */

typedef struct {
    int kind;
    void *data;
    Place length;
    Place room;
} Ink;

static int
ink_reserve(Ink *ink, Place more)
{
    if (more <= ink->room - ink->length)
        return 0;
    Place room = ink->length + more;
    room += room >> 1;
    if (more < 0 || room > PY_SSIZE_T_MAX / 8) {
        PyErr_NoMemory();
        return -1;
    }
    room = room < 256 ? 256 : room;
    void *data = PyMem_Realloc(ink->data, (size_t)room * ink->kind);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    ink->data = data;
    ink->room = room;
    return 0;
}

/* Copies characters into wider or equally wide ones. */
static void
copy_characters(int to_kind, void *to, Place at_place, int kind, const void *data, Place from, Place count)
{
    if (count <= 0)
        return;
    if (to_kind == kind) {
        memcpy((char *)to + at_place * kind, (const char *)data + from * kind, (size_t)count * kind);
        return;
    }
    if (to_kind == PyUnicode_2BYTE_KIND)
        for (Place i = 0; i < count; i++)
            ((Py_UCS2 *)to)[at_place + i] = (Py_UCS2)at(kind, data, from + i);
    else
        for (Place i = 0; i < count; i++)
            ((Py_UCS4 *)to)[at_place + i] = at(kind, data, from + i);
}

static int
ink_widen(Ink *ink, int kind)
{
    if (kind <= ink->kind)
        return 0;
    if (!ink->data) {
        ink->kind = kind;
        return 0;
    }
    void *data = PyMem_Malloc((size_t)ink->room * kind);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    copy_characters(kind, data, 0, ink->kind, ink->data, 0, ink->length);
    PyMem_Free(ink->data);
    ink->data = data;
    ink->kind = kind;
    return 0;
}

static int
ink_add(Ink *ink, int kind, const void *data, Place from, Place count)
{
    if (ink_widen(ink, kind) < 0 || ink_reserve(ink, count) < 0)
        return -1;
    copy_characters(ink->kind, ink->data, ink->length, kind, data, from, count);
    ink->length += count;
    return 0;
}

static int
ink_put(Ink *ink, Py_UCS4 c)
{
    int kind = c < 0x100 ? PyUnicode_1BYTE_KIND : c < 0x10000 ? PyUnicode_2BYTE_KIND : PyUnicode_4BYTE_KIND;
    if (ink_widen(ink, kind) < 0 || ink_reserve(ink, 1) < 0)
        return -1;
    PyUnicode_WRITE(ink->kind, ink->data, ink->length, c);
    ink->length++;
    return 0;
}

static void
ink_free(Ink *ink)
{
    PyMem_Free(ink->data);
    ink->data = NULL;
    ink->length = ink->room = 0;
}

/* Names: those of tags and attributes come again and again, so that the last ones are kept as objects. */

#define NAME_SLOTS 256
#define NAME_LENGTH 15

static struct {
    unsigned char length;
    char letters[NAME_LENGTH];
    PyObject *object;
} names[NAME_SLOTS];

static PyObject *lower_method; /* "lower" */

/* The name in lower case, a new reference. */
static PyObject *
lower_name(int kind, const void *data, Place from, Place to)
{
    char letters[NAME_LENGTH];
    unsigned int hash = 5381;
    Place length = to - from;
    for (Place i = 0; length <= NAME_LENGTH && i < length; i++) {
        Py_UCS4 c = at(kind, data, from + i);
        if (c >= 0x80)
            length = NAME_LENGTH + 1;
        else {
            letters[i] = (char)(c - 'A' < 26 ? c | 32 : c);
            hash = hash * 33 ^ (unsigned char)letters[i];
        }
    }
    if (length > NAME_LENGTH) {
        PyObject *name = substring(kind, data, from, to);
        PyObject *lower = name ? PyObject_CallMethodNoArgs(name, lower_method) : NULL;
        Py_XDECREF(name);
        return lower;
    }
    unsigned int slot = (hash ^ hash >> 8) % NAME_SLOTS;
    PyObject *known = names[slot].object;
    if (known && names[slot].length == length && !memcmp(names[slot].letters, letters, length))
        return Py_NewRef(known);
    PyObject *name = PyUnicode_FromStringAndSize(letters, length);
    if (!name)
        return NULL;
    names[slot].length = (unsigned char)length;
    memcpy(names[slot].letters, letters, length);
    names[slot].object = Py_NewRef(name);
    Py_XDECREF(known);
    return name;
}

/* References: entities.py says what they mean; what is rare is left to it. */

static struct {
    PyObject *always;         /* name -> character, also without a semicolon */
    PyObject *with_semicolon; /* name -> character */
    PyObject *in_text;        /* entities.in_text(text), in Python */
    PyObject *in_value;
    Place longest; /* of the names, in letters */
} references;

/* The character of a name, borrowed; NULL without an error: it is none. */
static PyObject *
named(PyObject *table, int kind, const void *data, Place from, Place to)
{
    if (to - from > references.longest)
        return NULL;
    PyObject *name = substring(kind, data, from, to);
    PyObject *found = name ? PyDict_GetItemWithError(table, name) : NULL;
    Py_XDECREF(name);
    return found;
}

static int
ink_add_object(Ink *ink, PyObject *text)
{
    return ink_add(ink, PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text));
}

/* Puts what a reference by number stands for; 0: it stands for nothing. */
static int
put_numbered(Ink *ink, int kind, const void *data, Place from, Place to, int base)
{
    while (from < to && at(kind, data, from) == '0')
        from++;
    if (to == from || to - from > 7)
        return 0;
    Py_UCS4 point = 0;
    for (; from < to; from++) {
        Py_UCS4 c = at(kind, data, from);
        point = point * base + (is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    if (point > 0x10FFFF || (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF))
        return 0;
    return ink_put(ink, point) < 0 ? -1 : 1;
}

/* Puts what a reference by name stands for, and what follows of it; 0: it stands for nothing. */
static int
put_named(Ink *ink, int kind, const void *data, Place from, Place to, int semicolon, int in_text)
{
    PyObject *found = named(references.always, kind, data, from, to);
    if (!found && semicolon && !PyErr_Occurred())
        found = named(references.with_semicolon, kind, data, from, to);
    if (found)
        return ink_add_object(ink, found) < 0 ? -1 : 1;
    Place most = to - from - 1 < references.longest ? to - from - 1 : references.longest;
    for (Place length = in_text ? most : 0; length > 1 && !PyErr_Occurred(); length--) {
        found = named(references.always, kind, data, from, from + length);
        if (!found)
            continue;
        Place rest = from + length;
        return ink_add_object(ink, found) < 0 || ink_add(ink, kind, data, rest, to - rest + semicolon) < 0 ? -1 : 1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* Whether a half of a pair of UTF-16 stands alone among the characters. */
static int
has_surrogate(const Ink *ink)
{
    for (Place i = 0; ink->kind > 1 && i < ink->length; i++)
        if ((at(ink->kind, ink->data, i) & ~0x7FFu) == 0xD800)
            return 1;
    return 0;
}

/* The text with its references replaced: entities.decode, or decode_value. */
static PyObject *
decoded(int kind, const void *data, Place from, Place to, int in_text)
{
    Ink ink = {.kind = kind};
    Place begin = from, i;
    int numbers = 0;
    if (ink_reserve(&ink, to - from) < 0)
        return NULL;
    while ((i = find(kind, data, from, to, '&')) >= 0) {
        if (ink_add(&ink, kind, data, from, i - from) < 0)
            goto failed;
        Place first = i + 1, end = first;
        int put = 0, base = 0;
        if (first < to && at(kind, data, first) == '#') {
            numbers = 1;
            base = ++first < to && (at(kind, data, first) | 32) == 'x' ? 16 : 10;
            first += base == 16;
            for (end = first; end < to; end++) {
                Py_UCS4 c = at(kind, data, end);
                if (!is_digit(c) && !(base == 16 && (c | 32) - 'a' < 6))
                    break;
            }
        }
        else
            end = BY_KIND(kind, letters_in, data, first, to);
        int semicolon = end > first && end < to && at(kind, data, end) == ';';
        if (end > first)
            put = base ? put_numbered(&ink, kind, data, first, end, base)
                       : put_named(&ink, kind, data, first, end, semicolon, in_text);
        from = end > first ? end + semicolon : i + 1;
        if (put < 0 || (!put && ink_add(&ink, kind, data, i, from - i) < 0))
            goto failed;
    }
    if (ink_add(&ink, kind, data, from, to - from) < 0)
        goto failed;
    PyObject *text;
    if (numbers && has_surrogate(&ink)) {
        PyObject *written = substring(kind, data, begin, to);
        text = written ? PyObject_CallOneArg(in_text ? references.in_text : references.in_value, written) : NULL;
        Py_XDECREF(written);
    }
    else
        text = substring(ink.kind, ink.data, 0, ink.length);
    ink_free(&ink);
    return text;
failed:
    ink_free(&ink);
    return NULL;
}

/* Attributes. */

/* The first place that is not blank; `to` when all are. */
ALWAYS_INLINE Place
skip_blanks(int kind, const void *data, Place from, Place to)
{
    while (from < to && is_blank(at(kind, data, from)))
        from++;
    return from;
}

ALWAYS_INLINE Place
skip_name(int kind, const void *data, Place from, Place to)
{
    for (; from < to; from++) {
        Py_UCS4 c = at(kind, data, from);
        if (c == '=' || c == '>' || is_blank(c))
            break;
    }
    return from;
}

ALWAYS_INLINE Place
skip_value(int kind, const void *data, Place from, Place to)
{
    for (; from < to; from++) {
        Py_UCS4 c = at(kind, data, from);
        if (c == '>' || is_blank(c))
            break;
    }
    return from;
}

/* Where the ">" of a start tag stands, from behind its name; -1: it has none, or a quote is never closed. */
ALWAYS_INLINE Place
tag_end_in(int kind, const void *data, Place i, Place to)
{
    for (;;) {
        i = skip_blanks(kind, data, i, to);
        if (i >= to)
            return -1;
        if (at(kind, data, i) == '>')
            return i;
        i = skip_blanks(kind, data, skip_name(kind, data, i + 1, to), to);
        if (i >= to || at(kind, data, i) != '=')
            continue;
        i = skip_blanks(kind, data, i + 1, to);
        if (i >= to)
            return -1;
        Py_UCS4 c = at(kind, data, i);
        if (c == '"' || c == '\'') {
            i = find_in(kind, data, i + 1, to, c);
            if (i < 0)
                return -1;
            i++;
        }
        else if (c != '>')
            i = skip_value(kind, data, i + 1, to);
    }
}

typedef struct {
    Place name, name_end;
    int has_value;
    Place value, value_end;
} Attribute;

/* The next attribute; where to go on, or -1: there is none. */
ALWAYS_INLINE Place
attribute_in(int kind, const void *data, Place i, Place to, Attribute *found)
{
    while (i < to && (is_blank(at(kind, data, i)) || at(kind, data, i) == '>'))
        i++;
    if (i >= to)
        return -1;
    found->name = i;
    found->name_end = skip_name(kind, data, i + 1, to);
    i = skip_blanks(kind, data, found->name_end, to);
    found->has_value = i < to && at(kind, data, i) == '=';
    if (!found->has_value)
        return i;
    i = skip_blanks(kind, data, i + 1, to);
    Py_UCS4 c = i < to ? at(kind, data, i) : 0;
    Place close = c == '"' || c == '\'' ? find_in(kind, data, i + 1, to, c) : -1;
    if (close >= 0) {
        found->value = i + 1;
        found->value_end = close;
        return close + 1;
    }
    found->value = i;
    found->value_end = skip_value(kind, data, i, to);
    return found->value_end;
}

static Place
next_attribute(int kind, const void *data, Place i, Place to, Attribute *found)
{
    return BY_KIND(kind, attribute_in, data, i, to, found);
}

/* The value of an attribute without one is its name. */
static PyObject *
without_value(PyObject *name)
{
    int kind = PyUnicode_KIND(name);
    Place length = PyUnicode_GET_LENGTH(name);
    if (find(kind, PyUnicode_DATA(name), 0, length, '&') < 0)
        return Py_NewRef(name);
    return decoded(kind, PyUnicode_DATA(name), 0, length, 0);
}

/* Name in lower case -> value, a new dict; of several of one name the first counts. */
static PyObject *
attributes(int kind, const void *data, Place from, Place to)
{
    PyObject *all = PyDict_New();
    Attribute one;
    while (all && (from = next_attribute(kind, data, from, to, &one)) >= 0) {
        PyObject *name = lower_name(kind, data, one.name, one.name_end), *value = NULL;
        int known = name ? PyDict_Contains(all, name) : -1;
        if (known == 0) {
            if (!one.has_value)
                value = without_value(name);
            else if (find(kind, data, one.value, one.value_end, '&') >= 0)
                value = decoded(kind, data, one.value, one.value_end, 0);
            else
                value = substring(kind, data, one.value, one.value_end);
            if (!value || PyDict_SetItem(all, name, value) < 0)
                known = -1;
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (known < 0)
            Py_CLEAR(all);
    }
    return all;
}
