/* The inner loops of text.py, uri_finder.py, transfer.py and rules/evals/mime.py, for machines with a C compiler.

   Everything here exists in Python too, and gives the same: tests/mime/test_text_kernel.py compares the two.

   Safety: the octets are a stranger's. Each function goes over them from the first to the last, twice at most, nothing calls
   itself, and what is made is no larger than what was given. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define INTERFACE 2

typedef Py_ssize_t Place;
typedef unsigned char Octet;

static int
append(PyObject *list, const Octet *from, Place length)
{
    PyObject *made = PyBytes_FromStringAndSize((const char *)from, length);
    int result = made ? PyList_Append(list, made) : -1;
    Py_XDECREF(made);
    return result;
}

/* Lines: text._paragraphs and text._short_lines. */

/* What is longer than `limit` is cut behind a blank, or where there is none. */
static int
append_pieces(PyObject *list, const Octet *line, Place length, Place limit)
{
    while (length > limit) {
        Place end = limit + 1;
        while (end && line[end - 1] != ' ')
            end--;
        end = end ? end : limit;
        if (append(list, line, end) < 0)
            return -1;
        line += end;
        length -= end;
    }
    return append(list, line, length);
}

static int
append_lines(PyObject *list, const Octet *text, Place length, Place limit)
{
    const Octet *end = text + length;
    while (text < end) {
        const Octet *stop = memchr(text, '\n', end - text);
        Place line = (stop ? stop + 1 : end) - text;
        if ((stop && line <= limit ? append(list, text, line) : append_pieces(list, text, line, limit)) < 0)
            return -1;
        text += line;
    }
    return 0;
}

/* White space with two line ends in it becomes one line end, any other one blank; 0 is a line end too.
   `to` has room for as many octets; how many there are. */
static Place
paragraphs(const Octet *from, Place length, Octet *to)
{
    Octet *begin = to;
    for (Place i = 0; i < length;) {
        Octet c = from[i];
        /* What follows a blank is nearly always a word: then the blank is a run of its own. */
        if (c > ' ' || (c == ' ' ? i + 1 < length && from[i + 1] > ' ' : c < '\t' || c > '\r')) {
            *to++ = c ? c : '\n';
            i++;
            continue;
        }
        int before = 0, after = 0, ends = 0;
        for (; i < length; i++) {
            c = from[i];
            if (c == '\n') {
                ends++;
                after = 0;
            }
            else if (c == ' ' || (c >= '\t' && c <= '\r')) {
                before |= !ends;
                after = 1;
            }
            else
                break;
        }
        if (ends < 2)
            *to++ = ' ';
        else {
            if (before)
                *to++ = ' ';
            *to++ = '\n';
            if (after)
                *to++ = ' ';
        }
    }
    return to - begin;
}

/* lines(prefix, octets, limit) -> a list; the prefix is not looked at but for line ends. */
static PyObject *
lines(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer prefix, octets;
    Place limit;
    if (!PyArg_ParseTuple(args, "y*y*n", &prefix, &octets, &limit))
        return NULL;
    PyObject *found = NULL;
    Octet *text = NULL;
    if (limit < 2)
        PyErr_SetString(PyExc_ValueError, "lines of two octets or more");
    else if (octets.len > PY_SSIZE_T_MAX - prefix.len - 1 || !(text = PyMem_Malloc(prefix.len + octets.len + 1)))
        PyErr_NoMemory();
    else {
        memcpy(text, prefix.buf, prefix.len);
        Place length = prefix.len + paragraphs(octets.buf, octets.len, text + prefix.len);
        found = PyList_New(0);
        if (found && append_lines(found, text, length, limit) < 0)
            Py_CLEAR(found);
    }
    PyMem_Free(text);
    PyBuffer_Release(&prefix);
    PyBuffer_Release(&octets);
    return found;
}

/* Pieces of text that may hold a URI: uri_finder._pieces. */

static inline int
is_small(Octet c)
{
    return (Octet)((c | 32) - 'a') < 26;
}

static int
append_piece(PyObject *list, Place from, Place to, Place limit)
{
    PyObject *pair = Py_BuildValue("(nn)", from, to - from > limit ? from + limit : to);
    int result = pair ? PyList_Append(list, pair) : -1;
    Py_XDECREF(pair);
    return result;
}

/* Whether a dot, an `@` or a colon here is one that stands in URIs. */
static inline int
is_mark(const Octet *text, Place length, const Octet *flat, Place i)
{
    if (text[i] == '@')
        return 1;
    if (text[i] == ':')
        return i + 2 < length && text[i + 1] == '/' && text[i + 2] == '/';
    Octet next = i + 1 < length ? flat[text[i + 1]] : ' ';
    return is_small(next) || next >= 0x80 || (i && is_small(text[i - 1]) && next != '.' && next != ' ');
}

/* pieces(text, blanks, limit) -> [(begin, end)]; `blanks` are 256 octets, " " for each that ends a piece.
   Few octets of prose are marks: each kind is looked for by itself, from where it was last found. */
static PyObject *
pieces(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer octets, blanks;
    Place limit;
    if (!PyArg_ParseTuple(args, "y*y*n", &octets, &blanks, &limit))
        return NULL;
    static const char marks[] = {'.', '@', ':'};
    Place next[] = {-1, -1, -1};
    const Octet *text = octets.buf, *flat = blanks.buf;
    Place length = octets.len, end = 0;
    PyObject *found = NULL;
    if (blanks.len != 256 || limit < 0)
        PyErr_SetString(PyExc_ValueError, "pieces(text, blanks, limit)");
    else
        found = PyList_New(0);
    for (Place from = 0; found && from < length;) {
        Place i = length;
        for (int kind = 0; kind < 3; kind++) {
            if (next[kind] < from) {
                const Octet *mark = memchr(text + from, marks[kind], (size_t)(length - from));
                next[kind] = mark ? mark - text : length;
            }
            i = next[kind] < i ? next[kind] : i;
        }
        from = i + 1;
        if (i == length || !is_mark(text, length, flat, i))
            continue;
        Place start = i;
        while (start > end && flat[text[start - 1]] != ' ')
            start--;
        for (end = i + 1; end < length && flat[text[end]] != ' ';)
            end++;
        from = end;
        if (append_piece(found, start, end, limit) < 0)
            Py_CLEAR(found);
    }
    PyBuffer_Release(&octets);
    PyBuffer_Release(&blanks);
    return found;
}

/* Quoted-printable: transfer.quoted_printable. */

static inline int
hexadecimal(Octet c)
{
    if ((Octet)(c - '0') < 10)
        return c - '0';
    c |= 32;
    return (Octet)(c - 'a') < 6 ? c - 'a' + 10 : -1;
}

/* The length of the line end at this place; 0: there is none. */
static inline Place
line_end(const Octet *at, const Octet *end)
{
    if (at < end && *at == '\n')
        return 1;
    return end - at > 1 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

/* The length of a soft line end from behind its "=" on; 0: it is none. Blanks go before line ends do. */
static Place
soft_end(const Octet *at, const Octet *end)
{
    const Octet *after = at;
    int odd = at < end && *at == '\r';
    after += odd;
    while (after < end && (*after == ' ' || *after == '\t'))
        after++;
    if (odd)
        return after < end && *after == '\n' ? after + 1 - at : 0;
    Place ends = line_end(after, end);
    return ends ? after + ends - at : 0;
}

/* Without blanks at line ends and soft line ends; `to` has room for as many octets; how many there are. */
static Place
without_soft_ends(const Octet *from, Place length, Octet *to)
{
    const Octet *end = from + length, *begin = to;
    while (from < end) {
        Octet c = *from;
        if (c != '=' && c != ' ' && c != '\t') {
            *to++ = *from++;
            continue;
        }
        if (c == '=') {
            Place soft = soft_end(from + 1, end);
            if (!soft)
                *to++ = c;
            from += 1 + soft;
            continue;
        }
        const Octet *after = from;
        while (after < end && (*after == ' ' || *after == '\t'))
            after++;
        if (!line_end(after, end))
            while (from < after)
                *to++ = *from++;
        from = after;
    }
    return to - begin;
}

/* Escapes replaced where they stand; what soft line ends have brought together counts. How many octets are left. */
static Place
unescaped(Octet *text, Place length)
{
    Octet *from = memchr(text, '=', length), *end = text + length, *to = from;
    if (!from)
        return length;
    while (from < end) {
        int high = *from == '=' && end - from > 2 ? hexadecimal(from[1]) : -1, low = high >= 0 ? hexadecimal(from[2]) : -1;
        *to++ = low >= 0 ? (Octet)(high << 4 | low) : *from;
        from += low >= 0 ? 3 : 1;
    }
    return to - text;
}

/* quoted_printable(octets) */
static PyObject *
quoted_printable(PyObject *module, PyObject *given)
{
    (void)module;
    Py_buffer octets;
    if (PyObject_GetBuffer(given, &octets, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *made = PyBytes_FromStringAndSize(NULL, octets.len);
    if (made) {
        Octet *text = (Octet *)PyBytes_AS_STRING(made);
        _PyBytes_Resize(&made, unescaped(text, without_soft_ends(octets.buf, octets.len, text)));
    }
    PyBuffer_Release(&octets);
    return made;
}

/* Sentences: rules/evals/mime.py, _letters. */

static inline int
is_blank(Octet c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

enum { LONG_WORD = 60, ESCAPE = 0x1b };

/* What an octet counts for: capitals in the low half, other letters and digits in the high one. */
static const uint64_t weights[256] = {
    ['A' ... 'Z'] = 1, ['a' ... 'z'] = (uint64_t)1 << 32, ['0' ... '9'] = (uint64_t)1 << 32};

/* sentences(lines) -> the octets of the lines that have more than one word, their capitals, and their other letters and
   digits; None where one of them needs a closer look. */
static PyObject *
sentences(PyObject *module, PyObject *lines)
{
    (void)module;
    if (!PyTuple_Check(lines)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of lines");
        return NULL;
    }
    Place octets = 0, capitals = 0, others = 0;
    for (Place at = 0; at < PyTuple_GET_SIZE(lines); at++) {
        PyObject *line = PyTuple_GET_ITEM(lines, at);
        if (!PyBytes_Check(line)) {
            PyErr_SetString(PyExc_TypeError, "lines of octets");
            return NULL;
        }
        const Octet *text = (const Octet *)PyBytes_AS_STRING(line);
        Place length = PyBytes_GET_SIZE(line), word = 0;
        while (word < length && is_blank(text[word]))
            word++;
        Place end = word;
        while (end < length && !is_blank(text[end]))
            end++;
        Place next = end;
        while (next < length && is_blank(text[next]))
            next++;
        if (next == length)
            continue;
        if (end - word >= LONG_WORD || memchr(text, ESCAPE, length))
            Py_RETURN_NONE;
        octets += length;
        while (word < length) {
            uint64_t sum = 0;
            Place stop = length - word < INT32_MAX ? length : word + INT32_MAX;
            for (; word < stop; word++)
                sum += weights[text[word]];
            capitals += (Place)(sum & UINT32_MAX);
            others += (Place)(sum >> 32);
        }
    }
    return Py_BuildValue("(nnn)", octets, capitals, others);
}

static PyMethodDef functions[] = {
    {"lines", lines, METH_VARARGS, "The body lines of a text."},
    {"pieces", pieces, METH_VARARGS, "Where the pieces of a text stand that may hold a URI."},
    {"sentences", sentences, METH_O, "How many capitals and other letters there are in the lines of several words."},
    {"quoted_printable", quoted_printable, METH_O, "The octets without their transfer encoding."},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "lazaret.mime._text_kernel",
    .m_doc = "The inner loops of reading text.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__text_kernel(void)
{
    PyObject *made = PyModule_Create(&module);
    if (!made || PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
