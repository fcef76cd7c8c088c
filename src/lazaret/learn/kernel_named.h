/* Which words and facts moved a message, and by how much: learn/explain.py from the features' shares.

   The same rules as in kernel.c, which includes this: every place in the octets is below their length, a number that
   is not among the features is an error, and what is allocated is bounded by the lengths of what was given. */

static PyObject *lower_method; /* The name of it. */

typedef struct {
    Py_ssize_t start, end, piece, single, pair, again;
    /* Places among the features; -1: the word has none. `pair` is that with the word before it. */
    double amount;
} Word;

typedef struct {
    Making *making;
    const uint32_t *features;
    Py_ssize_t count;
    uint32_t *places; /* A hash table: the number of a feature and 1, or 0. */
    Py_ssize_t slots;
    int shift;
    Word *words;
    Py_ssize_t found;
    int strange; /* A number that is not among the features: they are those of another message. */
} Naming;

static inline uint32_t
slot_of(const Naming *n, uint32_t feature)
{
    return (feature * 2654435761u) >> n->shift; /* Knuth's multiplicative hash: its upper bits are the good ones. */
}

/* A table of at least twice as many slots as there are features, so that a search ends. */
static int
place_all(Naming *n)
{
    int bits = 4;
    while (((Py_ssize_t)1 << bits) < 2 * n->count && bits < 31)
        bits++;
    n->shift = 32 - bits;
    n->slots = (Py_ssize_t)1 << bits;
    if (n->slots < 2 * n->count || !(n->places = PyMem_Calloc((size_t)n->slots, sizeof(uint32_t))))
        return -1;
    for (Py_ssize_t i = 0; i < n->count; i++) {
        uint32_t slot = slot_of(n, n->features[i]);
        while (n->places[slot])
            slot = (slot + 1) & (uint32_t)(n->slots - 1);
        n->places[slot] = (uint32_t)i + 1;
    }
    return 0;
}

static Py_ssize_t
place_of(Naming *n, uint64_t hash, uint32_t zone)
{
    uint32_t wanted = finished(n->making, hash, zone);
    for (uint32_t slot = slot_of(n, wanted); n->places[slot]; slot = (slot + 1) & (uint32_t)(n->slots - 1))
        if (n->features[n->places[slot] - 1] == wanted)
            return (Py_ssize_t)n->places[slot] - 1;
    n->strange = 1;
    return -1;
}

/* As add_words. */
static void
name_words(Naming *n, const unsigned char *octets, Py_ssize_t from, Py_ssize_t to, Py_ssize_t end, Py_ssize_t place,
           Py_ssize_t piece, const unsigned char *inside)
{
    const Making *m = n->making;
    uint64_t salt = m->salts[place], before = 0;
    uint32_t zone = m->zones[place], again = m->again[place];
    int first = 1;
    for (Py_ssize_t start, i = from; next_word(octets, to, end, inside, &start, &i);) {
        uint64_t hash = hash_of(m, octets + start, i - start, end - start);
        Word *word = &n->words[n->found++];
        *word = (Word){.start = start, .end = i, .piece = piece, .pair = -1, .again = -1};
        word->single = place_of(n, hash + salt, zone);
        if (!first)
            word->pair = place_of(n, before * m->constants[PAIR] + hash + salt, zone);
        if (again)
            word->again = place_of(n, hash + m->constants[ANYWHERE], again);
        before = hash;
        first = 0;
    }
}

/* A feature that stands in several places is shared out among them; a pair is given to both its words by halves. */
static int
share_out(Naming *n, const float *shares)
{
    uint32_t *times = PyMem_Calloc((size_t)n->count + 1, sizeof(uint32_t));
    if (!times)
        return -1;
    for (Py_ssize_t i = 0; i < n->found; i++) {
        const Word *word = &n->words[i];
        times[word->single]++;
        if (word->pair >= 0)
            times[word->pair]++;
        if (word->again >= 0)
            times[word->again]++;
    }
    for (Py_ssize_t i = 0; i < n->found; i++) {
        Word *word = &n->words[i];
        word->amount += (double)shares[word->single] / times[word->single];
        if (word->pair >= 0) {
            double half = (double)shares[word->pair] / times[word->pair] / 2;
            word->amount += half;
            n->words[i - 1].amount += half; /* The word before it: a piece's first word has no pair. */
        }
        if (word->again >= 0)
            word->amount += (double)shares[word->again] / times[word->again];
    }
    PyMem_Free(times);
    return 0;
}

static int
by_strength(const void *left, const void *right)
{
    const Word *one = left, *other = right;
    double first = fabs(one->amount), second = fabs(other->amount);
    if (first != second)
        return first < second ? 1 : -1;
    return one->start < other->start ? -1 : 1;
}

/* The strongest come first; of many more than are wanted, only those above a bound are sorted. */
static Py_ssize_t
strongest(Naming *n, Py_ssize_t most)
{
    for (Py_ssize_t kept = n->found; n->found > 2 * most; kept = n->found) {
        double bound = 0;
        for (Py_ssize_t i = 0; i < n->found; i++)
            bound += fabs(n->words[i].amount) / (double)n->found;
        Py_ssize_t above = 0;
        for (Py_ssize_t i = 0; i < n->found; i++)
            above += fabs(n->words[i].amount) >= bound;
        if (above < most || above == kept)
            break;
        kept = 0;
        for (Py_ssize_t i = 0; i < n->found; i++)
            if (fabs(n->words[i].amount) >= bound)
                n->words[kept++] = n->words[i];
        n->found = kept;
    }
    qsort(n->words, (size_t)n->found, sizeof(Word), by_strength);
    return n->found < most ? n->found : most;
}

/* To what is found under this key. Most are new: these are looked up but once. */
static int
add_amount(PyObject *found, PyObject *key, double amount)
{
    PyObject *sum = PyFloat_FromDouble(amount);
    PyObject *before = sum ? PyDict_SetDefault(found, key, sum) : NULL;
    int done = before ? 0 : -1;
    if (before && before != sum) {
        Py_SETREF(sum, PyFloat_FromDouble(PyFloat_AS_DOUBLE(before) + amount));
        done = sum ? PyDict_SetItem(found, key, sum) : -1;
    }
    Py_XDECREF(sum);
    return done;
}

/* The group of a piece, and a word of it in lower case, as Python writes it. */
static PyObject *
key_of(const Given *given, const Word *word, PyObject *groups, Py_ssize_t longest)
{
    const char *octets = (const char *)given->octets.buf + word->start;
    Py_ssize_t length = word->end - word->start;
    PyObject *text = PyUnicode_DecodeUTF8(octets, length < longest ? length : longest, "replace");
    PyObject *lower = text ? PyObject_CallMethodNoArgs(text, lower_method) : NULL;
    PyObject *key = lower ? PyTuple_Pack(2, PyList_GET_ITEM(groups, word->piece), lower) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(lower);
    return key;
}

/* What each fact adds, with half of what it adds together with each other one. */
static int
name_facts(Naming *n, PyObject *hashes, PyObject *keys, Py_ssize_t place, const float *shares, PyObject *named)
{
    const Making *m = n->making;
    const char *octets = PyBytes_AS_STRING(hashes);
    Py_ssize_t count = facts_in(hashes);
    double amounts[FACTS] = {0};
    uint64_t salt = m->salts[place];
    uint32_t zone = m->zones[place];
    for (Py_ssize_t i = 0; i < count; i++) {
        uint64_t fact, other;
        memcpy(&fact, octets + i * (Py_ssize_t)sizeof fact, sizeof fact);
        Py_ssize_t at = place_of(n, fact + salt, zone);
        amounts[i] += at < 0 ? 0 : (double)shares[at];
        fact = fact * m->constants[PAIR] + salt;
        for (Py_ssize_t k = i + 1; k < count; k++) {
            memcpy(&other, octets + k * (Py_ssize_t)sizeof other, sizeof other);
            at = place_of(n, fact + other, zone);
            double half = at < 0 ? 0 : (double)shares[at] / 2;
            amounts[i] += half;
            amounts[k] += half;
        }
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (add_amount(named, PyList_GET_ITEM(keys, i), amounts[i]) < 0)
            return -1;
    return 0;
}

/* Adds all facts, then the strongest words. */
static int
name_all(Naming *n, const Given *given, const float *shares, PyObject *groups, PyObject *keys, Py_ssize_t most,
         Py_ssize_t longest, PyObject *named)
{
    Py_ssize_t at = 1, end = given->octets.len;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(given->lengths) && at < end; i++) {
        Py_ssize_t place, to = piece_end(n->making, given, i, at, &place);
        if (to < 0)
            return -1;
        name_words(n, given->octets.buf, at, to, end, place, i, given->inside.buf);
        at = to + 1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(given->facts); i++) {
        Py_ssize_t place = place_at(n->making, given->fact_places, i);
        if (place < 0 || name_facts(n, PyList_GET_ITEM(given->facts, i), PyList_GET_ITEM(keys, i), place, shares, named) < 0)
            return -1;
    }
    if (n->strange) {
        PyErr_SetString(PyExc_ValueError, "the features are those of another message");
        return -1;
    }
    if (share_out(n, shares) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t count = strongest(n, most);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *key = key_of(given, &n->words[i], groups, longest);
        int added = key ? add_amount(named, key, n->words[i].amount) : -1;
        Py_XDECREF(key);
        if (added < 0)
            return -1;
    }
    return 0;
}

/* Whether each piece has a group, and each fact a key. */
static int
all_have_names(const Given *given, PyObject *groups, PyObject *keys)
{
    if (PyList_GET_SIZE(groups) < PyList_GET_SIZE(given->lengths) ||
        PyList_GET_SIZE(keys) != PyList_GET_SIZE(given->facts))
        return 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys); i++) {
        PyObject *some = PyList_GET_ITEM(keys, i);
        if (!PyList_Check(some) || PyList_GET_SIZE(some) != facts_in(PyList_GET_ITEM(given->facts, i)))
            return 0;
    }
    return 1;
}

/* named(what features() takes, features, shares, groups of the pieces, keys of the facts, most, longest) -> what all
   facts and the `most` strongest words add, by key; that of a word is the group of its piece and its first octets, at
   most `longest` of them */
static PyObject *
named(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *all, *groups, *keys, *result = NULL;
    Py_buffer features, shares;
    Py_ssize_t most, longest;
    if (!PyArg_ParseTuple(args, "O!y*y*O!O!nn", &PyTuple_Type, &all, &features, &shares, &PyList_Type, &groups,
                          &PyList_Type, &keys, &most, &longest))
        return NULL;
    Given given;
    Making m;
    Naming n = {.making = &m, .features = features.buf, .count = features.len / (Py_ssize_t)sizeof(uint32_t)};
    if (take(all, &given, &m) == 0) {
        if (shares.len != n.count * (Py_ssize_t)sizeof(float) || most < 1 || longest < 1)
            PyErr_SetString(PyExc_ValueError, "named(all, features, as many shares, ...)");
        else if (!all_have_names(&given, groups, keys))
            PyErr_SetString(PyExc_ValueError, "each piece has a group, each fact a key");
        /* A word and the blank after it are two octets at least. */
        else if (!(n.words = PyMem_Malloc((size_t)(given.octets.len / 2 + 1) * sizeof(Word))) || place_all(&n) < 0)
            PyErr_NoMemory();
        else if ((result = PyDict_New()) &&
                 name_all(&n, &given, shares.buf, groups, keys, most, longest, result) < 0)
            Py_CLEAR(result);
        PyMem_Free(n.words);
        PyMem_Free(n.places);
        let_go(&given);
    }
    PyBuffer_Release(&features);
    PyBuffer_Release(&shares);
    return result;
}
