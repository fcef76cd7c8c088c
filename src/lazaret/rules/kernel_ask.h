/* Asking eval functions: the compiled half of `PythonValues.ask` in rules/values.py.

   Questions and tests are functions of Python; what is saved is the way to each of them and back. */

/* Takes off the error that is set, with its traceback; NULL where it is none that a function may fail with. */
static PyObject *
take_error(void)
{
    PyObject *type, *error, *trace;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return NULL;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace)
        PyException_SetTraceback(error, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return error;
}

/* One function that fails must not cost the message its other rules: somebody is told. */
static int
values_tell(const Values *self, Py_ssize_t rule, PyObject *error)
{
    PyObject *failed = self->outset->failed;
    PyObject *done = failed ? PyObject_CallFunction(failed, "nO", rule, error) : NULL;
    if (!done && !PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "cleared");
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Whether there is a message of which anything can be asked. */
static int
has_message(const Values *self)
{
    return self->shown && self->built && self->subject;
}

/* What the question finds in the message; it is asked once. */
static PyObject *
values_find(const Values *self, PyObject *question)
{
    PyObject *found = PyDict_GetItemWithError(self->built, question);
    if (found || PyErr_Occurred())
        return Py_XNewRef(found);
    found = PyObject_CallOneArg(question, self->subject);
    if (found && PyDict_SetItem(self->built, question, found) < 0)
        Py_CLEAR(found);
    return found;
}

/* The rule hits; an answer that is a text is shown to people. */
static int
values_hit(Values *self, Py_ssize_t rule, PyObject *answer)
{
    double value = 1;
    if (PyUnicode_Check(answer)) {
        PyObject *key = PyLong_FromSsize_t(rule);
        int done = key ? PyDict_SetItem(self->shown, key, answer) : -1;
        Py_XDECREF(key);
        if (done < 0)
            return -1;
    }
    else {
        value = PyFloat_AsDouble(answer);
        if (value == -1.0 && PyErr_Occurred())
            return -1;
    }
    values_put(self, rule, value > 0 ? value : 1);
    return 0;
}

/* Sets what the test of a rule makes of what was found. */
static int
values_test(Values *self, Py_ssize_t rule, PyObject *test, PyObject *found)
{
    PyObject *answer = PyObject_CallOneArg(test, found);
    int done;
    if (!answer) {
        PyObject *error = take_error();
        done = error ? values_tell(self, rule, error) : -1;
        Py_XDECREF(error);
        return done;
    }
    done = PyObject_IsTrue(answer);
    if (done > 0)
        done = values_hit(self, rule, answer);
    Py_DECREF(answer);
    return done;
}

/* The rule and the test at a place of `tests`, or -1 with an error set. */
static Py_ssize_t
test_at(const Values *self, PyObject *tests, Py_ssize_t at, PyObject **test)
{
    PyObject *pair = PyTuple_GET_ITEM(tests, at);
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "tests: tuples of rule and test");
        return -1;
    }
    *test = PyTuple_GET_ITEM(pair, 1);
    return below(PyTuple_GET_ITEM(pair, 0), self->outset->count);
}

/* Asks the question, and sets the values of the rules that hit. */
static int
values_ask_one(Values *self, PyObject *question, PyObject *tests)
{
    PyObject *found = values_find(self, question), *test;
    PyObject *error = found ? NULL : take_error();
    int done = found || error ? 0 : -1;
    for (Py_ssize_t at = 0; !done && found != Py_None && at < PyTuple_GET_SIZE(tests); at++) {
        Py_ssize_t rule = test_at(self, tests, at, &test);
        if (rule < 0)
            done = -1;
        else
            done = found ? values_test(self, rule, test, found) : values_tell(self, rule, error);
    }
    Py_XDECREF(found);
    Py_XDECREF(error);
    return done;
}

/* ask(asked): tuples of a question and its tests, which are tuples of rule and test */
static PyObject *
values_ask(Values *self, PyObject *asked)
{
    if (!PyTuple_Check(asked) || !has_message(self)) {
        PyErr_SetString(PyExc_TypeError, "ask(asked), of a message");
        return NULL;
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(asked); at++) {
        PyObject *each = PyTuple_GET_ITEM(asked, at);
        if (!PyTuple_Check(each) || PyTuple_GET_SIZE(each) != 2 || !PyTuple_Check(PyTuple_GET_ITEM(each, 1))) {
            PyErr_SetString(PyExc_TypeError, "asked: tuples of a question and its tests");
            return NULL;
        }
        if (values_look(self) < 0 || values_ask_one(self, PyTuple_GET_ITEM(each, 0), PyTuple_GET_ITEM(each, 1)) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* unanswered(questions): the places of those that were asked, and have no answer */
static PyObject *
values_unanswered(Values *self, PyObject *questions)
{
    if (!PyTuple_Check(questions) || !has_message(self)) {
        PyErr_SetString(PyExc_TypeError, "unanswered(questions), of a message");
        return NULL;
    }
    PyObject *places = PyList_New(0);
    for (Py_ssize_t at = 0; places && at < PyTuple_GET_SIZE(questions); at++) {
        PyObject *found = PyDict_GetItemWithError(self->built, PyTuple_GET_ITEM(questions, at));
        PyObject *place = found == Py_None ? PyLong_FromSsize_t(at) : NULL;
        if (place && PyList_Append(places, place) < 0)
            Py_CLEAR(places);
        Py_XDECREF(place);
        if (PyErr_Occurred())
            Py_CLEAR(places);
    }
    PyObject *result = places ? PyList_AsTuple(places) : NULL;
    Py_XDECREF(places);
    return result;
}
