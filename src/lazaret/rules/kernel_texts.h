/* All groups that search the same texts: the compiled half of rules/searches.py, rules/texts.py and rules/folding.py. */

/* What a text is; see folding.py. */
enum kind { PLAIN, STRANGE, IN_PURE_ASCII, OTHER, KINDS };

enum { DROPPED = 0, NOT_PLAIN = 1 }; /* in the table of octets */

typedef struct {
    PyObject_HEAD
    PyObject *each;           /* tuples of Finders: of all texts, or those of a kind */
    PyObject *of_kind[KINDS];
    unsigned char fold[256];
    Memo memo;
    Py_ssize_t count;
    Py_ssize_t *rules; /* that have a value as soon as there are texts */
    double *values;
    PyObject *confirm;
    PyObject *selector; /* of the header field that is searched; unless it is "", `reader` gives its value */
    PyObject *reader;
} Finders;

static int
finders_traverse(Finders *self, visitproc visit, void *arg)
{
    Py_VISIT(self->each);
    for (int kind = 0; kind < KINDS; kind++)
        Py_VISIT(self->of_kind[kind]);
    Py_VISIT(self->confirm);
    Py_VISIT(self->selector);
    Py_VISIT(self->reader);
    return 0;
}

static void
finders_dealloc(Finders *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->each);
    for (int kind = 0; kind < KINDS; kind++)
        Py_CLEAR(self->of_kind[kind]);
    Py_CLEAR(self->confirm);
    Py_CLEAR(self->selector);
    Py_CLEAR(self->reader);
    PyMem_Free(self->rules);
    PyMem_Free(self->values);
    memo_free(&self->memo);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static int
are_finders(PyObject *finders)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(finders); at++)
        if (Py_TYPE(PyTuple_GET_ITEM(finders, at)) != &FinderType) {
            PyErr_SetString(PyExc_TypeError, "tuples of Finders");
            return 0;
        }
    return 1;
}

/* Whether one of them has a database. */
static int
any_scans(PyObject *finders)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(finders); at++)
        if (((Finder *)PyTuple_GET_ITEM(finders, at))->scan != Py_None)
            return 1;
    return 0;
}

/* Finders(each, plain, strange, ascii, other, at_first, fold, confirm, selector, reader, remembered); at_first: tuples
   of rule and value; confirm(run, candidate) looks at what has to be looked at in Python; reader(message) gives what is
   selected; remembered: so many texts at most */
static PyObject *
finders_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *each, *of_kind[KINDS], *at_first, *confirm, *selector, *reader;
    Py_ssize_t remembered;
    Py_buffer fold;
    static char *keywords[] = {"each", "plain", "strange", "ascii", "other", "at_first", "fold", "confirm", "selector",
                               "reader", "remembered", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O!O!O!O!O!O!y*OUOn", keywords, &PyTuple_Type, &each, &PyTuple_Type,
                                     &of_kind[PLAIN], &PyTuple_Type, &of_kind[STRANGE], &PyTuple_Type,
                                     &of_kind[IN_PURE_ASCII], &PyTuple_Type, &of_kind[OTHER], &PyTuple_Type, &at_first,
                                     &fold, &confirm, &selector, &reader, &remembered))
        return NULL;
    Finders *self = fold.len == 256 ? (Finders *)type->tp_alloc(type, 0) : NULL;
    if (self)
        memcpy(self->fold, fold.buf, 256);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "fold: what becomes of each octet");
    PyBuffer_Release(&fold);
    if (!self)
        return NULL;
    self->confirm = Py_NewRef(confirm);
    self->selector = Py_NewRef(selector);
    self->reader = Py_NewRef(reader);
    if (!are_finders(each))
        goto error;
    self->each = Py_NewRef(each);
    int scans = any_scans(each);
    for (int kind = 0; kind < KINDS; kind++) {
        if (!are_finders(of_kind[kind]))
            goto error;
        self->of_kind[kind] = Py_NewRef(of_kind[kind]);
        scans = scans || any_scans(of_kind[kind]);
    }
    if (remembered < 0 || remembered > MEMO_MOST) {
        PyErr_SetString(PyExc_ValueError, "remembered: how many texts");
        goto error;
    }
    if (memo_make(&self->memo, scans ? remembered : 0) < 0) {
        PyErr_NoMemory();
        goto error;
    }
    self->count = PyTuple_GET_SIZE(at_first);
    self->rules = PyMem_Calloc((size_t)self->count + 1, sizeof(Py_ssize_t));
    self->values = PyMem_Calloc((size_t)self->count + 1, sizeof(double));
    if (!self->rules || !self->values) {
        PyErr_NoMemory();
        goto error;
    }
    for (Py_ssize_t at = 0; at < self->count; at++) {
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(at_first, at), "nd", &self->rules[at], &self->values[at]))
            goto error;
        if (self->rules[at] < 0) {
            PyErr_SetString(PyExc_IndexError, "no such rule");
            goto error;
        }
    }
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

/* The text folded (a new bytes object), NULL: it is not plain, or an error is set. */
static PyObject *
folded(const unsigned char *fold, PyObject *text)
{
    const unsigned char *from = (const unsigned char *)PyBytes_AS_STRING(text);
    PyObject *made = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(text));
    if (!made)
        return NULL;
    char *to = PyBytes_AS_STRING(made);
    for (Py_ssize_t left = PyBytes_GET_SIZE(text); left > 0; left--) {
        unsigned char octet = fold[*from++];
        if (octet == NOT_PLAIN) {
            Py_DECREF(made);
            return NULL;
        }
        *to = (char)octet;
        to += octet != DROPPED;
    }
    _PyBytes_Resize(&made, to - PyBytes_AS_STRING(made));
    return made;
}

/* Searches each text of the first kind (what is searched instead of it stands in `instead`), and those of the next. */
static int
finders_of_two_kinds(const Finders *self, enum kind first_kind, PyObject *texts, PyObject *const *instead,
                     Recall *recalls, Values *values, PyObject **rest)
{
    for (int which = 0; which < 2; which++) {
        PyObject *finders = self->of_kind[first_kind + which];
        for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(finders); at++) {
            Finder *finder = (Finder *)PyTuple_GET_ITEM(finders, at);
            if (finder_some(finder, texts, instead, which == 0, recalls, values, rest) < 0)
                return -1;
        }
    }
    return 0;
}

/* What is searched for a text that is plain, NULL for another one; what is known of a text is not searched. */
static PyObject *
instead_of(const Finders *self, PyObject *text, Recall *recall)
{
    if (recall && recall->known)
        return recall->plain ? Py_NewRef(text) : NULL;
    PyObject *instead = folded(self->fold, text);
    if (recall)
        recall->plain = instead != NULL;
    return instead;
}

/* The texts of a kind and those of the next kind, which are the rest. */
static int
finders_by_kind(const Finders *self, PyObject *texts, enum kind first_kind, Recall *recalls, Values *values,
                PyObject **rest)
{
    Py_ssize_t count = PyTuple_GET_SIZE(texts);
    if (!PyTuple_GET_SIZE(self->of_kind[first_kind]) && !PyTuple_GET_SIZE(self->of_kind[first_kind + 1]))
        return 0;
    PyObject **instead = PyMem_Calloc((size_t)count + 1, sizeof(PyObject *));
    if (!instead) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at < count && !PyErr_Occurred(); at++) {
        PyObject *text = PyTuple_GET_ITEM(texts, at);
        if (first_kind == PLAIN)
            instead[at] = instead_of(self, text, recall_of(recalls, at));
        else if (all_ascii(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)))
            instead[at] = Py_NewRef(text);
    }
    int result = PyErr_Occurred() ? -1 : finders_of_two_kinds(self, first_kind, texts, instead, recalls, values, rest);
    for (Py_ssize_t at = 0; at < count; at++)
        Py_XDECREF(instead[at]);
    PyMem_Free(instead);
    return result;
}

static int
are_texts(PyObject *texts)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(texts); at++)
        if (!PyBytes_Check(PyTuple_GET_ITEM(texts, at))) {
            PyErr_SetString(PyExc_TypeError, "texts are bytes");
            return 0;
        }
    return 1;
}

/* Searches the texts; `*rest`: NULL, or a list of (search, place, texts, number of the first) for Python. */
static int
finders_search(const Finders *self, PyObject *texts, Recall *recalls, Values *values, PyObject **rest)
{
    for (Py_ssize_t at = 0; at < self->count; at++) {
        if (self->rules[at] >= values->outset->count) {
            PyErr_SetString(PyExc_IndexError, "no such rule");
            return -1;
        }
        values_put(values, self->rules[at], self->values[at]);
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(self->each); at++)
        if (finder_each((Finder *)PyTuple_GET_ITEM(self->each, at), texts, recalls, values, rest) < 0)
            return -1;
    if (finders_by_kind(self, texts, PLAIN, recalls, values, rest) < 0)
        return -1;
    return finders_by_kind(self, texts, IN_PURE_ASCII, recalls, values, rest);
}

/* The same, but for what is remembered of the first texts; these are remembered then. */
static int
finders_search_or_recall(const Finders *self, PyObject *texts, Values *values, PyObject **rest)
{
    Py_ssize_t count = Py_MIN(PyTuple_GET_SIZE(texts), MEMO_TEXTS);
    Recall *recalls = self->memo.size ? PyMem_Malloc((size_t)count * sizeof(Recall)) : NULL;
    for (Py_ssize_t at = 0; recalls && at < count; at++)
        memo_recall(&self->memo, PyTuple_GET_ITEM(texts, at), &recalls[at]);
    int result = finders_search(self, texts, recalls, values, rest);
    for (Py_ssize_t at = 0; recalls && !result && at < count; at++)
        memo_keep(&self->memo, PyTuple_GET_ITEM(texts, at), &recalls[at]);
    PyMem_Free(recalls);
    return result;
}

/* Searches the texts of a run. */
static int
finders_run(const Finders *self, PyObject *run, PyObject *texts)
{
    PyObject *rest = NULL, *values = PyObject_GetAttr(run, name_of_values);
    int result = -1;
    if (values && Py_TYPE(values) == &ValuesType)
        result = finders_search_or_recall(self, texts, (Values *)values, &rest);
    else if (values)
        PyErr_SetString(PyExc_TypeError, "run.values: Values");
    for (Py_ssize_t at = 0; rest && !result && at < PyList_GET_SIZE(rest); at++) {
        PyObject *done = PyObject_CallFunctionObjArgs(self->confirm, run, PyList_GET_ITEM(rest, at), NULL);
        result = done ? 0 : -1;
        Py_XDECREF(done);
    }
    Py_XDECREF(rest);
    Py_XDECREF(values);
    return result;
}

/* over(run, texts) */
static PyObject *
finders_over(Finders *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "over(run, texts)");
        return NULL;
    }
    PyObject *texts = PySequence_Tuple(args[1]);
    int result = texts && are_texts(texts) ? finders_run(self, args[0], texts) : -1;
    Py_XDECREF(texts);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* The value of the field, as `run.headers[selector]` gives it: mostly nobody has read it before. */
static PyObject *
finders_value(const Finders *self, PyObject *run, PyObject *headers)
{
    PyObject *value = PyDict_GetItemWithError(headers, self->selector);
    if (value || PyErr_Occurred())
        return Py_XNewRef(value);
    PyObject *message = PyObject_GetAttr(run, name_of_message);
    value = message ? PyObject_CallOneArg(self->reader, message) : NULL;
    Py_XDECREF(message);
    if (value == Py_None) { /* There may be something beside the message. */
        Py_DECREF(value);
        return PyObject_GetItem(headers, self->selector);
    }
    if (value && PyDict_SetItem(headers, self->selector, value) < 0)
        Py_CLEAR(value);
    return value;
}

/* in_field(run) */
static PyObject *
finders_in_field(Finders *self, PyObject *run)
{
    PyObject *headers = PyObject_GetAttr(run, name_of_headers), *value = NULL;
    if (headers && PyDict_Check(headers))
        value = finders_value(self, run, headers);
    else if (headers)
        PyErr_SetString(PyExc_TypeError, "run.headers: a dict");
    Py_XDECREF(headers);
    PyObject *texts = value && value != Py_None ? PyTuple_Pack(1, value) : NULL;
    int result = value ? 0 : -1;
    if (value && value != Py_None)
        result = texts && are_texts(texts) ? finders_run(self, run, texts) : -1;
    Py_XDECREF(texts);
    Py_XDECREF(value);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef finders_methods[] = {
    {"over", (PyCFunction)(void (*)(void))finders_over, METH_FASTCALL,
     "Searches the texts of a run."},
    {"in_field", (PyCFunction)finders_in_field, METH_O, "Searches the value of the field of a run, if there is one."},
    {NULL},
};

static PyTypeObject FindersType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazaret.rules._kernel.Finders",
    .tp_basicsize = sizeof(Finders),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "All groups that search the same texts.",
    .tp_new = finders_new,
    .tp_dealloc = (destructor)finders_dealloc,
    .tp_traverse = (traverseproc)finders_traverse,
    .tp_methods = finders_methods,
};
