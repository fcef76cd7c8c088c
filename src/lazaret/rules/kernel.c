/* The inner loops of rules/values.py, rules/search.py and rules/confirm.py, for machines with a C compiler.

   Everything here exists in Python too, and gives the same: tests/rules/test_kernel_*.py compare the two. What is
   compiled is small because what costs is to touch much memory for every message, not to compute.

   Safety: numbers of rules and places come from our own plan, and are checked all the same before they are used;
   a program of a meta is checked when it is made (jumps forward only, the stack within its size); metas that ask
   each other count as recursion of Python. Texts of a message are read by Vectorscan and PCRE2, which get their
   lengths, and by two short loops of kernel_match.h. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernel_match.h"

#define STACK 64
#define INTERFACE 9

/* The value of a meta as a program: numbers are pushed, operators take theirs from the stack. */

enum operation { NUMBER, RULE, AND, OR, NOT, GT, LT, GE, LE, EQ, NE, ADD, SUB, UNLESS, GOTO, OPERATIONS };

typedef struct {
    int32_t operation;
    int32_t argument; /* a number, a rule, or where to go on */
} Step;

typedef struct {
    PyObject_VAR_HEAD
    Py_ssize_t rules; /* one more than the highest that it mentions */
    Step steps[];
} Code;

static PyTypeObject CodeType;

/* What is known before anything is looked at; the same for all messages. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t count;     /* of rules */
    Py_ssize_t listed;    /* metas that are looked at when something changed */
    double *first;
    unsigned char *known; /* UNKNOWN: worked out when somebody asks; or AS_AT_FIRST */
    unsigned char *kept;  /* hits even if nothing changes */
    unsigned char *metas;
    PyObject **codes;     /* of metas, made when first needed */
    Py_ssize_t *order;    /* the rules of the listed metas */
    Py_ssize_t *concerned_at; /* count + 1: where in `concerned` the places of a rule begin */
    Py_ssize_t *concerned;
    PyObject **asked;     /* of rules: NULL, or a question and its tests, for when somebody asks */
    PyObject *failed;     /* told of rules whose functions failed */
    PyObject *names;
    PyObject *make_code;
    PyObject *evaluate;
} Outset;

static PyTypeObject OutsetType;

typedef struct Finder Finder;
struct Candidate;

typedef struct {
    PyObject_HEAD
    Outset *outset;
    PyObject *work_out;
    PyObject *where;      /* a dict: rule -> the first text in which it was found */
    PyObject *spent;      /* a set of rules, or None */
    PyObject *look;       /* called when the time is used up */
    PyObject *shown;      /* a dict: rule -> what its function said; this and the next two: or NULL */
    PyObject *built;      /* a dict: question -> what it found in the message */
    PyObject *subject;    /* what questions are asked of */
    double deadline;      /* of the clock that only goes forward */
    /* Of each rule. A message touches few: what these say of the others is never set up. */
    double *values;       /* where `known` says so */
    int32_t *last;        /* the place of its last candidate, if it `waits` */
    unsigned char *known; /* enum known */
    unsigned char *changed;
    unsigned char *waits; /* it has candidates */
    struct Candidate *candidates;
    Py_ssize_t noted, room;
    Py_ssize_t given_back; /* the rule whose candidates Python was asked to look at last */
} Values;

static PyTypeObject ValuesType;

/* Whether the value of a rule is known, and where it is: with the outset, or with the message. */
enum known { UNKNOWN, AS_AT_FIRST, ITS_OWN };

static PyObject *name_of_values, *name_of_headers, *name_of_message; /* attributes of a run */

/* -- Code -- */

static int
depth_after(int operation)
{
    switch (operation) {
    case NUMBER:
    case RULE:
        return 1;
    case NOT:
    case GOTO:
        return 0;
    default: /* AND and OR: where they do not go on elsewhere */
        return -1;
    }
}

/* -1 with an error set unless every way through the steps keeps to the stack and ends with one number. */
static int
code_check(Code *self)
{
    Py_ssize_t count = Py_SIZE(self);
    int *depths = PyMem_Malloc((size_t)(count + 1) * sizeof(int));
    if (!depths) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at <= count; at++)
        depths[at] = -1; /* nobody came here yet */
    depths[0] = 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        Step *step = &self->steps[at];
        int depth = depths[at], needed, next;
        switch (step->operation) {
        case NUMBER:
        case RULE:
        case GOTO:
            needed = 0;
            break;
        case AND:
        case OR:
        case NOT:
        case UNLESS:
            needed = 1;
            break;
        default:
            needed = 2;
        }
        next = depth + depth_after(step->operation);
        if (depth < needed || next > STACK)
            goto wrong;
        if (step->operation == AND || step->operation == OR || step->operation == UNLESS || step->operation == GOTO) {
            int there = step->operation == UNLESS ? depth - 1 : depth;
            if (step->argument <= at || step->argument > count)
                goto wrong;
            if (depths[step->argument] >= 0 && depths[step->argument] != there)
                goto wrong;
            depths[step->argument] = there;
        }
        if (step->operation != GOTO) {
            if (depths[at + 1] >= 0 && depths[at + 1] != next)
                goto wrong;
            depths[at + 1] = next;
        }
    }
    if (depths[count] != 1)
        goto wrong;
    PyMem_Free(depths);
    return 0;
wrong:
    PyMem_Free(depths);
    PyErr_SetString(PyExc_ValueError, "no program of a meta");
    return -1;
}

/* Code(steps): a sequence of (operation, argument). */
static PyObject *
code_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *given;
    static char *names[] = {"steps", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O!", names, &PyTuple_Type, &given))
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(given);
    Code *self = (Code *)type->tp_alloc(type, count);
    if (!self)
        return NULL;
    for (Py_ssize_t at = 0; at < count; at++) {
        Step *step = &self->steps[at];
        PyObject *argument;
        int operation;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(given, at), "iO", &operation, &argument))
            goto error;
        step->operation = operation;
        if (step->operation < 0 || step->operation >= OPERATIONS) {
            PyErr_SetString(PyExc_ValueError, "no operation");
            goto error;
        }
        Py_ssize_t number = PyNumber_AsSsize_t(argument, PyExc_ValueError);
        if (number == -1 && PyErr_Occurred())
            goto error;
        if (number < 0 || number > INT32_MAX) {
            PyErr_SetString(PyExc_ValueError, "no argument");
            goto error;
        }
        step->argument = (int32_t)number;
        if (step->operation == RULE && step->argument >= self->rules)
            self->rules = number + 1;
    }
    if (code_check(self) < 0)
        goto error;
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

static PyTypeObject CodeType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazaret.rules._kernel.Code",
    .tp_basicsize = sizeof(Code),
    .tp_itemsize = sizeof(Step),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "The value of a meta, as a program.",
    .tp_new = code_new,
};

/* -- Outset -- */

static int
outset_traverse(Outset *self, visitproc visit, void *arg)
{
    Py_VISIT(self->names);
    Py_VISIT(self->make_code);
    Py_VISIT(self->evaluate);
    Py_VISIT(self->failed);
    for (Py_ssize_t rule = 0; rule < self->count; rule++) {
        if (self->codes)
            Py_VISIT(self->codes[rule]);
        if (self->asked)
            Py_VISIT(self->asked[rule]);
    }
    return 0;
}

static int
outset_clear(Outset *self)
{
    Py_CLEAR(self->make_code);
    Py_CLEAR(self->evaluate);
    Py_CLEAR(self->failed);
    for (Py_ssize_t rule = 0; rule < self->count; rule++) {
        if (self->codes)
            Py_CLEAR(self->codes[rule]);
        if (self->asked)
            Py_CLEAR(self->asked[rule]);
    }
    return 0;
}

static void
outset_dealloc(Outset *self)
{
    PyObject_GC_UnTrack(self);
    outset_clear(self);
    Py_CLEAR(self->names);
    PyMem_Free(self->first);
    PyMem_Free(self->known);
    PyMem_Free(self->kept);
    PyMem_Free(self->metas);
    PyMem_Free(self->codes);
    PyMem_Free(self->asked);
    PyMem_Free(self->order);
    PyMem_Free(self->concerned_at);
    PyMem_Free(self->concerned);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* The number if it is below `limit`; -1 with an error set otherwise. */
static Py_ssize_t
below(PyObject *number, Py_ssize_t limit)
{
    Py_ssize_t value = PyNumber_AsSsize_t(number, PyExc_IndexError);
    if (value == -1 && PyErr_Occurred())
        return -1;
    if (value < 0 || value >= limit) {
        PyErr_SetString(PyExc_IndexError, "no such number");
        return -1;
    }
    return value;
}

/* Sets the flag of each number in the tuple. */
static int
mark(PyObject *numbers, unsigned char *flags, Py_ssize_t count, unsigned char flag)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(numbers); at++) {
        Py_ssize_t number = below(PyTuple_GET_ITEM(numbers, at), count);
        if (number < 0)
            return -1;
        flags[number] = flag;
    }
    return 0;
}

/* Keeps what is asked for each rule: tuples of rule and (question, tests). */
static int
outset_keep(Outset *self, PyObject *asked)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(asked); at++) {
        PyObject *pair = PyTuple_GET_ITEM(asked, at), *each;
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
            goto wrong;
        each = PyTuple_GET_ITEM(pair, 1);
        if (!PyTuple_Check(each) || PyTuple_GET_SIZE(each) != 2 || !PyTuple_Check(PyTuple_GET_ITEM(each, 1)))
            goto wrong;
        Py_ssize_t rule = below(PyTuple_GET_ITEM(pair, 0), self->count);
        if (rule < 0)
            return -1;
        Py_XSETREF(self->asked[rule], Py_NewRef(each));
    }
    return 0;
wrong:
    PyErr_SetString(PyExc_TypeError, "asked: tuples of a rule and (question, tests)");
    return -1;
}

/* Outset(names, first, waiting, kept, metas, listed, concerned, asked, failed, make_code, evaluate); tuples but for the
   functions. */
static PyObject *
outset_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *names, *first, *waiting, *kept, *metas, *listed, *concerned, *asked, *failed, *make_code, *evaluate;
    static char *keywords[] = {"names",     "first", "waiting", "kept",      "metas",    "listed",
                               "concerned", "asked", "failed",  "make_code", "evaluate", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O!O!O!O!O!O!O!O!OOO", keywords, &PyTuple_Type, &names, &PyTuple_Type,
                                     &first, &PyTuple_Type, &waiting, &PyTuple_Type, &kept, &PyTuple_Type, &metas,
                                     &PyTuple_Type, &listed, &PyTuple_Type, &concerned, &PyTuple_Type, &asked, &failed,
                                     &make_code, &evaluate))
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(names), total = 0;
    if (PyTuple_GET_SIZE(first) != count || PyTuple_GET_SIZE(concerned) != count) {
        PyErr_SetString(PyExc_ValueError, "one of each for every rule");
        return NULL;
    }
    for (Py_ssize_t rule = 0; rule < count; rule++) {
        if (!PyTuple_Check(PyTuple_GET_ITEM(concerned, rule))) {
            PyErr_SetString(PyExc_TypeError, "concerned: tuples of tuples");
            return NULL;
        }
        total += PyTuple_GET_SIZE(PyTuple_GET_ITEM(concerned, rule));
    }
    Outset *self = (Outset *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    size_t room = (size_t)count + 1;
    self->count = count;
    self->listed = PyTuple_GET_SIZE(listed);
    self->first = PyMem_Calloc(room, sizeof(double));
    self->known = PyMem_Calloc(room, 1);
    self->kept = PyMem_Calloc(room, 1);
    self->metas = PyMem_Calloc(room, 1);
    self->codes = PyMem_Calloc(room, sizeof(PyObject *));
    self->asked = PyMem_Calloc(room, sizeof(PyObject *));
    self->order = PyMem_Calloc((size_t)self->listed + 1, sizeof(Py_ssize_t));
    self->concerned_at = PyMem_Calloc(room, sizeof(Py_ssize_t));
    self->concerned = PyMem_Calloc((size_t)total + 1, sizeof(Py_ssize_t));
    if (!self->first || !self->known || !self->kept || !self->metas || !self->codes || !self->asked ||
        !self->order || !self->concerned_at || !self->concerned) {
        PyErr_NoMemory();
        goto error;
    }
    self->names = Py_NewRef(names);
    self->failed = Py_NewRef(failed);
    self->make_code = Py_NewRef(make_code);
    self->evaluate = Py_NewRef(evaluate);
    memset(self->known, AS_AT_FIRST, (size_t)count);
    total = 0;
    for (Py_ssize_t rule = 0; rule < count; rule++) {
        PyObject *places = PyTuple_GET_ITEM(concerned, rule);
        self->first[rule] = PyFloat_AsDouble(PyTuple_GET_ITEM(first, rule));
        if (self->first[rule] == -1.0 && PyErr_Occurred())
            goto error;
        self->concerned_at[rule] = total;
        for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(places); at++) {
            Py_ssize_t place = below(PyTuple_GET_ITEM(places, at), self->listed);
            if (place < 0)
                goto error;
            self->concerned[total++] = place;
        }
    }
    self->concerned_at[count] = total;
    for (Py_ssize_t place = 0; place < self->listed; place++) {
        self->order[place] = below(PyTuple_GET_ITEM(listed, place), count);
        if (self->order[place] < 0)
            goto error;
    }
    if (mark(waiting, self->known, count, UNKNOWN) < 0 || mark(kept, self->kept, count, 1) < 0 ||
        mark(metas, self->metas, count, 1) < 0 || outset_keep(self, asked) < 0)
        goto error;
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

static PyTypeObject OutsetType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazaret.rules._kernel.Outset",
    .tp_basicsize = sizeof(Outset),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "What is known of the rules before anything is looked at.",
    .tp_new = outset_new,
    .tp_dealloc = (destructor)outset_dealloc,
    .tp_traverse = (traverseproc)outset_traverse,
    .tp_clear = (inquiry)outset_clear,
};

/* -- Values -- */

static int values_value(Values *self, Py_ssize_t rule, double *value);

static int
values_traverse(Values *self, visitproc visit, void *arg)
{
    Py_VISIT(self->outset);
    Py_VISIT(self->work_out);
    Py_VISIT(self->where);
    Py_VISIT(self->spent);
    Py_VISIT(self->look);
    Py_VISIT(self->shown);
    Py_VISIT(self->built);
    Py_VISIT(self->subject);
    return 0;
}

static int
values_clear(Values *self)
{
    Py_CLEAR(self->work_out);
    Py_CLEAR(self->look);
    Py_CLEAR(self->subject);
    return 0;
}

static void values_free_candidates(Values *self);

static void
values_dealloc(Values *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->work_out);
    Py_CLEAR(self->outset);
    Py_CLEAR(self->where);
    Py_CLEAR(self->spent);
    Py_CLEAR(self->look);
    Py_CLEAR(self->shown);
    Py_CLEAR(self->built);
    Py_CLEAR(self->subject);
    values_free_candidates(self);
    PyMem_Free(self->values);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Values(outset, work_out, where, spent, look, deadline, shown, built, subject) */
static PyObject *
values_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    Outset *outset;
    PyObject *work_out, *where = NULL, *spent = Py_None, *look = Py_None, *shown = NULL, *built = NULL, *subject = NULL;
    double deadline = HUGE_VAL;
    static char *keywords[] = {"outset", "work_out", "where", "spent", "look", "deadline", "shown", "built", "subject", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O!O|O!OOdO!O!O", keywords, &OutsetType, &outset, &work_out, &PyDict_Type,
                                     &where, &spent, &look, &deadline, &PyDict_Type, &shown, &PyDict_Type, &built,
                                     &subject))
        return NULL;
    Values *self = (Values *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    size_t count = (size_t)outset->count;
    /* One block: the numbers, the candidates, then three flags each. */
    self->values = PyMem_Malloc(count * (sizeof(double) + sizeof(int32_t) + 3) + 1);
    if (!self->values) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    self->last = (int32_t *)(self->values + count);
    self->known = (unsigned char *)(self->last + count);
    self->changed = self->known + count;
    self->waits = self->changed + count;
    memcpy(self->known, outset->known, count);
    memset(self->changed, 0, 2 * count);
    self->outset = (Outset *)Py_NewRef(outset);
    self->work_out = Py_NewRef(work_out);
    self->where = where ? Py_NewRef(where) : PyDict_New();
    if (!self->where) {
        Py_DECREF(self);
        return NULL;
    }
    self->spent = Py_NewRef(spent);
    self->look = Py_NewRef(look);
    self->shown = Py_XNewRef(shown);
    self->built = Py_XNewRef(built);
    self->subject = Py_XNewRef(subject);
    self->deadline = deadline;
    self->given_back = -1;
    return (PyObject *)self;
}

/* The value of a rule that is known. */
static double
values_known(const Values *self, Py_ssize_t rule)
{
    return self->known[rule] == ITS_OWN ? self->values[rule] : self->outset->first[rule];
}

static void
values_put(Values *self, Py_ssize_t rule, double value)
{
    if (self->known[rule] != UNKNOWN && values_known(self, rule) == value)
        return;
    self->values[rule] = value;
    self->known[rule] = ITS_OWN;
    self->changed[rule] = 1;
}

static PyObject *
as_number(double value)
{
    if (value >= -1e15 && value <= 1e15 && value == (double)(long long)value)
        return PyLong_FromLongLong((long long)value);
    return PyFloat_FromDouble(value);
}

/* The value of the program; -1 with an error set when something that it asks for fails. */
static int
code_run(Code *code, Values *values, double *result)
{
    double stack[STACK];
    Py_ssize_t count = Py_SIZE(code), at = 0;
    int top = -1; /* code_check() has seen that it stays within the stack */
    while (at < count) {
        const Step *step = &code->steps[at++];
        switch (step->operation) {
        case NUMBER:
            stack[++top] = step->argument;
            break;
        case RULE: {
            double value;
            if (values_value(values, step->argument, &value) < 0)
                return -1;
            stack[++top] = value;
            break;
        }
        case AND:
            if (stack[top] == 0)
                at = step->argument;
            else
                top--;
            break;
        case OR:
            if (stack[top] != 0)
                at = step->argument;
            else
                top--;
            break;
        case NOT:
            stack[top] = stack[top] == 0;
            break;
        case UNLESS:
            if (stack[top--] == 0)
                at = step->argument;
            break;
        case GOTO:
            at = step->argument;
            break;
#define BINARY(name, expression)                                                                                      \
    case name: {                                                                                                      \
        double right = stack[top--], left = stack[top];                                                               \
        stack[top] = (expression);                                                                                    \
        break;                                                                                                        \
    }
            BINARY(GT, left > right)
            BINARY(LT, left < right)
            BINARY(GE, left >= right)
            BINARY(LE, left <= right)
            BINARY(EQ, left == right)
            BINARY(NE, left != right)
            BINARY(ADD, left + right)
            BINARY(SUB, left - right)
#undef BINARY
        default:
            PyErr_SetString(PyExc_SystemError, "no operation");
            return -1;
        }
    }
    *result = stack[0];
    return 0;
}

/* Sets the value of a meta. */
static int
values_evaluate(Values *self, Py_ssize_t rule)
{
    Outset *outset = self->outset;
    double value;
    int done;
    if (!outset->codes[rule]) {
        PyObject *code = outset->make_code ? PyObject_CallFunction(outset->make_code, "n", rule) : NULL;
        if (!code) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_RuntimeError, "cleared");
            return -1;
        }
        if (Py_TYPE(code) == &CodeType && ((Code *)code)->rules > outset->count) {
            Py_DECREF(code);
            PyErr_SetString(PyExc_IndexError, "a meta mentions no such rule");
            return -1;
        }
        Py_XSETREF(outset->codes[rule], code);
    }
    PyObject *code = outset->codes[rule];
    Py_INCREF(code);
    if (Py_EnterRecursiveCall(" in a meta")) {
        Py_DECREF(code);
        return -1;
    }
    if (Py_TYPE(code) == &CodeType) {
        done = code_run((Code *)code, self, &value);
        if (!done && value != 0 && !(value > 0))
            value = 1; /* A hit counts at least 1, whatever the arithmetic gives. */
    }
    else {
        PyObject *number = PyObject_CallFunctionObjArgs(outset->evaluate, code, (PyObject *)self, NULL);
        value = number ? PyFloat_AsDouble(number) : -1.0;
        done = value == -1.0 && PyErr_Occurred() ? -1 : 0;
        Py_XDECREF(number);
    }
    Py_LeaveRecursiveCall();
    Py_DECREF(code);
    if (done < 0)
        return -1;
    values_put(self, rule, value);
    return 0;
}

enum answer { FAILED = -1, MORE, ENOUGH, TO_PYTHON };

static int values_confirm(Values *self, Py_ssize_t rule);
static int is_late(const Values *values);
static int values_look(Values *values);

#include "kernel_ask.h"

/* The value of a rule, which is worked out if it is not known. */
static int
values_value(Values *self, Py_ssize_t rule, double *value)
{
    if (self->known[rule] == UNKNOWN) {
        self->known[rule] = AS_AT_FIRST;
        int answer = TO_PYTHON;
        if (self->outset->metas[rule]) {
            if (values_evaluate(self, rule) < 0)
                return -1;
        }
        else if (self->outset->asked[rule] && has_message(self) && !is_late(self)) {
            PyObject *asked = self->outset->asked[rule];
            if (values_ask_one(self, PyTuple_GET_ITEM(asked, 0), PyTuple_GET_ITEM(asked, 1)) < 0)
                return -1;
        }
        else if (self->waits[rule] && (answer = values_confirm(self, rule)) == FAILED)
            return -1;
        else if (answer == TO_PYTHON) {
            self->given_back = self->waits[rule] ? rule : -1;
            PyObject *done = self->work_out ? PyObject_CallFunction(self->work_out, "n", rule) : NULL;
            if (!done) {
                if (!PyErr_Occurred())
                    PyErr_SetString(PyExc_RuntimeError, "cleared");
                return -1;
            }
            Py_DECREF(done);
        }
    }
    *value = values_known(self, rule);
    return 0;
}

static PyObject *
values_subscript(Values *self, PyObject *key)
{
    double value;
    Py_ssize_t rule = below(key, self->outset->count);
    if (rule < 0 || values_value(self, rule, &value) < 0)
        return NULL;
    return as_number(value);
}

static PyObject *
values_get(Values *self, PyObject *key)
{
    Py_ssize_t rule = below(key, self->outset->count);
    if (rule < 0)
        return NULL;
    if (self->known[rule] == UNKNOWN)
        Py_RETURN_NONE;
    return as_number(values_known(self, rule));
}

static PyObject *
values_set(Values *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "set(rule, value)");
        return NULL;
    }
    Py_ssize_t rule = below(args[0], self->outset->count);
    double value = rule < 0 ? -1.0 : PyFloat_AsDouble(args[1]);
    if (rule < 0 || (value == -1.0 && PyErr_Occurred()))
        return NULL;
    values_put(self, rule, value);
    Py_RETURN_NONE;
}

static PyObject *
values_forget(Values *self, PyObject *rules)
{
    PyObject *each = PyObject_GetIter(rules), *number;
    if (!each)
        return NULL;
    while ((number = PyIter_Next(each))) {
        Py_ssize_t rule = below(number, self->outset->count);
        Py_DECREF(number);
        if (rule < 0)
            break;
        self->known[rule] = UNKNOWN;
    }
    Py_DECREF(each);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* The first number from `from` on whose flag is set; `count` where there is none. */
static Py_ssize_t
next_set(const unsigned char *flags, Py_ssize_t from, Py_ssize_t count)
{
    const unsigned char *found = memchr(flags + from, 1, (size_t)(count - from));
    return found ? found - flags : count;
}

static void
concern(Outset *outset, Py_ssize_t rule, unsigned char *places)
{
    for (Py_ssize_t at = outset->concerned_at[rule]; at < outset->concerned_at[rule + 1]; at++)
        places[outset->concerned[at]] = 1;
}

static void values_concern_noted(const Values *self, unsigned char *places);

/* settle(bits) */
static PyObject *
values_settle(Values *self, PyObject *listed)
{
    Outset *outset = self->outset;
    if (!PyBytes_Check(listed)) {
        PyErr_SetString(PyExc_TypeError, "settle(bits)");
        return NULL;
    }
    unsigned char *places = PyMem_Calloc((size_t)outset->listed + 1, 1);
    if (!places)
        return PyErr_NoMemory();
    const unsigned char *bits = (const unsigned char *)PyBytes_AS_STRING(listed);
    for (Py_ssize_t place = 0; place < outset->listed && place / 8 < PyBytes_GET_SIZE(listed); place++)
        places[place] = bits[place / 8] >> place % 8 & 1;
    Py_ssize_t count = outset->count;
    for (Py_ssize_t rule = 0; (rule = next_set(self->changed, rule, count)) < count; rule++)
        concern(outset, rule, places);
    values_concern_noted(self, places);
    for (Py_ssize_t place = 0; (place = next_set(places, place, outset->listed)) < outset->listed; place++)
        if (values_evaluate(self, outset->order[place]) < 0) {
            PyMem_Free(places);
            return NULL;
        }
    PyMem_Free(places);
    Py_RETURN_NONE;
}

static PyObject *
values_hits(Values *self, PyObject *Py_UNUSED(ignored))
{
    Outset *outset = self->outset;
    PyObject *hits = PyDict_New();
    for (Py_ssize_t rule = 0; hits && rule < outset->count; rule++) {
        Py_ssize_t changed = next_set(self->changed, rule, outset->count);
        rule = next_set(outset->kept, rule, changed);
        if (rule == outset->count)
            break;
        if (self->known[rule] == UNKNOWN || values_known(self, rule) == 0)
            continue;
        PyObject *value = as_number(values_known(self, rule));
        if (!value || PyDict_SetItem(hits, PyTuple_GET_ITEM(outset->names, rule), value) < 0)
            Py_CLEAR(hits);
        Py_XDECREF(value);
    }
    return hits;
}

#include "kernel_memo.h"
#include "kernel_find.h"
#include "kernel_texts.h"

static PyMethodDef values_methods[] = {
    {"get", (PyCFunction)values_get, METH_O, "The value if it is known, else None."},
    {"set", (PyCFunction)(void (*)(void))values_set, METH_FASTCALL, "Sets the value of a rule."},
    {"forget", (PyCFunction)values_forget, METH_O, "The values of these rules are not known any more."},
    {"settle", (PyCFunction)values_settle, METH_O,
     "Works out the listed metas of these bits, and those concerned by what changed or has candidates."},
    {"put_off", (PyCFunction)(void (*)(void))values_put_off, METH_FASTCALL,
     "Notes a candidate of a rule, whose value is not known any more."},
    {"confirm", (PyCFunction)values_confirm_method, METH_O,
     "Looks at the candidates of a rule; gives those that Python has to look at."},
    {"ask", (PyCFunction)values_ask, METH_O, "Asks questions, and sets the values of the rules that hit."},
    {"unanswered", (PyCFunction)values_unanswered, METH_O, "The places of questions that have no answer."},
    {"hits", (PyCFunction)values_hits, METH_NOARGS, "Name -> value of what hit."},
    {NULL},
};

static PyMappingMethods values_mapping = {.mp_subscript = (binaryfunc)values_subscript};

static PyTypeObject ValuesType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazaret.rules._kernel.Values",
    .tp_basicsize = sizeof(Values),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "The value of each rule by its number.",
    .tp_new = values_new,
    .tp_dealloc = (destructor)values_dealloc,
    .tp_traverse = (traverseproc)values_traverse,
    .tp_clear = (inquiry)values_clear,
    .tp_as_mapping = &values_mapping,
    .tp_methods = values_methods,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "lazaret.rules._kernel",
    .m_doc = "The inner loops of the rules.",
    .m_size = -1,
};

PyMODINIT_FUNC
PyInit__kernel(void)
{
    PyObject *made = PyModule_Create(&module);
    pcre2_load();
    name_of_values = PyUnicode_InternFromString("values");
    name_of_headers = PyUnicode_InternFromString("headers");
    name_of_message = PyUnicode_InternFromString("message");
    if (!made || !name_of_values || !name_of_headers || !name_of_message || PyModule_AddType(made, &CodeType) < 0 || PyModule_AddType(made, &OutsetType) < 0 ||
        PyModule_AddType(made, &ValuesType) < 0 || PyModule_AddType(made, &MatcherType) < 0 ||
        PyModule_AddType(made, &FinderType) < 0 || PyModule_AddType(made, &FindersType) < 0 ||
        PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
