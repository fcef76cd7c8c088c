/* The header section of nearly all mail in one pass: what mime/header_block.py does, for machines with a C compiler.

   That Python is the reference and gives the same: tests/mime/test_header_block.py compares the two.

   Safety: every place is an offset into one bytes object that the block keeps, found by a search that ends before the
   object does; lengths are counted before memory is asked for, and the same walk counts and copies. Every octet is
   looked at a fixed number of times. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>

#define INTERFACE 1
#define KNOWN 512        /* names that are kept as objects from message to message; a power of two */
#define KNOWN_LENGTH 48
#define SINGLES 128

typedef struct {
    Py_ssize_t start;
    Py_ssize_t colon;
    Py_ssize_t end;    /* after the last line end */
    Py_ssize_t text;   /* of the value, without the blanks round it */
    Py_ssize_t text_end;
    Py_ssize_t length; /* of the value on one line */
} Field;

typedef struct {
    PyObject_HEAD
    PyObject *raw;
    PyObject *names;
    PyObject *by_name;
    PyObject *encoded;
    Py_ssize_t end;        /* before the empty line */
    Py_ssize_t body_start; /* after it */
    Py_ssize_t count;
    Field *fields;
    char crlf;
} Block;

static PyTypeObject BlockType;
static PyObject *known[KNOWN];
static PyObject *singles[SINGLES]; /* (0,), (1,), … */
static PyObject *nothing;          /* frozenset() */

static int
is_white(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
is_ascii(const unsigned char *text, Py_ssize_t length)
{
    uint64_t word, bits = 0;
    for (; length >= 8; text += 8, length -= 8) {
        memcpy(&word, text, 8);
        bits |= word;
    }
    for (; length > 0; text++, length--)
        bits |= *text;
    return !(bits & 0x8080808080808080u);
}

static int
has_word_mark(const unsigned char *text, const unsigned char *end)
{
    while (end - text >= 2 && (text = memchr(text, '=', (size_t)(end - text - 1)))) {
        if (text[1] == '?')
            return 1;
        text++;
    }
    return 0;
}

/* The value on one line: copied where `to` is not NULL. Its length. */
static Py_ssize_t
unfold(const unsigned char *text, const unsigned char *end, unsigned char *to)
{
    Py_ssize_t length = 0;
    while (text < end) {
        const unsigned char *line_end = memchr(text, '\n', (size_t)(end - text));
        const unsigned char *stop = line_end ? line_end : end;
        if (line_end && stop > text && stop[-1] == '\r')
            stop--;
        if (to)
            memcpy(to + length, text, (size_t)(stop - text));
        length += stop - text;
        if (!line_end)
            break;
        if (to)
            to[length] = ' ';
        length++;
        text = line_end + 1;
        while (text < end && (*text == ' ' || *text == '\t'))
            text++;
    }
    return length;
}

/* With CRLF as LF: copied where `to` is not NULL. Its length. */
static Py_ssize_t
with_lf(const unsigned char *text, const unsigned char *end, unsigned char *to)
{
    Py_ssize_t length = 0;
    while (text < end) {
        const unsigned char *line_end = memchr(text, '\n', (size_t)(end - text));
        const unsigned char *next = line_end ? line_end + 1 : end;
        Py_ssize_t kept = next - text;
        if (line_end && line_end > text && line_end[-1] == '\r')
            kept -= 2;
        else if (line_end)
            kept -= 1;
        if (to)
            memcpy(to + length, text, (size_t)kept);
        length += kept;
        if (line_end) {
            if (to)
                to[length] = '\n';
            length++;
        }
        text = next;
    }
    return length;
}

/* -- Reading -- */

/* The name in lower case, kept from message to message: a new reference. */
static PyObject *
name_object(const unsigned char *name, Py_ssize_t length)
{
    char lowered[KNOWN_LENGTH];
    uint32_t hash = 2166136261u;
    PyObject *made;
    if (length > KNOWN_LENGTH) {
        made = PyUnicode_New(length, 127);
        if (made)
            for (Py_ssize_t at = 0; at < length; at++)
                PyUnicode_1BYTE_DATA(made)[at] = name[at] | ((name[at] >= 'A' && name[at] <= 'Z') << 5);
        return made;
    }
    for (Py_ssize_t at = 0; at < length; at++) {
        lowered[at] = (char)(name[at] | ((name[at] >= 'A' && name[at] <= 'Z') << 5));
        hash = (hash ^ (unsigned char)lowered[at]) * 16777619u;
    }
    PyObject **place = &known[(hash ^ (hash >> 16)) & (KNOWN - 1)];
    if (*place && PyUnicode_GET_LENGTH(*place) == length
        && memcmp(PyUnicode_1BYTE_DATA(*place), lowered, (size_t)length) == 0) {
        Py_INCREF(*place);
        return *place;
    }
    made = PyUnicode_New(length, 127);
    if (!made)
        return NULL;
    memcpy(PyUnicode_1BYTE_DATA(made), lowered, (size_t)length);
    Py_INCREF(made);
    Py_XSETREF(*place, made);
    return made;
}

/* Notes the place of a field under its name; -1 with an error set. */
static int
note(PyObject *by_name, PyObject *name, Py_ssize_t place)
{
    PyObject *places = PyDict_GetItemWithError(by_name, name);
    if (!places) {
        if (PyErr_Occurred())
            return -1;
        PyObject *single = place < SINGLES ? Py_NewRef(singles[place]) : Py_BuildValue("(n)", place);
        int failed = single ? PyDict_SetItem(by_name, name, single) : -1;
        Py_XDECREF(single);
        return failed;
    }
    PyObject *number = PyLong_FromSsize_t(place);
    if (!number)
        return -1;
    int failed;
    if (PyList_Check(places))
        failed = PyList_Append(places, number);
    else {
        PyObject *list = PySequence_List(places);
        failed = !list || PyList_Append(list, number) || PyDict_SetItem(by_name, name, list) ? -1 : 0;
        Py_XDECREF(list);
    }
    Py_DECREF(number);
    return failed;
}

/* Room for one more field; -1 with an error set. */
static int
grow(Block *self, Py_ssize_t *room)
{
    if (self->count < *room)
        return 0;
    Py_ssize_t more = *room ? 2 * *room : 32;
    Field *fields = PyMem_Realloc(self->fields, (size_t)more * sizeof(Field));
    if (!fields) {
        PyErr_NoMemory();
        return -1;
    }
    self->fields = fields;
    *room = more;
    return 0;
}

/* Where the lines of the fields are; 1: read, 0: not that regular, -1: with an error set. */
static int
scan(Block *self, Py_ssize_t start, Py_ssize_t limit, int crlf, const Py_ssize_t most[3])
{
    const unsigned char *raw = (const unsigned char *)PyBytes_AS_STRING(self->raw);
    Py_ssize_t room = 0, lines = 0, at = start;
    for (;;) {
        const unsigned char *line = raw + at;
        const unsigned char *line_end = at < limit ? memchr(line, '\n', (size_t)(limit - at)) : NULL;
        if (!line_end)
            return 0; /* no empty line ends it */
        Py_ssize_t next = line_end + 1 - raw;
        if (line_end == line || (line_end == line + 1 && *line == '\r')) {
            self->end = at;
            self->body_start = next;
            return self->count > 0 && (crlf || line_end == line);
        }
        self->crlf |= line_end[-1] == '\r'; /* the line is not empty */
        if (*line == ' ' || *line == '\t') {
            if (!self->count)
                return 0;
            self->fields[self->count - 1].end = next;
        }
        else {
            const unsigned char *colon = line;
            while (*colon >= '!' && *colon <= '~' && *colon != ':')
                colon++; /* the line end stops it */
            if (colon == line || *colon != ':' || colon - line > most[1] || (line[0] == '-' && line[1] == '-'))
                return 0;
            if (grow(self, &room) < 0)
                return -1;
            Field *field = &self->fields[self->count++];
            field->start = at;
            field->colon = colon - raw;
            field->end = next;
        }
        /* A lone CR counts as octet, that of a line end does not: who is near the limit is read by Python. */
        if (++lines >= most[0] || next - self->fields[self->count - 1].start > most[2])
            return 0;
        at = next;
    }
}

/* Values, names and what is to be decoded; -1 with an error set. */
static int
describe(Block *self)
{
    const unsigned char *raw = (const unsigned char *)PyBytes_AS_STRING(self->raw);
    self->names = PyList_New(self->count);
    self->by_name = PyDict_New();
    if (!self->names || !self->by_name)
        return -1;
    for (Py_ssize_t place = 0; place < self->count; place++) {
        Field *field = &self->fields[place];
        const unsigned char *text = raw + field->colon + 1, *end = raw + field->end;
        while (text < end && is_white(*text))
            text++;
        while (end > text && is_white(end[-1]))
            end--;
        field->text = text - raw;
        field->text_end = end - raw;
        field->length = unfold(text, end, NULL);
        PyObject *name = name_object(raw + field->start, field->colon - field->start);
        if (!name)
            return -1;
        PyList_SET_ITEM(self->names, place, name);
        if (note(self->by_name, name, place) < 0)
            return -1;
        if (is_ascii(text, end - text) && !has_word_mark(text, end))
            continue;
        if (!self->encoded && !(self->encoded = PySet_New(NULL)))
            return -1;
        PyObject *number = PyLong_FromSsize_t(place);
        int failed = number ? PySet_Add(self->encoded, number) : -1;
        Py_XDECREF(number);
        if (failed)
            return -1;
    }
    if (!self->encoded)
        self->encoded = Py_NewRef(nothing);
    return 0;
}

PyDoc_STRVAR(read_doc, "read(raw, start, end, crlf, lines, name, field): the Block, or None where it is not that regular.");

static PyObject *
read_block(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *raw;
    Py_ssize_t start, end, most[3];
    int crlf;
    if (!PyArg_ParseTuple(args, "Snnpnnn", &raw, &start, &end, &crlf, &most[0], &most[1], &most[2]))
        return NULL;
    if (end > PyBytes_GET_SIZE(raw))
        end = PyBytes_GET_SIZE(raw);
    if (start < 0 || start > end)
        Py_RETURN_NONE;
    Block *self = PyObject_New(Block, &BlockType);
    if (!self)
        return NULL;
    memset((char *)self + sizeof(PyObject), 0, sizeof(Block) - sizeof(PyObject));
    self->raw = Py_NewRef(raw);
    int found = scan(self, start, end, crlf, most);
    if (found > 0)
        found = describe(self) < 0 ? -1 : 1;
    if (found > 0)
        return (PyObject *)self;
    Py_DECREF(self);
    if (found < 0)
        return NULL;
    Py_RETURN_NONE;
}

static void
block_dealloc(Block *self)
{
    Py_XDECREF(self->raw);
    Py_XDECREF(self->names);
    Py_XDECREF(self->by_name);
    Py_XDECREF(self->encoded);
    PyMem_Free(self->fields);
    PyObject_Free(self);
}

/* -- Asking -- */

static const unsigned char *
octets(Block *self)
{
    return (const unsigned char *)PyBytes_AS_STRING(self->raw);
}

/* The field of that number; NULL with IndexError set. */
static Field *
field_at(Block *self, PyObject *number)
{
    Py_ssize_t place = PyLong_AsSsize_t(number);
    if (place == -1 && PyErr_Occurred())
        return NULL;
    if (place < 0 || place >= self->count) {
        PyErr_SetString(PyExc_IndexError, "no such field");
        return NULL;
    }
    return &self->fields[place];
}

static PyObject *
line_of(Block *self, Field *field)
{
    PyObject *made = PyBytes_FromStringAndSize(NULL, field->length);
    if (made)
        unfold(octets(self) + field->text, octets(self) + field->text_end, (unsigned char *)PyBytes_AS_STRING(made));
    return made;
}

static PyObject *
block_line(Block *self, PyObject *place)
{
    Field *field = field_at(self, place);
    return field ? line_of(self, field) : NULL;
}

static PyObject *
block_value(Block *self, PyObject *place)
{
    Field *field = field_at(self, place);
    if (!field)
        return NULL;
    const unsigned char *text = octets(self) + field->colon + 1, *end = octets(self) + field->end;
    if (!self->crlf)
        return PyBytes_FromStringAndSize((const char *)text, end - text);
    PyObject *made = PyBytes_FromStringAndSize(NULL, with_lf(text, end, NULL));
    if (made)
        with_lf(text, end, (unsigned char *)PyBytes_AS_STRING(made));
    return made;
}

/* A list of what `make` makes of every field. */
static PyObject *
of_every_field(Block *self, PyObject *make(Block *, Field *))
{
    PyObject *list = PyList_New(self->count);
    for (Py_ssize_t place = 0; list && place < self->count; place++) {
        PyObject *made = make(self, &self->fields[place]);
        if (!made)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, place, made);
    }
    return list;
}

static PyObject *
written_name_of(Block *self, Field *field)
{
    return PyBytes_FromStringAndSize((const char *)octets(self) + field->start, field->colon - field->start);
}

static PyObject *
place_of(Block *Py_UNUSED(self), Field *field)
{
    return Py_BuildValue("(nnn)", field->start, field->colon, field->end);
}

static PyObject *
block_written_names(Block *self, PyObject *Py_UNUSED(nothing_more))
{
    return of_every_field(self, written_name_of);
}

static PyObject *
block_offsets(Block *self, PyObject *Py_UNUSED(nothing_more))
{
    return of_every_field(self, place_of);
}

/* The lines at these places, each with a line end. */
static PyObject *
block_text(Block *self, PyObject *places)
{
    PyObject *all = PySequence_Fast(places, "places are a sequence");
    if (!all)
        return NULL;
    Py_ssize_t length = 0;
    PyObject *made = NULL;
    for (Py_ssize_t at = 0; at < PySequence_Fast_GET_SIZE(all); at++) {
        Field *field = field_at(self, PySequence_Fast_GET_ITEM(all, at));
        if (!field)
            goto done;
        length += field->length + 1;
    }
    made = PyBytes_FromStringAndSize(NULL, length);
    if (!made)
        goto done;
    unsigned char *to = (unsigned char *)PyBytes_AS_STRING(made);
    for (Py_ssize_t at = 0; at < PySequence_Fast_GET_SIZE(all); at++) {
        Field *field = field_at(self, PySequence_Fast_GET_ITEM(all, at)); /* as above: nothing ran in between */
        to += unfold(octets(self) + field->text, octets(self) + field->text_end, to);
        *to++ = '\n';
    }
done:
    Py_DECREF(all);
    return made;
}

static int
begins_with(const unsigned char *name, Py_ssize_t length, const char *prefix, Py_ssize_t prefix_length)
{
    if (length < prefix_length)
        return 0;
    for (Py_ssize_t at = 0; at < prefix_length; at++)
        if ((name[at] | ((name[at] >= 'A' && name[at] <= 'Z') << 5)) != (unsigned char)prefix[at])
            return 0;
    return 1;
}

/* Every field with its name and a line end, but those whose name begins with `without`; None: more than `most`.
   `decoded` says what to take instead of the lines at some places. */
static PyObject *
block_all(Block *self, PyObject *args)
{
    PyObject *decoded;
    const char *without;
    Py_ssize_t most, without_length, length = 0;
    if (!PyArg_ParseTuple(args, "O!s#n", &PyDict_Type, &decoded, &without, &without_length, &most))
        return NULL;
    PyObject *made = NULL;
    unsigned char *to = NULL;
    for (int copying = 0; copying < 2; copying++) {
        for (Py_ssize_t place = 0; place < self->count; place++) {
            Field *field = &self->fields[place];
            const unsigned char *name = octets(self) + field->start;
            Py_ssize_t name_length = field->colon - field->start;
            if (begins_with(name, name_length, without, without_length))
                continue;
            PyObject *instead = NULL;
            if (PyDict_GET_SIZE(decoded)) {
                PyObject *number = PyLong_FromSsize_t(place);
                if (!number)
                    goto failed;
                instead = PyDict_GetItemWithError(decoded, number);
                Py_DECREF(number);
                if (!instead && PyErr_Occurred())
                    goto failed;
                if (instead && !PyBytes_Check(instead)) {
                    PyErr_SetString(PyExc_TypeError, "lines are bytes");
                    goto failed;
                }
            }
            Py_ssize_t line_length = instead ? PyBytes_GET_SIZE(instead) : field->length;
            if (!copying) {
                length += name_length + line_length + 3;
                continue;
            }
            memcpy(to, name, (size_t)name_length);
            to += name_length;
            *to++ = ':';
            *to++ = ' ';
            if (instead)
                memcpy(to, PyBytes_AS_STRING(instead), (size_t)line_length);
            else
                unfold(octets(self) + field->text, octets(self) + field->text_end, to);
            to += line_length;
            *to++ = '\n';
        }
        if (copying)
            return made;
        if (length > most)
            Py_RETURN_NONE;
        made = PyBytes_FromStringAndSize(NULL, length);
        if (!made)
            return NULL;
        to = (unsigned char *)PyBytes_AS_STRING(made);
    }
failed:
    Py_XDECREF(made);
    return NULL;
}

static PyMethodDef block_methods[] = {
    {"line", (PyCFunction)block_line, METH_O, NULL},
    {"value", (PyCFunction)block_value, METH_O, NULL},
    {"text", (PyCFunction)block_text, METH_O, NULL},
    {"written_names", (PyCFunction)block_written_names, METH_NOARGS, NULL},
    {"offsets", (PyCFunction)block_offsets, METH_NOARGS, NULL},
    {"all", (PyCFunction)block_all, METH_VARARGS, NULL},
    {NULL},
};

static PyMemberDef block_members[] = {
    {"names", T_OBJECT_EX, offsetof(Block, names), READONLY, NULL},
    {"by_name", T_OBJECT_EX, offsetof(Block, by_name), READONLY, NULL},
    {"encoded", T_OBJECT_EX, offsetof(Block, encoded), READONLY, NULL},
    {"end", T_PYSSIZET, offsetof(Block, end), READONLY, NULL},
    {"body_start", T_PYSSIZET, offsetof(Block, body_start), READONLY, NULL},
    {NULL},
};

static PyTypeObject BlockType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "lazaret.mime._header_kernel.Block",
    .tp_basicsize = sizeof(Block),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)block_dealloc,
    .tp_methods = block_methods,
    .tp_members = block_members,
};

/* -- Bodies -- */

PyDoc_STRVAR(white_run_doc, "white_run(octets, length): whether so many white octets stand in a row, a line end first.");

/* In a run so long every length-th octet finds a member, so that most octets are not looked at. */
static PyObject *
white_run(PyObject *Py_UNUSED(module), PyObject *args)
{
    const unsigned char *text;
    Py_ssize_t length, wanted;
    if (!PyArg_ParseTuple(args, "y#n", &text, &length, &wanted))
        return NULL;
    if (wanted < 1) {
        PyErr_SetString(PyExc_ValueError, "a run has a length");
        return NULL;
    }
    for (Py_ssize_t at = wanted - 1; at < length; at += wanted) {
        if (!is_white(text[at]))
            continue;
        Py_ssize_t first = at, end = at + 1;
        while (first > 0 && is_white(text[first - 1]))
            first--;
        while (end < length && is_white(text[end]))
            end++;
        const unsigned char *line_end = memchr(text + first, '\n', (size_t)(end - first));
        if (line_end && text + end - line_end >= wanted)
            Py_RETURN_TRUE;
        at += (end - 1 - at) / wanted * wanted; /* nothing is looked at twice */
    }
    Py_RETURN_FALSE;
}

static PyMethodDef functions[] = {
    {"read", read_block, METH_VARARGS, read_doc},
    {"white_run", white_run, METH_VARARGS, white_run_doc},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_header_kernel",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__header_kernel(void)
{
    if (PyType_Ready(&BlockType) < 0)
        return NULL;
    nothing = PyFrozenSet_New(NULL);
    if (!nothing)
        return NULL;
    for (Py_ssize_t place = 0; place < SINGLES; place++)
        if (!(singles[place] = Py_BuildValue("(n)", place)))
            return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made && PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0)
        Py_CLEAR(made);
    return made;
}
