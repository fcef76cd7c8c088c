/* Searching: the compiled half of rules/search.py, and of what is put off in rules/values.py.

   Texts are never read here: they go, with their lengths, to Vectorscan and to PCRE2. What cannot be
   settled here (captures, expressions for Python's `re`, limits that are used up, time that is used up) is given back. */

#include <time.h>

/* What a rule wants of an expression; see kernel.py. */
enum flag { SETTLED = 1, PUT_OFF = 2, COUNTED = 4, NEGATED = 8, SKIPS_SUBJECT = 16, EXACT = 32, BY_PYTHON = 64, FLAGS = 128 };

enum { LOOK_AT_CLOCK = 32 }; /* texts between two looks */

typedef struct {
    Py_ssize_t rule;
    Py_ssize_t limit; /* of its hits; negative: none */
    unsigned char flags;
    PyObject *matcher; /* Matcher, None (Python only), or NULL: nobody asked yet */
} Place;

/* A group of expressions. It is the function that Vectorscan calls. */
struct Finder {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    Py_ssize_t count;
    Place *places;
    unsigned char *seen;
    Py_ssize_t *found;
    Py_ssize_t found_count;
    Py_ssize_t *alone; /* places of what is not in the database */
    Py_ssize_t alone_count;
    PyObject *scan; /* None: there is no database */
    PyObject *scratch;
    PyObject *search;
    PyObject *make_matcher;
};

/* Where an expression may match: the compiled Candidate of search.py. */
struct Candidate {
    Finder *finder;
    PyObject *texts;   /* a tuple */
    PyObject *other;   /* a candidate of Python, instead of all that */
    Py_ssize_t place;
    Py_ssize_t number; /* of the text; ALL of them */
    Py_ssize_t rule;
    Py_ssize_t next;   /* of the same rule, round in a circle */
};

enum { ALL = -1 };

static int
is_late(const Values *values)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* that of time.perf_counter() */
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9 > values->deadline;
}

/* NULL without an error: Python has to do it. */
static Matcher *
finder_matcher(Finder *self, Py_ssize_t at)
{
    Place *place = &self->places[at];
    if (!place->matcher) {
        PyObject *made = self->make_matcher ? PyObject_CallFunction(self->make_matcher, "n", at) : NULL;
        if (!made) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_RuntimeError, "cleared");
            return NULL;
        }
        if (made != Py_None && Py_TYPE(made) != &MatcherType) {
            Py_DECREF(made);
            PyErr_SetString(PyExc_TypeError, "no Matcher");
            return NULL;
        }
        Py_XSETREF(place->matcher, made);
    }
    return place->matcher == Py_None ? NULL : (Matcher *)place->matcher;
}

/* What is found while the texts of one rule are looked at. */
typedef struct {
    double value;
    PyObject *where; /* borrowed from a tuple of texts */
} Tally;

/* One text. `number`: its place in the view. */
static int
finder_look(Finder *self, Py_ssize_t at, PyObject *text, Py_ssize_t number, Tally *tally)
{
    const Place *place = &self->places[at];
    if (place->flags & SKIPS_SUBJECT && number == 0)
        return MORE;
    if (!(place->flags & NEGATED) && place->limit >= 0 && tally->value >= (double)place->limit)
        return ENOUGH;
    Py_ssize_t count = 1;
    if (!(place->flags & EXACT)) {
        Py_ssize_t most = place->limit;
        if (place->flags & COUNTED && most >= 0)
            most -= (Py_ssize_t)tally->value;
        Matcher *matcher = finder_matcher(self, at);
        if (!matcher)
            return PyErr_Occurred() ? FAILED : TO_PYTHON;
        count = matcher_count(matcher, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), most);
        if (count < 0)
            return TO_PYTHON;
    }
    if (!count)
        return MORE;
    if (!tally->where)
        tally->where = text;
    double total = tally->value + (double)count;
    tally->value = place->flags & NEGATED ? 0 : place->limit >= 0 && total > (double)place->limit ? (double)place->limit : total;
    return place->flags & NEGATED ? ENOUGH : MORE;
}

/* All texts. */
static int
finder_look_in(Finder *self, Py_ssize_t at, PyObject *texts, const Values *values, Tally *tally)
{
    int answer = MORE;
    for (Py_ssize_t number = 0; number < PyTuple_GET_SIZE(texts) && answer == MORE; number++) {
        if (number && number % LOOK_AT_CLOCK == 0 && is_late(values))
            return TO_PYTHON;
        answer = finder_look(self, at, PyTuple_GET_ITEM(texts, number), number, tally);
    }
    return answer;
}

/* 1 if Python has to do it, since it must know that there is no time left, or that the rule had its chance. */
static int
is_for_python(const Finder *self, Py_ssize_t at, const Values *values)
{
    if (self->places[at].flags & BY_PYTHON || is_late(values))
        return 1;
    if (!PySet_Check(values->spent) || !PySet_GET_SIZE(values->spent))
        return 0;
    PyObject *key = PyLong_FromSsize_t(self->places[at].rule);
    int spent = key ? PySet_Contains(values->spent, key) : -1;
    Py_XDECREF(key);
    return spent;
}

static int
values_take(Values *values, Py_ssize_t rule, const Tally *tally)
{
    values_put(values, rule, tally->value);
    if (!tally->where)
        return 0;
    PyObject *key = PyLong_FromSsize_t(rule);
    int done = key && PyDict_SetDefault(values->where, key, tally->where) ? 0 : -1;
    Py_XDECREF(key);
    return done;
}

/* Looks now; `number` ALL: in all texts. */
static int
finder_confirm(Finder *self, Py_ssize_t at, PyObject *texts, Py_ssize_t number, Values *values)
{
    Tally tally = {0, NULL};
    int python = is_for_python(self, at, values);
    if (python)
        return python < 0 ? FAILED : TO_PYTHON;
    if (values_value(values, self->places[at].rule, &tally.value) < 0)
        return FAILED;
    double before = tally.value;
    int answer = number == ALL ? finder_look_in(self, at, texts, values, &tally)
                               : finder_look(self, at, PyTuple_GET_ITEM(texts, number), number, &tally);
    if (answer == FAILED || answer == TO_PYTHON)
        return answer;
    if ((tally.value != before || tally.where) && values_take(values, self->places[at].rule, &tally) < 0)
        return FAILED;
    return answer;
}

/* -- What is put off -- */

static void
values_free_candidates(Values *self)
{
    for (Py_ssize_t at = 0; at < self->noted; at++) {
        Py_XDECREF(self->candidates[at].finder);
        Py_XDECREF(self->candidates[at].texts);
        Py_XDECREF(self->candidates[at].other);
    }
    PyMem_Free(self->candidates);
}

static int
values_note(Values *self, Py_ssize_t rule, const struct Candidate *candidate)
{
    if (rule < 0 || rule >= self->outset->count) {
        PyErr_SetString(PyExc_IndexError, "no such rule");
        return -1;
    }
    if (self->noted == self->room) {
        Py_ssize_t room = self->room ? self->room * 2 : 32;
        struct Candidate *larger = PyMem_Realloc(self->candidates, (size_t)room * sizeof(struct Candidate));
        if (!larger) {
            PyErr_NoMemory();
            return -1;
        }
        self->candidates = larger;
        self->room = room;
    }
    Py_ssize_t here = self->noted++;
    struct Candidate *noted = &self->candidates[here];
    *noted = *candidate;
    Py_XINCREF(noted->finder);
    Py_XINCREF(noted->texts);
    Py_XINCREF(noted->other);
    noted->rule = rule;
    noted->next = here;
    if (self->waits[rule]) {
        struct Candidate *last = &self->candidates[self->last[rule]];
        noted->next = last->next;
        last->next = here;
    }
    self->last[rule] = (int32_t)here;
    self->waits[rule] = 1;
    self->known[rule] = UNKNOWN;
    return 0;
}

/* Marks the places of the metas that hang on rules with candidates: one that was worked out has none any more. */
static void
values_concern_noted(const Values *self, unsigned char *places)
{
    for (Py_ssize_t at = 0; at < self->noted; at++)
        if (self->waits[self->candidates[at].rule])
            concern(self->outset, self->candidates[at].rule, places);
}

/* Looks at what was put off for a rule, whose value is known to be that of the start. MORE or ENOUGH: it is done. */
static int
values_confirm(Values *self, Py_ssize_t rule)
{
    const double at_first = values_known(self, rule);
    Tally tally = {at_first, NULL};
    Py_ssize_t end = self->last[rule], at = end, in_group = 0;
    struct Candidate before = {0}, each;
    int answer = MORE;
    do {
        at = self->candidates[at].next;
        each = self->candidates[at];
        if (!each.finder)
            return TO_PYTHON;
        if (before.finder != each.finder || before.place != each.place || before.texts != each.texts) {
            int python = is_for_python(each.finder, each.place, self);
            if (python)
                return python < 0 ? FAILED : TO_PYTHON;
            in_group = 0;
        }
        if (each.number == ALL)
            answer = finder_look_in(each.finder, each.place, each.texts, self, &tally);
        else {
            PyObject *text = PyTuple_GET_ITEM(each.texts, each.number);
            if (in_group++ && in_group % LOOK_AT_CLOCK == 1 && is_late(self))
                return TO_PYTHON;
            answer = finder_look(each.finder, each.place, text, each.number, &tally);
        }
        before = each;
    } while (answer == MORE && at != end);
    if (answer == FAILED || answer == TO_PYTHON)
        return answer;
    self->waits[rule] = 0;
    if (tally.value != at_first || tally.where)
        return values_take(self, rule, &tally) < 0 ? FAILED : answer;
    return answer;
}

/* (search, place, texts, number of the first) of a candidate, or what Python gave. */
static PyObject *
candidate_of(const struct Candidate *each)
{
    if (!each->finder)
        return Py_NewRef(each->other);
    if (each->number == ALL)
        return Py_BuildValue("OnOi", each->finder->search, each->place, each->texts, 0);
    return Py_BuildValue("On[O]n", each->finder->search, each->place, PyTuple_GET_ITEM(each->texts, each->number),
                         each->number);
}

/* Whether the two are texts of one view for the same expression. */
static int
goes_with(const struct Candidate *one, const struct Candidate *other)
{
    return one->finder && one->finder == other->finder && one->place == other->place && one->texts == other->texts &&
           one->number != ALL && other->number != ALL;
}

/* The candidates of a rule for Python, those that go together as one. */
static PyObject *
values_give_back(Values *self, Py_ssize_t rule)
{
    PyObject *rest = PyList_New(0), *texts = NULL; /* texts: the list in the last one, borrowed */
    Py_ssize_t end = self->last[rule], at = end, before = -1;
    self->waits[rule] = 0;
    do {
        at = self->candidates[at].next;
        const struct Candidate *each = &self->candidates[at];
        int done = rest ? 0 : -1;
        if (rest && before >= 0 && goes_with(&self->candidates[before], each))
            done = PyList_Append(texts, PyTuple_GET_ITEM(each->texts, each->number));
        else if (rest) {
            PyObject *candidate = candidate_of(each);
            done = candidate ? PyList_Append(rest, candidate) : -1;
            if (!done && each->finder && each->number != ALL)
                texts = PyTuple_GET_ITEM(candidate, 2);
            Py_XDECREF(candidate);
        }
        if (done < 0) {
            Py_XDECREF(rest);
            return NULL;
        }
        before = at;
    } while (at != end);
    return rest;
}

/* confirm(rule): sets its value; the candidates that Python has to look at */
static PyObject *
values_confirm_method(Values *self, PyObject *number)
{
    Py_ssize_t rule = below(number, self->outset->count);
    if (rule < 0)
        return NULL;
    if (!self->waits[rule])
        return PyTuple_New(0);
    if (self->known[rule] == UNKNOWN)
        self->known[rule] = AS_AT_FIRST;
    int answer = self->given_back == rule ? TO_PYTHON : values_confirm(self, rule);
    if (answer == FAILED)
        return NULL;
    return answer == TO_PYTHON ? values_give_back(self, rule) : PyTuple_New(0);
}

/* put_off(rule, candidate) */
static PyObject *
values_put_off(Values *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "put_off(rule, candidate)");
        return NULL;
    }
    Py_ssize_t rule = below(args[0], self->outset->count);
    struct Candidate candidate = {.other = args[1]};
    if (rule < 0 || values_note(self, rule, &candidate) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* -- Finder -- */

static PyObject *
finder_note(Finder *self, PyObject *const *args, size_t flags, PyObject *Py_UNUSED(names))
{
    if (PyVectorcall_NARGS(flags) < 1) {
        PyErr_SetString(PyExc_TypeError, "a place is missing");
        return NULL;
    }
    Py_ssize_t place = below(args[0], self->count);
    if (place < 0)
        return NULL;
    if (!self->seen[place]) {
        self->seen[place] = 1;
        self->found[self->found_count++] = place; /* each once: never more than there are */
    }
    Py_RETURN_NONE;
}

static int
finder_traverse(Finder *self, visitproc visit, void *arg)
{
    Py_VISIT(self->scan);
    Py_VISIT(self->scratch);
    Py_VISIT(self->search);
    Py_VISIT(self->make_matcher);
    return 0;
}

static int
finder_clear(Finder *self)
{
    Py_CLEAR(self->scan);
    Py_CLEAR(self->scratch);
    Py_CLEAR(self->search);
    Py_CLEAR(self->make_matcher);
    return 0;
}

static void
finder_dealloc(Finder *self)
{
    PyObject_GC_UnTrack(self);
    finder_clear(self);
    if (self->places)
        for (Py_ssize_t at = 0; at < self->count; at++)
            Py_XDECREF(self->places[at].matcher);
    PyMem_Free(self->places);
    PyMem_Free(self->alone);
    PyMem_Free(self->seen);
    PyMem_Free(self->found);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Finder(scan, scratch, places, alone, search, make_matcher); places: tuples of rule, flags and limit */
static PyObject *
finder_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *scan, *scratch, *places, *alone, *search, *make_matcher;
    static char *keywords[] = {"scan", "scratch", "places", "alone", "search", "make_matcher", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "OOO!O!OO", keywords, &scan, &scratch, &PyTuple_Type, &places,
                                     &PyTuple_Type, &alone, &search, &make_matcher))
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(places);
    Finder *self = (Finder *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->vectorcall = (vectorcallfunc)finder_note;
    self->count = count;
    self->places = PyMem_Calloc((size_t)count + 1, sizeof(Place));
    self->alone = PyMem_Calloc((size_t)PyTuple_GET_SIZE(alone) + 1, sizeof(Py_ssize_t));
    self->seen = PyMem_Calloc((size_t)count + 1, 1);
    self->found = PyMem_Calloc((size_t)count + 1, sizeof(Py_ssize_t));
    if (!self->places || !self->alone || !self->seen || !self->found) {
        PyErr_NoMemory();
        goto error;
    }
    for (Py_ssize_t at = 0; at < count; at++) {
        int flags;
        Place *place = &self->places[at];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(places, at), "nin", &place->rule, &flags, &place->limit))
            goto error;
        if (flags < 0 || flags >= FLAGS || place->rule < 0) {
            PyErr_SetString(PyExc_IndexError, "no such rule, or no such flags");
            goto error;
        }
        place->flags = (unsigned char)flags;
    }
    for (; self->alone_count < PyTuple_GET_SIZE(alone); self->alone_count++) {
        Py_ssize_t place = below(PyTuple_GET_ITEM(alone, self->alone_count), count);
        if (place < 0)
            goto error;
        self->alone[self->alone_count] = place;
    }
    self->scan = Py_NewRef(scan);
    self->scratch = Py_NewRef(scratch);
    self->search = Py_NewRef(search);
    self->make_matcher = Py_NewRef(make_matcher);
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

static void
finder_reset(Finder *self)
{
    for (Py_ssize_t at = 0; at < self->found_count; at++)
        self->seen[self->found[at]] = 0;
    self->found_count = 0;
}

/* Runs Vectorscan over the text; what it finds is in `found` then. */
static int
finder_scan(Finder *self, PyObject *text)
{
    if (!self->scan || !self->scratch) {
        PyErr_SetString(PyExc_RuntimeError, "cleared");
        return -1;
    }
    if (self->scan == Py_None)
        return 0;
    PyObject *zero = PyLong_FromLong(0); /* A small number: never allocated. */
    PyObject *arguments[] = {text, (PyObject *)self, zero, Py_None, self->scratch};
    PyObject *done = PyObject_Vectorcall(self->scan, arguments, 5, NULL);
    Py_XDECREF(zero);
    if (!done) {
        finder_reset(self);
        return -1;
    }
    Py_DECREF(done);
    return 0;
}

/* find(text): the places of what matches */
static PyObject *
finder_find(Finder *self, PyObject *text)
{
    if (finder_scan(self, text) < 0)
        return NULL;
    PyObject *places = PyList_New(0);
    for (Py_ssize_t at = 0; places && at < self->found_count; at++) {
        PyObject *place = PyLong_FromSsize_t(self->found[at]);
        if (!place || PyList_Append(places, place) < 0)
            Py_CLEAR(places);
        Py_XDECREF(place);
    }
    finder_reset(self);
    return places;
}

/* What was found in a text, or may be in all: sets it, notes it, or appends (search, place, texts, first) to `*rest`. */
static int
finder_settle(Finder *self, Py_ssize_t at, PyObject *texts, Py_ssize_t number, Values *values,
              PyObject **rest)
{
    const Place *place = &self->places[at];
    struct Candidate candidate = {self, texts, NULL, at, number, 0, 0};
    if (place->rule >= values->outset->count) {
        PyErr_SetString(PyExc_IndexError, "no such rule");
        return -1;
    }
    if (place->flags & PUT_OFF)
        return values_note(values, place->rule, &candidate);
    if (number != ALL && place->flags & SETTLED) {
        Tally tally = {0, PyTuple_GET_ITEM(texts, number)};
        double value;
        if (values_value(values, place->rule, &value) < 0)
            return -1;
        tally.value = 1;
        return value != 0 ? 0 : values_take(values, place->rule, &tally);
    }
    int answer = finder_confirm(self, at, texts, number, values);
    if (answer == FAILED)
        return -1;
    if (answer == TO_PYTHON) {
        PyObject *left = candidate_of(&candidate);
        if (!*rest)
            *rest = PyList_New(0);
        int done = left && *rest ? PyList_Append(*rest, left) : -1;
        Py_XDECREF(left);
        return done;
    }
    return 0;
}

/* What is in a text is in `found` then: searched, or `recall`ed (NULL: nothing of this text is remembered). */
static int
finder_find_or_recall(Finder *self, PyObject *text, Recall *recall)
{
    if (!recall || !recall->known) {
        int done = finder_scan(self, text);
        if (recall && !done)
            recall_note(recall, self->found, self->found_count);
        return done;
    }
    while (recall->next < recall->count && recall->found[recall->next])
        self->found[self->found_count++] = recall->found[recall->next++] - 1; /* as it was noted: each once */
    recall->next++;
    return 0;
}

/* Searches a text, or what stands `instead` of it. */
static int
finder_search(Finder *self, PyObject *instead, PyObject *texts, Py_ssize_t number, Recall *recall, Values *values,
              PyObject **rest)
{
    if (finder_find_or_recall(self, instead, recall) < 0)
        return -1;
    Py_ssize_t count = self->found_count;
    if (!count)
        return 0;
    /* What is asked for below may search again. */
    Py_ssize_t few[32], *found = few;
    if (count > 32 && !(found = PyMem_Malloc((size_t)count * sizeof(Py_ssize_t)))) {
        finder_reset(self);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(found, self->found, (size_t)count * sizeof(Py_ssize_t));
    finder_reset(self);
    int result = 0;
    for (Py_ssize_t at = 0; at < count && !result; at++)
        result = finder_settle(self, found[at], texts, number, values, rest);
    if (found != few)
        PyMem_Free(found);
    return result;
}

/* Looks at the clock as Python does: an error when the time is used up. */
static int
values_look(Values *values)
{
    if (!is_late(values) || values->look == Py_None)
        return 0;
    PyObject *done = values->look ? PyObject_CallNoArgs(values->look) : NULL;
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int
finder_alone(Finder *self, PyObject *texts, Values *values, PyObject **rest)
{
    for (Py_ssize_t at = 0; at < self->alone_count; at++)
        if (finder_settle(self, self->alone[at], texts, ALL, values, rest) < 0)
            return -1;
    return 0;
}

/* Of the texts for which there are `recalls`; NULL: behind them. */
static Recall *
recall_of(Recall *recalls, Py_ssize_t number)
{
    return recalls && number < MEMO_TEXTS ? &recalls[number] : NULL;
}

static int
finder_each(Finder *self, PyObject *texts, Recall *recalls, Values *values, PyObject **rest)
{
    if (finder_alone(self, texts, values, rest) < 0)
        return -1;
    if (self->scan == Py_None)
        return 0;
    for (Py_ssize_t number = 0; number < PyTuple_GET_SIZE(texts); number++) {
        if (number % LOOK_AT_CLOCK == LOOK_AT_CLOCK - 1 && values_look(values) < 0)
            return -1;
        Recall *recall = recall_of(recalls, number);
        if (finder_search(self, PyTuple_GET_ITEM(texts, number), texts, number, recall, values, rest) < 0)
            return -1;
    }
    return 0;
}

/* Those of the texts that have something `instead` of them, which is searched, or, if not `given`, the others. */
static int
finder_some(Finder *self, PyObject *texts, PyObject *const *instead, int given, Recall *recalls, Values *values,
            PyObject **rest)
{
    for (Py_ssize_t number = 0; number < PyTuple_GET_SIZE(texts); number++) {
        if (number % LOOK_AT_CLOCK == LOOK_AT_CLOCK - 1 && values_look(values) < 0)
            return -1;
        if ((instead[number] != NULL) != given)
            continue;
        PyObject *searched = given ? instead[number] : PyTuple_GET_ITEM(texts, number);
        if (finder_search(self, searched, texts, number, recall_of(recalls, number), values, rest) < 0)
            return -1;
        for (Py_ssize_t at = 0; at < self->alone_count; at++)
            if (finder_settle(self, self->alone[at], texts, number, values, rest) < 0)
                return -1;
    }
    return 0;
}

/* first(place, text): the first match of an expression; None where there is none, or Python has to find out */
static PyObject *
finder_first(Finder *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "first(place, text)");
        return NULL;
    }
    Py_ssize_t place = below(args[0], self->count);
    const Matcher *matcher = place < 0 ? NULL : finder_matcher(self, place);
    PyObject *found = NULL;
    if (matcher)
        found = matcher_first(matcher, PyBytes_AS_STRING(args[1]), PyBytes_GET_SIZE(args[1]));
    if (found || PyErr_Occurred())
        return found;
    Py_RETURN_NONE;
}

/* make_ready(): makes every Matcher, so that no message waits for it */
static PyObject *
finder_make_ready(Finder *self, PyObject *Py_UNUSED(none))
{
    for (Py_ssize_t at = 0; at < self->count; at++)
        if (!(self->places[at].flags & BY_PYTHON) && !finder_matcher(self, at) && PyErr_Occurred())
            return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef finder_methods[] = {
    {"make_ready", (PyCFunction)finder_make_ready, METH_NOARGS, "Makes all that is otherwise made when it is first needed."},
    {"first", (PyCFunction)(void (*)(void))finder_first, METH_FASTCALL, "What the first match in a text is."},
    {"find", (PyCFunction)finder_find, METH_O, "The places of what matches in the text."},
    {NULL},
};

static PyTypeObject FinderType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazaret.rules._kernel.Finder",
    .tp_basicsize = sizeof(Finder),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Finder, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_doc = "A database and the rules in it.",
    .tp_new = finder_new,
    .tp_dealloc = (destructor)finder_dealloc,
    .tp_traverse = (traverseproc)finder_traverse,
    .tp_clear = (inquiry)finder_clear,
    .tp_methods = finder_methods,
};
