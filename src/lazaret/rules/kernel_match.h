/* One expression at a time: the compiled half of rules/confirm.py, by the PCRE2 of the system.

   The library is looked for when the module is loaded (Debian's own grep needs it, so that it is there); without it
   there are no Matchers, and the package pcre2 does the work. Its headers are not needed: what is declared here has
   not changed since 10.0, and is what <pcre2.h> (10.42) says for 8 bits.

   Safety: PCRE2 gets a text and its length, and limits that stand in the expression itself; offsets that it gives are
   looked at before they are used. What it cannot do within its limits is left to Python, which knows what follows. */

#include <dlfcn.h>
#include <stdint.h>

#define PCRE2_ALT_BSUX 0x00000002u
#define PCRE2_NEVER_BACKSLASH_C 0x00100000u
#define PCRE2_JIT_COMPLETE 0x00000001u
#define PCRE2_NOTEMPTY_ATSTART 0x00000008u
#define PCRE2_ERROR_NOMATCH (-1)

/* The two options that the package pcre2 compiles with. */
#define COMPILE_OPTIONS (PCRE2_ALT_BSUX | PCRE2_NEVER_BACKSLASH_C)

static struct {
    void *(*compile)(const uint8_t *, size_t, uint32_t, int *, size_t *, void *);
    int (*jit_compile)(void *, uint32_t);
    int (*match)(const void *, const uint8_t *, size_t, size_t, uint32_t, void *, void *);
    void *(*match_data_create)(uint32_t, void *);
    size_t *(*get_ovector_pointer)(void *);
    void (*code_free)(void *);
    void *data; /* of the last match: the limits of what matched, no groups */
} pcre2;

/* Without an error: where something is missing, `pcre2.data` stays NULL. */
static void
pcre2_load(void)
{
    void *library = dlopen("libpcre2-8.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library || pcre2.data)
        return;
    *(void **)&pcre2.compile = dlsym(library, "pcre2_compile_8");
    *(void **)&pcre2.jit_compile = dlsym(library, "pcre2_jit_compile_8");
    *(void **)&pcre2.match = dlsym(library, "pcre2_match_8");
    *(void **)&pcre2.match_data_create = dlsym(library, "pcre2_match_data_create_8");
    *(void **)&pcre2.get_ovector_pointer = dlsym(library, "pcre2_get_ovector_pointer_8");
    *(void **)&pcre2.code_free = dlsym(library, "pcre2_code_free_8");
    if (pcre2.compile && pcre2.jit_compile && pcre2.match && pcre2.match_data_create && pcre2.get_ovector_pointer &&
        pcre2.code_free)
        pcre2.data = pcre2.match_data_create(1, NULL);
}

enum octets { IN_ANY = 1, IN_ASCII = 2 };

enum { STARTS = 32 * 32 * 32 / 8 }; /* octets of a table of bits, one for each three values below 32 */

typedef struct Matcher Matcher;

struct Matcher {
    PyObject_HEAD
    void *code;
    int counts;                /* IN_ANY, IN_ASCII: it matches single octets, in any text, or in one of pure ASCII */
    unsigned char octets[256]; /* the same bits for each octet that it matches */
    unsigned char *starts;     /* NULL, or the three octets that a match may begin with: it is tried there only */
    Matcher *wider;            /* NULL, or what must match too, and takes less time */
};

static PyTypeObject MatcherType;

static void
matcher_dealloc(Matcher *self)
{
    if (self->code)
        pcre2.code_free(self->code);
    PyMem_Free(self->starts);
    Py_XDECREF(self->wider);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static int
matcher_set(Matcher *self, PyObject *others, int bit)
{
    if (others == Py_None)
        return 0;
    if (!PyBytes_Check(others)) {
        PyErr_SetString(PyExc_TypeError, "octets that it does not match: bytes or None");
        return -1;
    }
    self->counts |= bit;
    for (int octet = 0; octet < 256; octet++)
        self->octets[octet] |= (unsigned char)bit;
    const unsigned char *each = (const unsigned char *)PyBytes_AS_STRING(others);
    for (Py_ssize_t at = 0; at < PyBytes_GET_SIZE(others); at++)
        self->octets[each[at]] &= (unsigned char)~bit;
    return 0;
}

static int
matcher_set_starts(Matcher *self, PyObject *starts)
{
    if (starts == Py_None)
        return 0;
    if (!PyBytes_Check(starts) || PyBytes_GET_SIZE(starts) != STARTS) {
        PyErr_SetString(PyExc_ValueError, "starts: a table of bits, or None");
        return -1;
    }
    self->starts = PyMem_Malloc(STARTS);
    if (!self->starts) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(self->starts, PyBytes_AS_STRING(starts), STARTS);
    return 0;
}

static int
matcher_set_wider(Matcher *self, PyObject *wider)
{
    if (wider == Py_None)
        return 0;
    if (Py_TYPE(wider) != &MatcherType) {
        PyErr_SetString(PyExc_TypeError, "wider: a Matcher, or None");
        return -1;
    }
    self->wider = (Matcher *)Py_NewRef(wider);
    return 0;
}

/* Matcher(expression, others, others_in_ascii, starts, wider): see `_other_octets` in confirm.py, and starts.py. With
   `starts` the expression begins with \G. ValueError: not with this PCRE2. */
static PyObject *
matcher_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *expression, *others, *others_in_ascii, *starts = Py_None, *wider = Py_None;
    static char *names[] = {"expression", "others", "others_in_ascii", "starts", "wider", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O!OO|OO", names, &PyBytes_Type, &expression, &others, &others_in_ascii,
                                     &starts, &wider))
        return NULL;
    Matcher *self = (Matcher *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    if (matcher_set(self, others, IN_ANY) < 0 || matcher_set(self, others_in_ascii, IN_ASCII) < 0 ||
        matcher_set_starts(self, starts) < 0 || matcher_set_wider(self, wider) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    int error = 0;
    size_t offset = 0;
    if (pcre2.data)
        self->code = pcre2.compile((const uint8_t *)PyBytes_AS_STRING(expression), (size_t)PyBytes_GET_SIZE(expression),
                                   COMPILE_OPTIONS, &error, &offset, NULL);
    if (!self->code || pcre2.jit_compile(self->code, PCRE2_JIT_COMPLETE) < 0) {
        PyErr_Format(PyExc_ValueError, "PCRE2: error %d", error);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
all_ascii(const char *text, Py_ssize_t length)
{
    Py_ssize_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t eight;
        memcpy(&eight, text + at, 8);
        if (eight & UINT64_C(0x8080808080808080))
            return 0;
    }
    for (; at < length; at++)
        if (text[at] & 0x80)
            return 0;
    return 1;
}

/* Whether a match may begin with these three octets. */
static int
matcher_may_start(const Matcher *self, const unsigned char *three)
{
    unsigned number = (three[0] & 31u) << 10 | (three[1] & 31u) << 5 | (three[2] & 31u);
    return self->starts[number / 8] >> number % 8 & 1;
}

/* Whether there is a match: 1 or 0; -1: Python has to find out. */
static Py_ssize_t
matcher_try(const Matcher *self, const unsigned char *text, Py_ssize_t length)
{
    for (Py_ssize_t at = 0; at + 3 <= length; at++) {
        if (!matcher_may_start(self, text + at))
            continue;
        int found = pcre2.match(self->code, text, (size_t)length, (size_t)at, 0, pcre2.data, NULL);
        if (found != PCRE2_ERROR_NOMATCH)
            return found < 0 ? -1 : 1;
    }
    return 0;
}

/* The first match (a new bytes object). NULL: there is none, or Python has to find out, or an error is set. */
static PyObject *
matcher_first(const Matcher *self, const char *text, Py_ssize_t length)
{
    const unsigned char *each = (const unsigned char *)text;
    int found = PCRE2_ERROR_NOMATCH;
    if (!self->starts)
        found = pcre2.match(self->code, each, (size_t)length, 0, 0, pcre2.data, NULL);
    for (Py_ssize_t at = 0; self->starts && at + 3 <= length && found == PCRE2_ERROR_NOMATCH; at++)
        if (matcher_may_start(self, each + at))
            found = pcre2.match(self->code, each, (size_t)length, (size_t)at, 0, pcre2.data, NULL);
    const size_t *limits = pcre2.get_ovector_pointer(pcre2.data);
    if (found < 0 || limits[0] > limits[1] || limits[1] > (size_t)length)
        return NULL;
    return PyBytes_FromStringAndSize(text + limits[0], (Py_ssize_t)(limits[1] - limits[0]));
}

/* How many matches there are, up to `most` (at least 1; negative: all), as Perl's /g finds them. -1: Python has to find
   out, no error is set. */
static Py_ssize_t
matcher_count(const Matcher *self, const char *text, Py_ssize_t length, Py_ssize_t most)
{
    if (self->wider && !matcher_count(self->wider, text, length, 1))
        return 0;
    if (self->starts)
        return matcher_try(self, (const unsigned char *)text, length);
    Py_ssize_t count = 0;
    int single = self->counts & IN_ANY;
    if (!single && self->counts && all_ascii(text, length))
        single = IN_ASCII;
    if (single) {
        for (Py_ssize_t at = 0; at < length && count != most; at++)
            count += (self->octets[(unsigned char)text[at]] & single) != 0;
        return count;
    }
    const size_t *limits = pcre2.get_ovector_pointer(pcre2.data);
    size_t start = 0;
    uint32_t options = 0;
    while (count != most) {
        int found = pcre2.match(self->code, (const uint8_t *)text, (size_t)length, start, options, pcre2.data, NULL);
        if (found == PCRE2_ERROR_NOMATCH)
            break;
        if (found < 0)
            return -1;
        count++;
        if (count == most)
            break;
        int empty = limits[0] == limits[1];
        if (limits[0] > limits[1] || limits[0] < start || limits[1] > (size_t)length || (!empty && limits[1] == start) ||
            (empty && options && limits[1] == start))
            return -1; /* \K: it goes backwards, or on the spot */
        start = limits[1];
        options = empty ? PCRE2_NOTEMPTY_ATSTART : 0;
        if (empty && start == (size_t)length)
            break;
    }
    return count;
}

/* count(text, most): None where Python has to find out. */
static PyObject *
matcher_method(Matcher *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "count(text, most)");
        return NULL;
    }
    Py_ssize_t most = PyNumber_AsSsize_t(args[1], PyExc_OverflowError);
    if (most == -1 && PyErr_Occurred())
        return NULL;
    Py_ssize_t found = matcher_count(self, PyBytes_AS_STRING(args[0]), PyBytes_GET_SIZE(args[0]), most);
    if (found < 0)
        Py_RETURN_NONE;
    return PyLong_FromSsize_t(found);
}

static PyMethodDef matcher_methods[] = {
    {"count", (PyCFunction)(void (*)(void))matcher_method, METH_FASTCALL,
     "How many matches there are, up to `most`, if that is not negative."},
    {NULL},
};

static PyTypeObject MatcherType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazaret.rules._kernel.Matcher",
    .tp_basicsize = sizeof(Matcher),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "An expression, compiled by the PCRE2 of the system.",
    .tp_new = matcher_new,
    .tp_dealloc = (destructor)matcher_dealloc,
    .tp_methods = matcher_methods,
};
