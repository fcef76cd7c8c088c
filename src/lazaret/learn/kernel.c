/* The inner loops of learn/features.py and learn/model.py, for machines with a C compiler.

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

#define INTERFACE 2
#define HASH_BITS 29
#define WORD_OCTETS 16
#define CHUNK 8
#define DIGIT_BITS 11
#define DIGITS (1 << DIGIT_BITS)

enum constant { CHUNK_0, CHUNK_1, MIX, PAIR, LAST, RUN, CONSTANTS };

typedef struct {
    uint32_t *found;
    Py_ssize_t count;
    const uint64_t *constants;
    const uint64_t *salts;
    const uint32_t *zones;
    Py_ssize_t places;
} Making;

static inline void
add(Making *m, uint64_t hash, uint32_t zone)
{
    m->found[m->count++] = (uint32_t)((hash * m->constants[LAST]) >> (64 - HASH_BITS)) | zone;
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

/* The words of one piece, and the pairs of neighbours. A word that the end of all octets cuts is none. */
static void
add_words(Making *m, const unsigned char *octets, Py_ssize_t from, Py_ssize_t to, Py_ssize_t end, Py_ssize_t place,
          const unsigned char *inside, const unsigned char *lower)
{
    uint64_t salt = m->salts[place], before = 0;
    uint32_t zone = m->zones[place];
    int first = 1;
    for (Py_ssize_t i = from; i < to;) {
        if (!inside[octets[i]]) {
            i++;
            continue;
        }
        Py_ssize_t start = i;
        while (i < end && inside[octets[i]])
            i++;
        if (i == end)
            return;
        uint64_t hash = hash_of(m, octets + start, i - start, lower);
        add(m, hash + salt, zone);
        if (!first)
            add(m, before * m->constants[PAIR] + hash + salt, zone);
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

/* By digits of 11 bits, the lowest first; then each once. The result lies in m->found. */
static int
sort_each_once(Making *m)
{
    Py_ssize_t count = m->count, kept = 0;
    uint32_t *from = m->found, *to = PyMem_Malloc((size_t)(count ? count : 1) * sizeof(uint32_t)), *spare = to;
    if (!to)
        return -1;
    for (int shift = 0; shift < 32; shift += DIGIT_BITS) {
        Py_ssize_t starts[DIGITS] = {0}, sum = 0;
        for (Py_ssize_t i = 0; i < count; i++)
            starts[from[i] >> shift & (DIGITS - 1)]++;
        for (int digit = 0; digit < DIGITS; digit++) {
            Py_ssize_t many = starts[digit];
            starts[digit] = sum;
            sum += many;
        }
        for (Py_ssize_t i = 0; i < count; i++)
            to[starts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
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

static int
make(Making *m, Py_buffer *octets, PyObject *lengths, PyObject *places, PyObject *runs, PyObject *run_places,
     const unsigned char *inside, const unsigned char *lower)
{
    Py_ssize_t at = 1, end = octets->len;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(lengths) && at < end; i++) {
        Py_ssize_t length = PyLong_AsSsize_t(PyList_GET_ITEM(lengths, i)), place = place_at(m, places, i);
        if (length < 0 || place < 0) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "a length below 0");
            return -1;
        }
        Py_ssize_t to = length < end - at ? at + length : end;
        add_words(m, octets->buf, at, to, end, place, inside, lower);
        at = to + 1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(runs); i++) {
        Py_ssize_t place = place_at(m, run_places, i);
        if (place < 0)
            return -1;
        PyObject *run = PyList_GET_ITEM(runs, i);
        add_runs(m, (const unsigned char *)PyBytes_AS_STRING(run), PyBytes_GET_SIZE(run), place);
    }
    return sort_each_once(m);
}

/* features(octets, lengths, places, runs, run_places, salts, zones, constants, inside, lower) -> bytearray */
static PyObject *
features(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *lengths, *places, *runs, *run_places, *result = NULL;
    Py_buffer octets, salts, zones, constants, inside, lower;
    if (!PyArg_ParseTuple(args, "y*O!O!O!O!y*y*y*y*y*", &octets, &PyList_Type, &lengths, &PyList_Type, &places,
                          &PyList_Type, &runs, &PyList_Type, &run_places, &salts, &zones, &constants, &inside,
                          &lower))
        return NULL;
    Making m = {NULL, 0, constants.buf, salts.buf, zones.buf, salts.len / (Py_ssize_t)sizeof(uint64_t)};
    Py_ssize_t most = octets.len + 1;
    int sound = PyList_GET_SIZE(lengths) == PyList_GET_SIZE(places) &&
                PyList_GET_SIZE(runs) == PyList_GET_SIZE(run_places) &&
                zones.len / (Py_ssize_t)sizeof(uint32_t) >= m.places &&
                constants.len >= CONSTANTS * (Py_ssize_t)sizeof(uint64_t) && inside.len == 256 && lower.len == 256;
    for (Py_ssize_t i = 0; sound && i < PyList_GET_SIZE(runs); i++) {
        sound = PyBytes_Check(PyList_GET_ITEM(runs, i));
        if (sound)
            most += PyBytes_GET_SIZE(PyList_GET_ITEM(runs, i));
    }
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "features(octets, lengths, places, runs, run_places, salts, ...)");
    else if (!(m.found = PyMem_Malloc((size_t)most * sizeof(uint32_t))))
        PyErr_NoMemory();
    else if (make(&m, &octets, lengths, places, runs, run_places, inside.buf, lower.buf) == 0)
        result = PyByteArray_FromStringAndSize((const char *)m.found, m.count * (Py_ssize_t)sizeof(uint32_t));
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    PyMem_Free(m.found);
    PyBuffer_Release(&octets);
    PyBuffer_Release(&salts);
    PyBuffer_Release(&zones);
    PyBuffer_Release(&constants);
    PyBuffer_Release(&inside);
    PyBuffer_Release(&lower);
    return result;
}

#define ZONES 8
#define COLUMNS 4 /* weight, energy, spam, ham: as in learn/model.py */
#define TINY 1e-20f

/* A logarithm costs more than all else: odds are multiplied until they leave 1 / ROOM to ROOM. One feature's
   lie within 1e-40 and 1e40. */
#define ROOM 1e200
#define AHEAD 16

/* Sums of one zone: of weights, of what the counts say, of features seen before, and how many features it has;
   `odds` are those that are not in `logits` yet. */
typedef struct {
    double weights, logits, known, odds;
    Py_ssize_t features;
} Sums;

static PyObject *
as_tuples(const Sums *sums)
{
    PyObject *found[4];
    for (int kind = 0; kind < 4; kind++)
        found[kind] = PyTuple_New(ZONES);
    for (int zone = 0; zone < ZONES && found[0] && found[1] && found[2] && found[3]; zone++) {
        PyTuple_SET_ITEM(found[0], zone, PyFloat_FromDouble(sums[zone].weights));
        PyTuple_SET_ITEM(found[1], zone, PyFloat_FromDouble(sums[zone].logits + log(sums[zone].odds)));
        PyTuple_SET_ITEM(found[2], zone, PyLong_FromDouble(sums[zone].known));
        PyTuple_SET_ITEM(found[3], zone, PyLong_FromSsize_t(sums[zone].features));
    }
    if (!found[0] || !found[1] || !found[2] || !found[3] || PyErr_Occurred()) {
        for (int kind = 0; kind < 4; kind++)
            Py_XDECREF(found[kind]);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    return Py_BuildValue("(NNNN)", found[0], found[1], found[2], found[3]);
}

static int
is_table(Py_ssize_t rows)
{
    return rows >= 1 && !(rows & (rows - 1)) && rows <= (Py_ssize_t)1 << HASH_BITS;
}

/* sums(table, features, prior, spam_mail, ham_mail, even) -> weights, logits, known, lengths of each zone */
static PyObject *
sums(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer table, numbers;
    float prior_share, spam_mail, ham_mail, even_share;
    if (!PyArg_ParseTuple(args, "y*y*ffff", &table, &numbers, &prior_share, &spam_mail, &ham_mail, &even_share))
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
            Sums *zone = &found[features[i] >> HASH_BITS];
            float spam = row[2], ham = row[3], total = spam + ham;
            zone->weights += row[0];
            zone->features++;
            if (total > 0) {
                float prior = total * prior_share;
                float in_spam = (spam + prior) * ham_mail, in_ham = (prior + ham) * spam_mail;
                float even = (in_spam + in_ham) * even_share + TINY;
                zone->odds *= (double)((in_spam * total + even) / (in_ham * total + even));
                if (!(zone->odds > 1 / ROOM && zone->odds < ROOM)) {
                    zone->logits += log(zone->odds);
                    zone->odds = 1;
                }
                zone->known += total < 1 ? total : 1;
            }
        }
        result = as_tuples(found);
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&numbers);
    return result;
}

/* learn(table, features, energies, steps, spam, ham): what each zone adds to the rows of its features.

   A row is written as a whole, as other processes read it meanwhile. */
static PyObject *
learn(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer table, numbers, energies, steps;
    float spam, ham;
    if (!PyArg_ParseTuple(args, "w*y*y*y*ff", &table, &numbers, &energies, &steps, &spam, &ham))
        return NULL;
    const uint32_t *features = numbers.buf;
    const float *energy = energies.buf, *step = steps.buf;
    Py_ssize_t count = numbers.len / (Py_ssize_t)sizeof(uint32_t);
    Py_ssize_t most = table.len / (Py_ssize_t)(COLUMNS * sizeof(float));
    Py_ssize_t each = ZONES * (Py_ssize_t)sizeof(float);
    int sound = is_table(most) && energies.len == each && steps.len == each;
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "learn(table of a power of two rows, features, energies, steps, spam, ham)");
    for (Py_ssize_t i = 0; sound && i < count; i++) {
        float *place = (float *)table.buf + COLUMNS * (features[i] & (uint32_t)(most - 1)), row[COLUMNS];
        uint32_t zone = features[i] >> HASH_BITS;
        memcpy(row, place, sizeof row);
        row[1] += energy[zone];
        row[0] += step[zone] / sqrtf(row[1] > TINY ? row[1] : TINY);
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
