/* The inner loops of learn/features.py, learn/form.py and learn/model.py, for machines with a C compiler.

   Everything here exists in Python too, and gives the same numbers, sums but for their rounding:
   tests/learn/test_kernel.py compares the two.

   Safety: the octets are a stranger's. Every place in them is below their length, words are read octet by octet
   where fewer than eight are left, numbers of places are checked against the tables, and what is allocated is
   bounded by the lengths of what was given. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INTERFACE 7
#define HASH_BITS 28
#define DROPPED 35 /* as in learn/features.py */
#define WORD_OCTETS 16
#define CHUNK 8
#define FACTS 64
#define DIGIT_BITS 11
#define DIGITS (1 << DIGIT_BITS)
#define PASSES 3 /* digits of 32 bits */

enum constant { CHUNK_0, CHUNK_1, MIX, PAIR, LAST, RUN, ANYWHERE, CONSTANTS };

typedef struct {
    uint32_t *found;
    Py_ssize_t count;
    const uint64_t *constants;
    const uint64_t *salts;
    const uint32_t *zones;
    const uint32_t *again;
    Py_ssize_t places;
} Making;

static inline uint32_t
finished(const Making *m, uint64_t hash, uint32_t zone)
{
    return (uint32_t)(((hash * m->constants[LAST]) >> DROPPED) & ((1u << HASH_BITS) - 1)) | zone;
}

static inline void
add(Making *m, uint64_t hash, uint32_t zone)
{
    m->found[m->count++] = finished(m, hash, zone);
}

/* Up to eight octets as a number, the first one lowest, in lower case. */
static inline uint64_t
chunk(const unsigned char *octets, Py_ssize_t length, const unsigned char *lower)
{
    uint64_t value = 0;
    if (length > CHUNK)
        length = CHUNK;
    for (Py_ssize_t i = 0; i < length; i++)
        value |= (uint64_t)lower[octets[i]] << (8 * i);
    return value;
}

static inline uint64_t
hash_of(const Making *m, const unsigned char *octets, Py_ssize_t length, const unsigned char *lower)
{
    if (length > WORD_OCTETS)
        length = WORD_OCTETS;
    uint64_t hash = chunk(octets, length, lower) * m->constants[CHUNK_0];
    if (length > CHUNK)
        hash += chunk(octets + CHUNK, length - CHUNK, lower) * m->constants[CHUNK_1];
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
          const unsigned char *inside, const unsigned char *lower)
{
    uint64_t salt = m->salts[place], before = 0;
    uint32_t zone = m->zones[place], again = m->again[place];
    int first = 1;
    for (Py_ssize_t start, i = from; next_word(octets, to, end, inside, &start, &i);) {
        uint64_t hash = hash_of(m, octets + start, i - start, lower);
        add(m, hash + salt, zone);
        if (!first)
            add(m, before * m->constants[PAIR] + hash + salt, zone);
        if (again)
            add(m, hash + m->constants[ANYWHERE], again);
        before = hash;
        first = 0;
    }
}

static void
add_runs(Making *m, const unsigned char *octets, Py_ssize_t length, Py_ssize_t place)
{
    uint64_t salt = m->salts[place];
    for (Py_ssize_t i = 0; i + 4 <= length; i++) {
        uint64_t hash = (uint64_t)octets[i] | (uint64_t)octets[i + 1] << 8 | (uint64_t)octets[i + 2] << 16 |
                        (uint64_t)octets[i + 3] << 24;
        hash = hash * m->constants[RUN] + salt;
        hash ^= hash >> 32;
        add(m, hash, m->zones[place]);
    }
}

/* Every fact, and every two of them. */
static void
add_facts(Making *m, const unsigned char *hashes, Py_ssize_t count, Py_ssize_t place)
{
    uint64_t salt = m->salts[place];
    uint32_t zone = m->zones[place];
    for (Py_ssize_t i = 0; i < count; i++) {
        uint64_t fact, other;
        memcpy(&fact, hashes + i * (Py_ssize_t)sizeof fact, sizeof fact);
        add(m, fact + salt, zone);
        fact = fact * m->constants[PAIR] + salt;
        for (Py_ssize_t k = i + 1; k < count; k++) {
            memcpy(&other, hashes + k * (Py_ssize_t)sizeof other, sizeof other);
            add(m, fact + other, zone);
        }
    }
}

/* By digits of 11 bits, the lowest first; then each once. The result lies in m->found. */
static int
sort_each_once(Making *m)
{
    Py_ssize_t count = m->count, kept = 0;
    uint32_t *from = m->found, *to = PyMem_Malloc((size_t)(count ? count : 1) * sizeof(uint32_t)), *spare = to;
    uint32_t starts[PASSES][DIGITS] = {{0}}; /* Of all passes at once: how many there are of a digit stays the same. */
    if (!to)
        return -1;
    for (Py_ssize_t i = 0; i < count; i++)
        for (int pass = 0; pass < PASSES; pass++)
            starts[pass][from[i] >> pass * DIGIT_BITS & (DIGITS - 1)]++;
    for (int pass = 0; pass < PASSES; pass++) {
        uint32_t sum = 0;
        for (int digit = 0; digit < DIGITS; digit++) {
            uint32_t many = starts[pass][digit];
            starts[pass][digit] = sum;
            sum += many;
        }
        for (Py_ssize_t i = 0; i < count; i++)
            to[starts[pass][from[i] >> pass * DIGIT_BITS & (DIGITS - 1)]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (!kept || m->found[kept - 1] != from[i])
            m->found[kept++] = from[i];
    m->count = kept;
    PyMem_Free(spare);
    return 0;
}

static Py_ssize_t
place_at(const Making *m, PyObject *list, Py_ssize_t number)
{
    Py_ssize_t place = PyLong_AsSsize_t(PyList_GET_ITEM(list, number));
    if (place < 0 || place >= m->places) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_IndexError, "no such place");
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
    Py_buffer octets, salts, zones, again, constants, inside, lower;
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
        add_words(m, given->octets.buf, at, to, end, place, given->inside.buf, given->lower.buf);
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
    PyBuffer_Release(&given->lower);
}

/* The arguments (octets, lengths, places, runs, run_places, facts, fact_places, salts, zones, again, constants, inside,
   lower), looked at; -1 after an error, and then there is nothing to let go. */
static int
take(PyObject *args, Given *given, Making *m)
{
    PyTypeObject *list = &PyList_Type;
    if (!PyArg_ParseTuple(args, "y*O!O!O!O!O!O!y*y*y*y*y*y*", &given->octets, list, &given->lengths, list,
                          &given->places, list, &given->runs, list, &given->run_places, list, &given->facts, list,
                          &given->fact_places, &given->salts, &given->zones, &given->again, &given->constants,
                          &given->inside, &given->lower))
        return -1;
    *m = (Making){NULL, 0, given->constants.buf, given->salts.buf, given->zones.buf, given->again.buf,
                  given->salts.len / (Py_ssize_t)sizeof(uint64_t)};
    Py_ssize_t each = m->places * (Py_ssize_t)sizeof(uint32_t);
    /* A word and the blank after it are two octets at least, and make three features at most. */
    given->most = given->octets.len / 2 * 3 + 3;
    int sound = PyList_GET_SIZE(given->lengths) == PyList_GET_SIZE(given->places) &&
                is_sound(given->runs, given->run_places, 0, &given->most) &&
                is_sound(given->facts, given->fact_places, 1, &given->most) && given->zones.len >= each &&
                given->again.len >= each && given->constants.len >= CONSTANTS * (Py_ssize_t)sizeof(uint64_t) &&
                given->inside.len == 256 && given->lower.len == 256;
    if (sound)
        return 0;
    let_go(given);
    PyErr_SetString(PyExc_ValueError, "(octets, lengths, places, runs, run_places, facts, ...)");
    return -1;
}

/* features(octets, lengths, places, runs, run_places, facts, fact_places, salts, zones, again, constants, inside,
   lower) -> bytearray */
static PyObject *
features(PyObject *module, PyObject *args)
{
    (void)module;
    Given given;
    Making m;
    PyObject *result = NULL;
    if (take(args, &given, &m) < 0)
        return NULL;
    if (!(m.found = PyMem_Malloc((size_t)given.most * sizeof(uint32_t))))
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

/* tally(octets) -> how often each octet stands there, how many lines are not empty, and how long the longest is */
static PyObject *
tally(PyObject *module, PyObject *text)
{
    (void)module;
    Py_ssize_t counts[256] = {0}, filled = 0, longest = 0, begin = 0;
    Py_buffer given;
    if (PyObject_GetBuffer(text, &given, PyBUF_SIMPLE) < 0)
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
    PyBuffer_Release(&given);
    PyObject *found = PyList_New(256);
    for (int octet = 0; found && octet < 256; octet++) {
        PyObject *count = PyLong_FromSsize_t(counts[octet]);
        if (count)
            PyList_SET_ITEM(found, octet, count);
        else
            Py_CLEAR(found);
    }
    return found ? Py_BuildValue("(Nnn)", found, filled, longest) : NULL;
}

#define ZONES 12
#define COLUMNS 4 /* weight, energy, spam, ham: as in learn/model.py */
#define TINY 1e-20f

/* A logarithm costs more than all else: odds are multiplied until they leave 1 / ROOM to ROOM. One feature's
   lie within 1e-40 and 1e40. */
#define ROOM 1e200
#define AHEAD 32

/* Sums of one zone: of weights, of the squares of how loud they are, of what clear counts say, how many of these there
   are, and how many features; `odds` are those that are not in `logits` yet. */
typedef struct {
    double weights, loudness, logits, odds;
    Py_ssize_t known, features;
} Sums;

static PyObject *
as_tuples(const Sums *sums)
{
    PyObject *found[5];
    for (int kind = 0; kind < 5; kind++)
        found[kind] = PyTuple_New(ZONES);
    int made = found[0] && found[1] && found[2] && found[3] && found[4];
    for (int zone = 0; zone < ZONES && made; zone++) {
        PyTuple_SET_ITEM(found[0], zone, PyFloat_FromDouble(sums[zone].weights));
        PyTuple_SET_ITEM(found[1], zone, PyFloat_FromDouble(sums[zone].logits + log(sums[zone].odds)));
        PyTuple_SET_ITEM(found[2], zone, PyLong_FromSsize_t(sums[zone].known));
        PyTuple_SET_ITEM(found[3], zone, PyLong_FromSsize_t(sums[zone].features));
        PyTuple_SET_ITEM(found[4], zone, PyFloat_FromDouble(sums[zone].loudness));
    }
    if (!made || PyErr_Occurred()) {
        for (int kind = 0; kind < 5; kind++)
            Py_XDECREF(found[kind]);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    return Py_BuildValue("(NNNNN)", found[0], found[1], found[2], found[3], found[4]);
}

static int
is_table(Py_ssize_t rows)
{
    return rows >= 1 && !(rows & (rows - 1)) && rows <= (Py_ssize_t)1 << HASH_BITS;
}

/* What it takes to know the odds of a feature, and how loud its weight is (learn/model.py). */
typedef struct {
    float prior_share, spam_mail, ham_mail, even_share, clear, soft, fresh;
} Priors;
#define PRIORS "fffffff"
#define PRIORS_OF(p) &(p).prior_share, &(p).spam_mail, &(p).ham_mail, &(p).even_share, &(p).clear, &(p).soft, &(p).fresh

typedef struct {
    float odds; /* 0: they are not clear. */
    float loud;
} Said;

/* What the counts of a row say. */
static inline Said
said_of(const float *row, const Priors *priors)
{
    float spam = row[2], ham = row[3], total = spam + ham;
    if (!(total > 0))
        return (Said){0, priors->fresh};
    float prior = total * priors->prior_share;
    float in_spam = (spam + prior) * priors->ham_mail, in_ham = (prior + ham) * priors->spam_mail;
    float even = (in_spam + in_ham) * priors->even_share + TINY;
    in_spam = in_spam * total + even;
    in_ham = in_ham * total + even;
    float odds = in_spam / in_ham;
    float loud = priors->soft + (1 - priors->soft) * fabsf(in_spam - in_ham) / (in_spam + in_ham);
    return (Said){odds < priors->clear && odds * priors->clear > 1 ? 0 : odds, loud};
}

/* sums(table, features, prior, spam_mail, ham_mail, even, clear, soft, fresh) -> weights, logits, known, lengths,
   loudness of each zone */
static PyObject *
sums(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer table, numbers;
    Priors priors;
    if (!PyArg_ParseTuple(args, "y*y*" PRIORS, &table, &numbers, PRIORS_OF(priors)))
        return NULL;
    const float *rows = table.buf;
    const uint32_t *features = numbers.buf;
    Py_ssize_t count = numbers.len / (Py_ssize_t)sizeof(uint32_t);
    Py_ssize_t most = table.len / (Py_ssize_t)(COLUMNS * sizeof(float));
    PyObject *result = NULL;
    Sums found[ZONES];
    for (int zone = 0; zone < ZONES; zone++)
        found[zone] = (Sums){.odds = 1};
    if (!is_table(most)) {
        PyErr_SetString(PyExc_ValueError, "the rows of a table are a power of two");
    }
    else {
        uint32_t mask = (uint32_t)(most - 1);
        for (Py_ssize_t i = 0; i < count; i++) {
            if (i + AHEAD < count)
                __builtin_prefetch(rows + COLUMNS * (features[i + AHEAD] & mask));
            const float *row = rows + COLUMNS * (features[i] & mask);
            if (features[i] >> HASH_BITS >= ZONES) {
                PyErr_SetString(PyExc_ValueError, "there is no such zone");
                break;
            }
            Sums *zone = &found[features[i] >> HASH_BITS];
            Said said = said_of(row, &priors);
            zone->weights += row[0] * said.loud;
            zone->loudness += said.loud * said.loud;
            zone->features++;
            if (said.odds > 0) {
                zone->odds *= (double)said.odds;
                zone->known++;
                if (!(zone->odds > 1 / ROOM && zone->odds < ROOM)) {
                    zone->logits += log(zone->odds);
                    zone->odds = 1;
                }
            }
        }
        if (!PyErr_Occurred())
            result = as_tuples(found);
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&numbers);
    return result;
}

/* shares(table, features, prior, spam_mail, ham_mail, even, clear, soft, fresh, by_weight, by_count) -> what each
   feature adds to the score, as a bytearray of floats: its weight and its odds, by the factors of its zone */
static PyObject *
shares(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer table, numbers, by_weight, by_count;
    Priors priors;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*" PRIORS "y*y*", &table, &numbers, PRIORS_OF(priors), &by_weight, &by_count))
        return NULL;
    const uint32_t *features = numbers.buf;
    Py_ssize_t count = numbers.len / (Py_ssize_t)sizeof(uint32_t);
    Py_ssize_t most = table.len / (Py_ssize_t)(COLUMNS * sizeof(float));
    Py_ssize_t each = ZONES * (Py_ssize_t)sizeof(float);
    if (!is_table(most) || by_weight.len != each || by_count.len != each)
        PyErr_SetString(PyExc_ValueError, "shares(table of a power of two rows, features, ..., by_weight, by_count)");
    else
        result = PyByteArray_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(float));
    float *found = result ? (float *)PyByteArray_AS_STRING(result) : NULL;
    for (Py_ssize_t i = 0; result && i < count; i++) {
        const float *row = (const float *)table.buf + COLUMNS * (features[i] & (uint32_t)(most - 1));
        uint32_t zone = features[i] >> HASH_BITS;
        if (zone >= ZONES) {
            PyErr_SetString(PyExc_ValueError, "there is no such zone");
            Py_CLEAR(result);
            break;
        }
        Said said = said_of(row, &priors);
        found[i] = row[0] * said.loud * ((const float *)by_weight.buf)[zone];
        if (said.odds > 0)
            found[i] += logf(said.odds) * ((const float *)by_count.buf)[zone];
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&by_weight);
    PyBuffer_Release(&by_count);
    return result;
}

/* learn(table, features, prior, spam_mail, ham_mail, even, clear, soft, fresh, energies, steps, spam, ham): what each
   zone adds to the rows of its features.

   A row is written as a whole, as other processes read it meanwhile. */
static PyObject *
learn(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer table, numbers, energies, steps;
    Priors priors;
    float spam, ham;
    if (!PyArg_ParseTuple(args, "w*y*" PRIORS "y*y*ff", &table, &numbers, PRIORS_OF(priors), &energies, &steps, &spam,
                          &ham))
        return NULL;
    const uint32_t *features = numbers.buf;
    const float *energy = energies.buf, *step = steps.buf;
    Py_ssize_t count = numbers.len / (Py_ssize_t)sizeof(uint32_t);
    Py_ssize_t most = table.len / (Py_ssize_t)(COLUMNS * sizeof(float));
    Py_ssize_t each = ZONES * (Py_ssize_t)sizeof(float);
    int sound = is_table(most) && energies.len == each && steps.len == each;
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "learn(table of a power of two rows, features, ..., energies, steps, spam, ham)");
    for (Py_ssize_t i = 0; sound && i < count; i++) {
        if (features[i] >> HASH_BITS >= ZONES) {
            PyErr_SetString(PyExc_ValueError, "there is no such zone");
            sound = 0;
            break;
        }
        float *place = (float *)table.buf + COLUMNS * (features[i] & (uint32_t)(most - 1)), row[COLUMNS];
        uint32_t zone = features[i] >> HASH_BITS;
        memcpy(row, place, sizeof row);
        float loud = said_of(row, &priors).loud;
        row[1] += energy[zone] * loud * loud;
        row[0] += step[zone] * loud / sqrtf(row[1] > TINY ? row[1] : TINY);
        row[2] += spam;
        row[3] += ham;
        memcpy(place, row, sizeof row);
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&energies);
    PyBuffer_Release(&steps);
    if (!sound)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"learn", learn, METH_VARARGS, "Changes the rows of features in a table, by zones."},
    {"sums", sums, METH_VARARGS, "What a table says of features, summed up by zones."},
    {"shares", shares, METH_VARARGS, "What each of the features adds to the score."},
    {"named", named, METH_VARARGS, "The words and facts that moved a message."},
    {"tally", tally, METH_O, "How often each octet stands in a text; its lines that are not empty, and the longest."},
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
    if (!made || PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
