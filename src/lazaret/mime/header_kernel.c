/* The header section of nearly all mail, read in one pass and asked by the names of its fields: what RegularSection of
   mime/header_section.py is, for machines with a C compiler.

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

#define INTERFACE 3
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
    int encoded;       /* the decoder may make something else of that line */
    PyObject *decoded; /* what it made; NULL: it was not asked */
} Field;

typedef struct {
    PyObject_HEAD
    PyObject *raw;
    PyObject *names;
    PyObject *by_name;
    PyObject *spans;       /* made when asked for, as the next one */
    PyObject *described;
    Py_ssize_t start;
    Py_ssize_t end;        /* before the empty line */
    Py_ssize_t body_start; /* after it */
    Py_ssize_t count;
    Field *fields;
    char crlf;             /* as the caller says */
    char has_cr;           /* some line ends in CRLF */
} Section;

static PyTypeObject SectionType;
static PyObject *known[KNOWN];
static PyObject *singles[SINGLES]; /* (0,), (1,), … */
static PyObject *none;             /* () */
static PyObject *decoder;          /* words.decode_line */
static PyTypeObject *field_type;   /* header_section.Field */

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
grow(Section *self, Py_ssize_t *room)
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
scan(Section *self, Py_ssize_t start, Py_ssize_t limit, int crlf, const Py_ssize_t most[3])
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
        self->has_cr |= line_end[-1] == '\r'; /* the line is not empty */
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
            field->decoded = NULL;
        }
        /* A lone CR counts as octet, that of a line end does not: who is near the limit is read by Python. */
        if (++lines >= most[0] || next - self->fields[self->count - 1].start > most[2])
            return 0;
        at = next;
    }
}

/* Values, names and what is to be decoded; -1 with an error set. */
static int
describe(Section *self)
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
        field->encoded = !is_ascii(text, end - text) || has_word_mark(text, end);
    }
    return 0;
}

PyDoc_STRVAR(read_doc,
             "read(type, raw, start, end, crlf, lines, name, field): the section, or None where it is not that regular.");

static PyObject *
read_section(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyTypeObject *type;
    PyObject *raw;
    Py_ssize_t start, end, most[3];
    int crlf;
    if (!PyArg_ParseTuple(args, "O!Snnpnnn", &PyType_Type, &type, &raw, &start, &end, &crlf, &most[0], &most[1], &most[2]))
        return NULL;
    if (!PyType_IsSubtype(type, &SectionType)) {
        PyErr_SetString(PyExc_TypeError, "the type is one of sections");
        return NULL;
    }
    if (end > PyBytes_GET_SIZE(raw))
        end = PyBytes_GET_SIZE(raw);
    if (start < 0 || start > end)
        Py_RETURN_NONE;
    Section *self = (Section *)type->tp_alloc(type, 0); /* all of it is 0 */
    if (!self)
        return NULL;
    self->raw = Py_NewRef(raw);
    self->start = start;
    self->crlf = (char)crlf;
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
section_dealloc(Section *self)
{
    for (Py_ssize_t place = 0; place < self->count; place++)
        Py_XDECREF(self->fields[place].decoded);
    PyMem_Free(self->fields);
    Py_XDECREF(self->raw);
    Py_XDECREF(self->names);
    Py_XDECREF(self->by_name);
    Py_XDECREF(self->spans);
    Py_XDECREF(self->described);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* -- Asking -- */

static const unsigned char *
octets(Section *self)
{
    return (const unsigned char *)PyBytes_AS_STRING(self->raw);
}

/* The field of that number; NULL with IndexError set. */
static Field *
field_at(Section *self, PyObject *number)
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

/* The octets after the colon, line ends LF. */
static PyObject *
value_of(Section *self, Field *field)
{
    const unsigned char *text = octets(self) + field->colon + 1, *end = octets(self) + field->end;
    if (!self->has_cr)
        return PyBytes_FromStringAndSize((const char *)text, end - text);
    PyObject *made = PyBytes_FromStringAndSize(NULL, with_lf(text, end, NULL));
    if (made)
        with_lf(text, end, (unsigned char *)PyBytes_AS_STRING(made));
    return made;
}

static PyObject *
line_of(Section *self, Field *field)
{
    PyObject *made = PyBytes_FromStringAndSize(NULL, field->length);
    if (made)
        unfold(octets(self) + field->text, octets(self) + field->text_end, (unsigned char *)PyBytes_AS_STRING(made));
    return made;
}

/* What the decoder makes of the line of an encoded field, once; borrowed. */
static PyObject *
made_of(Section *self, Field *field)
{
    if (field->decoded)
        return field->decoded;
    PyObject *line = line_of(self, field);
    if (!line)
        return NULL;
    PyObject *name = PyList_GET_ITEM(self->names, field - self->fields);
    PyObject *made = PyObject_CallFunctionObjArgs(decoder, line, name, NULL);
    Py_DECREF(line);
    if (made && !PyBytes_Check(made)) {
        PyErr_SetString(PyExc_TypeError, "lines are bytes");
        Py_CLEAR(made);
    }
    return field->decoded = made;
}

static PyObject *
decoded_of(Section *self, Field *field)
{
    return field->encoded ? Py_XNewRef(made_of(self, field)) : line_of(self, field);
}

/* The decoded line, copied where `to` is not NULL. Its length; -1 with an error set. */
static Py_ssize_t
put_line(Section *self, Field *field, unsigned char *to)
{
    if (!field->encoded) {
        if (to)
            unfold(octets(self) + field->text, octets(self) + field->text_end, to);
        return field->length;
    }
    PyObject *made = made_of(self, field);
    if (!made)
        return -1;
    if (to)
        memcpy(to, PyBytes_AS_STRING(made), (size_t)PyBytes_GET_SIZE(made));
    return PyBytes_GET_SIZE(made);
}

/* The places of the fields of this name, borrowed; NULL: there are none, or an error is set. */
static PyObject *
places_of(Section *self, PyObject *name, int any_case)
{
    if (!self->by_name)
        return NULL;
    if (!any_case)
        return PyDict_GetItemWithError(self->by_name, name);
    if (PyUnicode_Check(name) && PyUnicode_READY(name) == 0 && PyUnicode_IS_ASCII(name))
        name = name_object(PyUnicode_1BYTE_DATA(name), PyUnicode_GET_LENGTH(name));
    else
        name = PyObject_CallMethod(name, "lower", NULL);
    if (!name)
        return NULL;
    PyObject *places = PyDict_GetItemWithError(self->by_name, name);
    Py_DECREF(name);
    return places;
}

/* A list of what `make` makes of every field of this name, any case. */
static PyObject *
of_this_name(Section *self, PyObject *name, PyObject *make(Section *, Field *))
{
    PyObject *places = places_of(self, name, 1);
    if (!places)
        return PyErr_Occurred() ? NULL : PyList_New(0);
    PyObject *all = PySequence_Tuple(places); /* nobody changes it meanwhile */
    PyObject *list = all ? PyList_New(PyTuple_GET_SIZE(all)) : NULL;
    for (Py_ssize_t at = 0; list && at < PyTuple_GET_SIZE(all); at++) {
        Field *field = field_at(self, PyTuple_GET_ITEM(all, at));
        PyObject *made = field ? make(self, field) : NULL;
        if (!made)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, at, made);
    }
    Py_XDECREF(all);
    return list;
}

static PyObject *
section_values(Section *self, PyObject *name)
{
    return of_this_name(self, name, value_of);
}

static PyObject *
section_decoded_values(Section *self, PyObject *name)
{
    return of_this_name(self, name, decoded_of);
}

static PyObject *
section_last_decoded(Section *self, PyObject *name)
{
    PyObject *places = places_of(self, name, 1);
    if (!places) {
        if (PyErr_Occurred())
            return NULL;
        Py_RETURN_NONE;
    }
    PyObject *last = PySequence_GetItem(places, -1);
    Field *field = last ? field_at(self, last) : NULL;
    Py_XDECREF(last);
    return field ? decoded_of(self, field) : NULL;
}

static PyObject *
section_decoded(Section *self, PyObject *place)
{
    Field *field = field_at(self, place);
    return field ? decoded_of(self, field) : NULL;
}

static PyObject *
section_places(Section *self, PyObject *name)
{
    PyObject *places = places_of(self, name, 0);
    return places || PyErr_Occurred() ? Py_XNewRef(places) : Py_NewRef(none);
}

static int
section_contains(Section *self, PyObject *name)
{
    return places_of(self, name, 1) ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* The decoded lines of the fields of this name, each with a line end; None when there are none. */
static PyObject *
section_text(Section *self, PyObject *name)
{
    PyObject *places = places_of(self, name, 0);
    if (!places) {
        if (PyErr_Occurred())
            return NULL;
        Py_RETURN_NONE;
    }
    PyObject *all = PySequence_Tuple(places); /* nobody changes it meanwhile */
    if (!all)
        return NULL;
    Py_ssize_t length = 0;
    PyObject *made = NULL;
    unsigned char *to = NULL;
    for (int copying = 0; copying < 2; copying++) {
        for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(all); at++) {
            Field *field = field_at(self, PyTuple_GET_ITEM(all, at));
            Py_ssize_t line = field ? put_line(self, field, to) : -1;
            if (line < 0) {
                Py_CLEAR(made);
                goto done;
            }
            length += line + 1;
            if (copying) {
                to += line;
                *to++ = '\n';
            }
        }
        if (copying)
            break;
        made = PyBytes_FromStringAndSize(NULL, length);
        if (!made)
            break;
        to = (unsigned char *)PyBytes_AS_STRING(made);
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

/* Every field with its name and a line end, decoded, but those whose name begins with `without`; None: more than `most`. */
static PyObject *
section_all_text(Section *self, PyObject *args)
{
    const char *without;
    Py_ssize_t most, without_length, length = 0;
    if (!PyArg_ParseTuple(args, "s#n", &without, &without_length, &most))
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
            if (copying) {
                memcpy(to, name, (size_t)name_length);
                to += name_length;
                *to++ = ':';
                *to++ = ' ';
            }
            Py_ssize_t line = put_line(self, field, to);
            if (line < 0) {
                Py_XDECREF(made);
                return NULL;
            }
            length += name_length + line + 3;
            if (copying) {
                to += line;
                *to++ = '\n';
            }
        }
        if (copying)
            break;
        if (length > most)
            Py_RETURN_NONE;
        made = PyBytes_FromStringAndSize(NULL, length);
        if (!made)
            return NULL;
        to = (unsigned char *)PyBytes_AS_STRING(made);
    }
    return made;
}

/* -- All fields -- */

/* A list of what `make` makes of every field. */
static PyObject *
of_every_field(Section *self, PyObject *make(Section *, Field *))
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
written_name_of(Section *self, Field *field)
{
    return PyBytes_FromStringAndSize((const char *)octets(self) + field->start, field->colon - field->start);
}

static PyObject *
octets_of(Section *self, Field *field)
{
    return PyBytes_FromStringAndSize((const char *)octets(self) + field->start, field->end - field->start);
}

/* Fills a tuple with these numbers from `at` on; NULL when one cannot be made. */
static PyObject *
numbered(PyObject *tuple, Py_ssize_t at, const Py_ssize_t *numbers, int count)
{
    for (int i = 0; tuple && i < count; i++) {
        PyObject *number = PyLong_FromSsize_t(numbers[i]);
        if (!number)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, at + i, number);
    }
    return tuple;
}

static PyObject *
span_of(Section *Py_UNUSED(self), Field *field)
{
    const Py_ssize_t ends[2] = {field->colon + 1, field->end};
    return numbered(PyTuple_New(2), 0, ends, 2);
}

static PyObject *
described(Section *self, Field *field)
{
    const Py_ssize_t places[3] = {field->start, field->colon + 1, field->end};
    PyObject *name = PyUnicode_DecodeLatin1((const char *)octets(self) + field->start, field->colon - field->start, NULL);
    PyObject *made = name ? field_type->tp_alloc(field_type, 4) : NULL;
    if (!made) {
        Py_XDECREF(name);
        return NULL;
    }
    PyTuple_SET_ITEM(made, 0, name);
    return numbered(made, 1, places, 3);
}

static PyObject *
section_raw_fields(Section *self, PyObject *Py_UNUSED(nothing))
{
    return of_every_field(self, octets_of);
}

static PyObject *
section_written_names(Section *self, void *Py_UNUSED(nothing))
{
    return of_every_field(self, written_name_of);
}

static PyObject *
section_spans(Section *self, void *Py_UNUSED(nothing))
{
    if (!self->spans)
        self->spans = of_every_field(self, span_of);
    return Py_XNewRef(self->spans);
}

static PyObject *
section_fields(Section *self, void *Py_UNUSED(nothing))
{
    if (!self->described) {
        PyObject *all = of_every_field(self, described);
        self->described = all ? PyList_AsTuple(all) : NULL;
        Py_XDECREF(all);
    }
    return Py_XNewRef(self->described);
}

static PyObject *
section_whole(Section *self, void *Py_UNUSED(nothing))
{
    return PyBytes_FromStringAndSize((const char *)octets(self) + self->start, self->end - self->start);
}

static PyMethodDef section_methods[] = {
    {"places", (PyCFunction)section_places, METH_O, NULL},
    {"values", (PyCFunction)section_values, METH_O, NULL},
    {"decoded", (PyCFunction)section_decoded, METH_O, NULL},
    {"decoded_values", (PyCFunction)section_decoded_values, METH_O, NULL},
    {"last_decoded", (PyCFunction)section_last_decoded, METH_O, NULL},
    {"text", (PyCFunction)section_text, METH_O, NULL},
    {"all_text", (PyCFunction)section_all_text, METH_VARARGS, NULL},
    {"raw_fields", (PyCFunction)section_raw_fields, METH_NOARGS, NULL},
    {NULL},
};

static PyMemberDef section_members[] = {
    {"raw", T_OBJECT_EX, offsetof(Section, raw), READONLY, NULL},
    {"names", T_OBJECT_EX, offsetof(Section, names), READONLY, NULL},
    {"_by_name", T_OBJECT_EX, offsetof(Section, by_name), READONLY, NULL},
    {"body_start", T_PYSSIZET, offsetof(Section, body_start), READONLY, NULL},
    {"crlf", T_BOOL, offsetof(Section, crlf), READONLY, NULL},
    {NULL},
};

static PyGetSetDef section_views[] = {
    {"fields", (getter)section_fields, NULL, NULL, NULL},
    {"spans", (getter)section_spans, NULL, NULL, NULL},
    {"written_names", (getter)section_written_names, NULL, NULL, NULL},
    {"whole", (getter)section_whole, NULL, NULL, NULL},
    {NULL},
};

static PySequenceMethods section_as_sequence = {
    .sq_contains = (objobjproc)section_contains,
};

static PyTypeObject SectionType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "lazaret.mime._header_kernel.Section",
    .tp_basicsize = sizeof(Section),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)section_dealloc,
    .tp_methods = section_methods,
    .tp_members = section_members,
    .tp_getset = section_views,
    .tp_as_sequence = &section_as_sequence,
};

PyDoc_STRVAR(use_doc, "use(decoder, field_type): words.decode_line and header_section.Field.");

static PyObject *
use(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given;
    PyTypeObject *type;
    if (!PyArg_ParseTuple(args, "OO!", &given, &PyType_Type, &type))
        return NULL;
    if (!PyType_IsSubtype(type, &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "a field is a tuple");
        return NULL;
    }
    Py_XSETREF(decoder, Py_NewRef(given));
    Py_XSETREF(field_type, (PyTypeObject *)Py_NewRef(type));
    Py_RETURN_NONE;
}

/* -- Bodies -- */

PyDoc_STRVAR(lf_doc, "lf(octets, start): the octets from there on, with CRLF as LF.");

static PyObject *
lf(PyObject *Py_UNUSED(module), PyObject *args)
{
    const unsigned char *text;
    Py_ssize_t length, start;
    if (!PyArg_ParseTuple(args, "y#n", &text, &length, &start))
        return NULL;
    if (start < 0 || start > length) {
        PyErr_SetString(PyExc_ValueError, "no place in the octets");
        return NULL;
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, length - start);
    if (made)
        _PyBytes_Resize(&made, with_lf(text + start, text + length, (unsigned char *)PyBytes_AS_STRING(made)));
    return made;
}

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
    {"use", use, METH_VARARGS, use_doc},
    {"read", read_section, METH_VARARGS, read_doc},
    {"white_run", white_run, METH_VARARGS, white_run_doc},
    {"lf", lf, METH_VARARGS, lf_doc},
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
    if (PyType_Ready(&SectionType) < 0)
        return NULL;
    none = PyTuple_New(0);
    if (!none)
        return NULL;
    for (Py_ssize_t place = 0; place < SINGLES; place++)
        if (!(singles[place] = Py_BuildValue("(n)", place)))
            return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made && (PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0
                 || PyModule_AddObjectRef(made, "Section", (PyObject *)&SectionType) < 0))
        Py_CLEAR(made);
    return made;
}
