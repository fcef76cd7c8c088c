/* The look at line ends of dot.py, for machines with a C compiler.

   It exists in Python too (`dot._line_ends_in_python`), and gives the same: tests/wire/test_dot.py compares the two.

   Safety: the octets are a stranger's. They are gone over once, from the first to the last, every place is checked
   against the length, and nothing is made of them. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#define INTERFACE 1

/* line_ends(octets, start, end): whether a LF there has no CR before it, and whether a dot there stands after CRLF. What
   stands before `start` is looked at, what it has of its own is not. */
static PyObject *
line_ends(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer octets;
    Py_ssize_t start, end;
    if (!PyArg_ParseTuple(arguments, "y*nn", &octets, &start, &end))
        return NULL;
    const char *text = octets.buf;
    start = start < 0 ? 0 : start;
    end = end > octets.len ? octets.len : end;
    int bare = 0, dotted = 0;
    /* The LF before the first octet: that may be a dot. */
    Py_ssize_t at = start ? start - 1 : 0;
    while (at < end && !(bare && dotted)) {
        const char *found = memchr(text + at, '\n', end - at);
        if (!found)
            break;
        at = found - text;
        int after_cr = at && text[at - 1] == '\r';
        bare |= !after_cr && at >= start;
        at++;
        dotted |= after_cr && at < end && text[at] == '.';
    }
    PyBuffer_Release(&octets);
    return Py_BuildValue("(OO)", bare ? Py_True : Py_False, dotted ? Py_True : Py_False);
}

static PyMethodDef functions[] = {
    {"line_ends", line_ends, METH_VARARGS, "Whether there is a LF without CR, and whether a dot after CRLF."},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "lazaret.wire._dot_kernel",
    .m_doc = "The look at line ends.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__dot_kernel(void)
{
    PyObject *made = PyModule_Create(&module);
    if (!made || PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
