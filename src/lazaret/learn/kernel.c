/* The inner loops of features.py, form.py, model.py and explain.py, for machines with a C compiler.

   Everything here exists in Python too, and gives the same numbers, sums but for their rounding:
   tests/learn/test_kernel.py compares the two.

   Safety: the octets are a stranger's. Every place in them is below their length, words are read octet by octet
   where fewer than eight are left, numbers of places are checked against the tables, and what is allocated is
   bounded by the lengths of what was given. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE 11
#define HASH_BITS 28
#define DROPPED 35 /* as in learn/features.py */
#define WORD_OCTETS 16
#define CHUNK 8
#define RUN_OCTETS 4
#define FACTS 64
#define SHAPE 60 /* octets, as in learn/form.py */
#define ZONES 12
#define HASH ((1u << HASH_BITS) - 1)

enum constant { CHUNK_0, CHUNK_1, MIX, PAIR, LAST, RUN, ANYWHERE, CONSTANTS };

typedef struct {
    uint32_t *found;
    Py_ssize_t count, of_zone[ZONES]; /* So many of each zone. */
    const uint64_t *constants;
    const uint64_t *salts;
    const uint32_t *zones;
    const uint32_t *again;
    Py_ssize_t places;
} Making;

static inline uint32_t
finished(const Making *m, uint64_t hash, uint32_t zone)
{
    return (uint32_t)(((hash * m->constants[LAST]) >> DROPPED) & HASH) | zone;
}

/* Of eight octets those from A to Z in lower case. None of the sums carries into the octet above it. */
static inline uint64_t
lowered(uint64_t octets)
{
    const uint64_t each = 0x0101010101010101, ascii = octets & 0x7f * each;
    uint64_t from_a = ascii + (0x80 - 'A') * each, beyond_z = ascii + (0x7f - 'Z') * each;
    return octets | (from_a & ~beyond_z & ~octets & 0x80 * each) >> 2;
}

/* Up to eight octets as a number, the first one lowest, in lower case; `left` can be read. */
static inline uint64_t
chunk(const unsigned char *octets, Py_ssize_t length, Py_ssize_t left)
{
    uint64_t value = 0;
    if (length > CHUNK)
        length = CHUNK;
    if (left >= CHUNK) {
        memcpy(&value, octets, CHUNK);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        value = __builtin_bswap64(value);
#endif
        value &= UINT64_MAX >> 8 * (CHUNK - length);
    } else
        for (Py_ssize_t i = 0; i < length; i++)
            value |= (uint64_t)octets[i] << (8 * i);
    return lowered(value);
}

/* Of a word, which is not empty; `left` octets can be read from its beginning on. */
static inline uint64_t
hash_of(const Making *m, const unsigned char *octets, Py_ssize_t length, Py_ssize_t left)
{
    if (length > WORD_OCTETS)
        length = WORD_OCTETS;
    uint64_t hash = chunk(octets, length, left) * m->constants[CHUNK_0];
    if (length > CHUNK)
        hash += chunk(octets + CHUNK, length - CHUNK, left - CHUNK) * m->constants[CHUNK_1];
    hash ^= hash >> 32;
    hash *= m->constants[MIX];
    hash ^= hash >> 32;
    return hash;
}

/* The first word that begins at `*i` or later and before `to`: from `*start` to the new `*i`. 0: there is none. One that
   the end of all octets cuts is none. */
static inline int
next_word(const unsigned char *octets, Py_ssize_t to, Py_ssize_t end, const unsigned char *inside, Py_ssize_t *start,
          Py_ssize_t *i)
{
    while (*i < to && !inside[octets[*i]])
        ++*i;
    if (*i >= to)
        return 0;
    *start = *i;
    while (*i < end && inside[octets[*i]])
        ++*i;
    return *i < end;
}

/* The words of one piece, and the pairs of neighbours. */
static void
add_words(Making *m, const unsigned char *octets, Py_ssize_t from, Py_ssize_t to, Py_ssize_t end, Py_ssize_t place,
          const unsigned char *inside)
{
    uint64_t salt = m->salts[place], before = 0;
    uint32_t zone = m->zones[place], again = m->again[place], *found = m->found + m->count;
    Py_ssize_t words = 0;
    for (Py_ssize_t start, i = from; next_word(octets, to, end, inside, &start, &i); words++) {
        uint64_t hash = hash_of(m, octets + start, i - start, end - start);
        *found++ = finished(m, hash + salt, zone);
        if (words)
            *found++ = finished(m, before * m->constants[PAIR] + hash + salt, zone);
        if (again)
            *found++ = finished(m, hash + m->constants[ANYWHERE], again);
        before = hash;
    }
    m->count = found - m->found;
    m->of_zone[zone >> HASH_BITS] += words ? 2 * words - 1 : 0;
    m->of_zone[again >> HASH_BITS] += again ? words : 0;
}

static void
add_runs(Making *m, const unsigned char *octets, Py_ssize_t length, Py_ssize_t place)
{
    uint64_t salt = m->salts[place];
    uint32_t zone = m->zones[place], *found = m->found + m->count;
    uint32_t run = 0; /* The last four octets, the first one lowest. */
    for (Py_ssize_t i = 0; i < length && i < RUN_OCTETS - 1; i++)
        run = run >> 8 | (uint32_t)octets[i] << 24;
    for (Py_ssize_t i = RUN_OCTETS - 1; i < length; i++) {
        run = run >> 8 | (uint32_t)octets[i] << 24;
        uint64_t hash = run * m->constants[RUN] + salt;
        hash ^= hash >> 32;
        *found++ = finished(m, hash, zone);
    }
    m->of_zone[zone >> HASH_BITS] += found - m->found - m->count;
    m->count = found - m->found;
}

/* Every fact, and every two of them. */
static void
add_facts(Making *m, const unsigned char *hashes, Py_ssize_t count, Py_ssize_t place)
{
    uint64_t salt = m->salts[place];
    uint32_t zone = m->zones[place], *found = m->found + m->count;
    for (Py_ssize_t i = 0; i < count; i++) {
        uint64_t fact, other;
        memcpy(&fact, hashes + i * (Py_ssize_t)sizeof fact, sizeof fact);
        *found++ = finished(m, fact + salt, zone);
        fact = fact * m->constants[PAIR] + salt;
        for (Py_ssize_t k = i + 1; k < count; k++) {
            memcpy(&other, hashes + k * (Py_ssize_t)sizeof other, sizeof other);
            *found++ = finished(m, fact + other, zone);
        }
    }
    m->of_zone[zone >> HASH_BITS] += found - m->found - m->count;
    m->count = found - m->found;
}

#include "kernel_sort.h"

static Py_ssize_t
place_at(const Making *m, PyObject *list, Py_ssize_t number)
{
    Py_ssize_t place = PyLong_AsSsize_t(PyList_GET_ITEM(list, number));
    if (place < 0 || place >= m->places) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_IndexError, "no such place");
        return -1;
    }
    if (m->zones[place] >> HASH_BITS >= ZONES || m->again[place] >> HASH_BITS >= ZONES) {
        PyErr_SetString(PyExc_ValueError, "there is no such zone");
        return -1;
    }
    return place;
}

static Py_ssize_t
facts_in(PyObject *hashes)
{
    return PyBytes_GET_SIZE(hashes) / (Py_ssize_t)sizeof(uint64_t);
}

/* What features() is given: the octets with the lengths of the pieces in them, the runs, and the hashes of the facts,
   each with its place in the tables. */
typedef struct {
    PyObject *lengths, *places, *runs, *run_places, *facts, *fact_places;
    Py_buffer octets, salts, zones, again, constants, inside;
    Py_ssize_t most; /* So many features it makes at most. */
} Given;

/* Where the piece with this number ends that begins at `at`, and its place; -1 after an error. */
static Py_ssize_t
piece_end(const Making *m, const Given *given, Py_ssize_t number, Py_ssize_t at, Py_ssize_t *place)
{
    Py_ssize_t length = PyLong_AsSsize_t(PyList_GET_ITEM(given->lengths, number)), end = given->octets.len;
    *place = place_at(m, given->places, number);
    if (length < 0 || *place < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "a length below 0");
        return -1;
    }
    return length < end - at ? at + length : end;
}

static int
make(Making *m, const Given *given)
{
    Py_ssize_t at = 1, end = given->octets.len, place;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(given->lengths) && at < end; i++) {
        Py_ssize_t to = piece_end(m, given, i, at, &place);
        if (to < 0)
            return -1;
        add_words(m, given->octets.buf, at, to, end, place, given->inside.buf);
        at = to + 1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(given->runs); i++) {
        if ((place = place_at(m, given->run_places, i)) < 0)
            return -1;
        PyObject *run = PyList_GET_ITEM(given->runs, i);
        add_runs(m, (const unsigned char *)PyBytes_AS_STRING(run), PyBytes_GET_SIZE(run), place);
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(given->facts); i++) {
        if ((place = place_at(m, given->fact_places, i)) < 0)
            return -1;
        PyObject *hashes = PyList_GET_ITEM(given->facts, i);
        add_facts(m, (const unsigned char *)PyBytes_AS_STRING(hashes), facts_in(hashes), place);
    }
    return sort_each_once(m);
}

/* Whether it is a list of octets with a place for each; how many features they make at most is added to `most`. */
static int
is_sound(PyObject *list, PyObject *places, int are_facts, Py_ssize_t *most)
{
    if (PyList_GET_SIZE(list) != PyList_GET_SIZE(places))
        return 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *octets = PyList_GET_ITEM(list, i);
        if (!PyBytes_Check(octets))
            return 0;
        Py_ssize_t facts = facts_in(octets);
        if (are_facts && facts > FACTS)
            return 0;
        *most += are_facts ? facts * (facts + 1) / 2 : PyBytes_GET_SIZE(octets);
    }
    return 1;
}

static void
let_go(Given *given)
{
    PyBuffer_Release(&given->octets);
    PyBuffer_Release(&given->salts);
    PyBuffer_Release(&given->zones);
    PyBuffer_Release(&given->again);
    PyBuffer_Release(&given->constants);
    PyBuffer_Release(&given->inside);
}

/* The arguments (octets, lengths, places, runs, run_places, facts, fact_places, salts, zones, again, constants, inside),
   looked at; -1 after an error, and then there is nothing to let go. */
static int
take(PyObject *args, Given *given, Making *m)
{
    PyTypeObject *list = &PyList_Type;
    if (!PyArg_ParseTuple(args, "y*O!O!O!O!O!O!y*y*y*y*y*", &given->octets, list, &given->lengths, list,
                          &given->places, list, &given->runs, list, &given->run_places, list, &given->facts, list,
                          &given->fact_places, &given->salts, &given->zones, &given->again, &given->constants,
                          &given->inside))
        return -1;
    *m = (Making){.constants = given->constants.buf, .salts = given->salts.buf, .zones = given->zones.buf,
                  .again = given->again.buf, .places = given->salts.len / (Py_ssize_t)sizeof(uint64_t)};
    Py_ssize_t each = m->places * (Py_ssize_t)sizeof(uint32_t);
    /* A word and the blank after it are two octets at least, and make three features at most. */
    given->most = given->octets.len / 2 * 3 + 3;
    int sound = PyList_GET_SIZE(given->lengths) == PyList_GET_SIZE(given->places) &&
                is_sound(given->runs, given->run_places, 0, &given->most) &&
                is_sound(given->facts, given->fact_places, 1, &given->most) && given->zones.len >= each &&
                given->again.len >= each && given->constants.len >= CONSTANTS * (Py_ssize_t)sizeof(uint64_t) &&
                given->inside.len == 256;
    if (sound)
        return 0;
    let_go(given);
    PyErr_SetString(PyExc_ValueError, "(octets, lengths, places, runs, run_places, facts, ...)");
    return -1;
}

/* features(octets, lengths, places, runs, run_places, facts, fact_places, salts, zones, again, constants, inside) ->
   bytearray */
static PyObject *
features(PyObject *module, PyObject *args)
{
    (void)module;
    Given given;
    Making m;
    PyObject *result = NULL;
    if (take(args, &given, &m) < 0)
        return NULL;
    if (!(m.found = PyMem_Malloc((size_t)(given.most + 1) * sizeof(uint32_t))))
        PyErr_NoMemory();
    else if (make(&m, &given) == 0)
        result = PyByteArray_FromStringAndSize((const char *)m.found, m.count * (Py_ssize_t)sizeof(uint32_t));
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    PyMem_Free(m.found);
    let_go(&given);
    return result;
}

#include "kernel_named.h"

static Py_ssize_t
sum(const Py_ssize_t *counts, int first, int last)
{
    Py_ssize_t all = 0;
    for (int octet = first; octet <= last; octet++)
        all += counts[octet];
    return all;
}

/* tally(octets, signs) -> how often each of the signs stands there, how many are A to Z, a to z, 0 to 9 and beyond ASCII,
   how many lines are not empty, and how long the longest is */
static PyObject *
tally(PyObject *module, PyObject *args)
{
    (void)module;
    Py_ssize_t counts[256] = {0}, filled = 0, longest = 0, begin = 0;
    Py_buffer given, signs;
    if (!PyArg_ParseTuple(args, "y*y*", &given, &signs))
        return NULL;
    const unsigned char *octets = given.buf;
    for (Py_ssize_t i = 0; i <= given.len; i++) {
        if (i < given.len)
            counts[octets[i]]++;
        if (i < given.len && octets[i] != '\n')
            continue;
        filled += i > begin;
        longest = i - begin > longest ? i - begin : longest;
        begin = i + 1;
    }
    PyObject *found = PyList_New(signs.len);
    for (Py_ssize_t i = 0; found && i < signs.len; i++) {
        PyObject *count = PyLong_FromSsize_t(counts[((const unsigned char *)signs.buf)[i]]);
        if (count)
            PyList_SET_ITEM(found, i, count);
        else
            Py_CLEAR(found);
    }
    PyBuffer_Release(&given);
    PyBuffer_Release(&signs);
    return found ? Py_BuildValue("(Nnnnnnn)", found, sum(counts, 'A', 'Z'), sum(counts, 'a', 'z'),
                                 sum(counts, '0', '9'), sum(counts, 128, 255), filled, longest)
                 : NULL;
}

static int
kind_of(unsigned char octet)
{
    if (octet >= '0' && octet <= '9')
        return '0';
    if (octet >= 'A' && octet <= 'Z')
        return 'A';
    if (octet >= 'a' && octet <= 'z')
        return 'a';
    return octet < 128 ? octet : 0xff;
}

/* shape(octets, most) -> their kinds, each run of letters, digits or octets beyond ASCII as one, cut */
static PyObject *
shape(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer given;
    Py_ssize_t most, found = 0;
    unsigned char kinds[SHAPE];
    int before = -1;
    if (!PyArg_ParseTuple(args, "y*n", &given, &most))
        return NULL;
    for (Py_ssize_t i = 0; i < given.len && found < most && found < SHAPE; i++) {
        int kind = kind_of(((const unsigned char *)given.buf)[i]);
        if (kind != before || !(kind == '0' || kind == 'A' || kind == 'a' || kind == 0xff))
            kinds[found++] = (unsigned char)kind;
        before = kind;
    }
    PyBuffer_Release(&given);
    return PyBytes_FromStringAndSize((const char *)kinds, found);
}

#include "kernel_judge.h"

static PyMethodDef functions[] = {
    {"learn", learn, METH_VARARGS, "Changes the rows of features in a table, by zones."},
    {"judge", judge, METH_VARARGS, "What a table makes of features."},
    {"shares", shares, METH_VARARGS, "What each of the features adds to the score."},
    {"named", named, METH_VARARGS, "The words and facts that moved a message."},
    {"tally", tally, METH_VARARGS, "How often octets stand in a text; its lines that are not empty, and the longest."},
    {"shape", shape, METH_VARARGS, "What octets look like."},
    {"features", features, METH_VARARGS, "The features of a message as a bytearray of sorted numbers."},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "lazaret.learn._kernel",
    .m_doc = "The inner loop of the learner.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__kernel(void)
{
    PyObject *made = PyModule_Create(&module);
    lower_method = PyUnicode_InternFromString("lower");
    if (!made || !lower_method || PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
