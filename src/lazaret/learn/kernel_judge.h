/* What a table of what was learned makes of features: learn/model.py. kernel.c includes this, and its rules hold. */

#define COLUMNS 4 /* weight, energy, spam, ham: as in learn/model.py */
#define TINY 1e-20f

/* A logarithm costs more than all else: odds are multiplied until they leave 1 / ROOM to ROOM. One feature's
   lie within 1e-40 and 1e40. */
#define ROOM 1e200
#define AHEAD 32
#define BLOCK 32 /* Rows that are reckoned with at a time. */

enum counter { SPAM_COUNTED, HAM_COUNTED, SPAM_SEEN, HAM_SEEN, COUNTERS }; /* As model.Counter; there are more. */

/* As model._SETTINGS. */
enum setting {
    PRIOR_MAIL,
    PRIOR_FEATURE,
    CLEAR,
    SOFT,
    FRESH,
    GAIN,
    COUNTS_SHARE,
    FEW,
    FEW_COUNTED,
    RAMP_FROM,
    RAMP_TO,
    MOST,
    LEAST,
    SHARE = LEAST + ZONES,
    SETTINGS = SHARE + ZONES
};

/* What it takes to know the odds of a feature, and how loud its weight is. */
typedef struct {
    float prior_share, spam_mail, ham_mail, even_share, clear, soft, loudest, fresh;
} Priors;

/* What everything here is given first. */
typedef struct {
    Py_buffer table, numbers, counters, settings;
    const uint32_t *features;
    Py_ssize_t count;
    uint32_t mask;
    const double *counted, *set;
    Priors priors;
} Asked;
#define ASKED "y*y*y*"
#define ASKED_OF(a) &(a).numbers, &(a).counters, &(a).settings

static void
release(Asked *a)
{
    PyBuffer_Release(&a->table);
    PyBuffer_Release(&a->numbers);
    PyBuffer_Release(&a->counters);
    PyBuffer_Release(&a->settings);
}

/* -1 after an error. */
static int
understand(Asked *a)
{
    Py_ssize_t rows = a->table.len / (Py_ssize_t)(COLUMNS * sizeof(float));
    if (rows < 1 || rows & (rows - 1) || rows > (Py_ssize_t)1 << HASH_BITS ||
        a->counters.len < COUNTERS * (Py_ssize_t)sizeof(double) ||
        a->settings.len != SETTINGS * (Py_ssize_t)sizeof(double)) {
        PyErr_SetString(PyExc_ValueError, "(table of a power of two rows, features, counters, settings, ...)");
        return -1;
    }
    a->features = a->numbers.buf;
    a->count = a->numbers.len / (Py_ssize_t)sizeof(uint32_t);
    a->mask = (uint32_t)(rows - 1);
    a->counted = a->counters.buf;
    const double *set = a->set = a->settings.buf;
    double spam = a->counted[SPAM_COUNTED], ham = a->counted[HAM_COUNTED], mail = spam + ham;
    a->priors = (Priors){.prior_share = (float)(set[PRIOR_MAIL] / (mail > 1 ? mail : 1)),
                         .spam_mail = (float)(spam + set[PRIOR_MAIL]),
                         .ham_mail = (float)(ham + set[PRIOR_MAIL]),
                         .even_share = (float)(set[PRIOR_FEATURE] / 2),
                         .clear = (float)set[CLEAR],
                         .soft = (float)set[SOFT],
                         .loudest = 1 - (float)set[SOFT],
                         .fresh = (float)set[FRESH]};
    return 0;
}

/* ZONES after an error. */
static inline uint32_t
zone_of(const Asked *a, Py_ssize_t number)
{
    uint32_t zone = a->features[number] >> HASH_BITS;
    if (zone < ZONES)
        return zone;
    PyErr_SetString(PyExc_ValueError, "there is no such zone");
    return ZONES;
}

static inline const float *
row_of(const Asked *a, Py_ssize_t number)
{
    return (const float *)a->table.buf + COLUMNS * (size_t)(a->features[number] & a->mask);
}

typedef struct {
    float odds, loud;
    int is_clear;
} Said;

/* What the counts of a row say; odds that are not clear are 1. It has no branch, so that compilers take several rows at
   once. */
static inline Said
said_of(const float *row, const Priors *priors)
{
    float spam = row[2], ham = row[3], total = spam + ham, prior = total * priors->prior_share;
    float in_spam = (spam + prior) * priors->ham_mail, in_ham = (prior + ham) * priors->spam_mail;
    float even = (in_spam + in_ham) * priors->even_share + TINY;
    in_spam = in_spam * total + even;
    in_ham = in_ham * total + even;
    float odds = in_spam / in_ham;
    float loud = priors->soft + priors->loudest * fabsf(in_spam - in_ham) / (in_spam + in_ham);
    int is_counted = total > 0, is_clear = is_counted & ((odds >= priors->clear) | (odds * priors->clear <= 1));
    return (Said){is_clear ? odds : 1, is_counted ? loud : priors->fresh, is_clear};
}

/* The rows of some features, and what they say: the weights by how loud they are, the squares of that, and the odds. */
typedef struct {
    float rows[BLOCK][COLUMNS];
    float weights[BLOCK], loudness[BLOCK], odds[BLOCK];
    int is_clear[BLOCK];
} Block;

/* Reads the rows of the features from this one on, and has later ones fetched; how many it read. */
static inline Py_ssize_t
read_block(const Asked *a, Py_ssize_t from, Block *restrict block)
{
    Py_ssize_t count = a->count - from < BLOCK ? a->count - from : BLOCK;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (from + i + AHEAD < a->count)
            __builtin_prefetch(row_of(a, from + i + AHEAD));
        memcpy(block->rows[i], row_of(a, from + i), sizeof block->rows[i]);
    }
    Priors priors = a->priors;
    for (int i = 0; i < BLOCK; i++) {
        Said said = said_of(block->rows[i], &priors);
        block->weights[i] = block->rows[i][0] * said.loud;
        block->loudness[i] = said.loud * said.loud;
        block->odds[i] = said.odds;
        block->is_clear[i] = said.is_clear;
    }
    return count;
}

/* Where the features of this one's zone end, or `end`: they are sorted. */
static inline Py_ssize_t
zone_end(const Asked *a, Py_ssize_t from, Py_ssize_t end)
{
    uint32_t zone = a->features[from] >> HASH_BITS;
    if (a->features[end - 1] >> HASH_BITS == zone)
        return end;
    while (a->features[from] >> HASH_BITS == zone)
        from++;
    return from;
}

/* Of each zone: the weights and the squares of how loud they are, summed up; what the counts say, and the odds that it
   lacks yet; and how many features are clear. */
typedef struct {
    double weights[ZONES], loudness[ZONES], votes[ZONES], odds[ZONES], clear[ZONES];
} Zones;

/* Adds these of a block to what is known of their zone. */
static inline void
add_some(Zones *zones, uint32_t zone, const Block *block, Py_ssize_t from, Py_ssize_t end)
{
    double weights = zones->weights[zone], loudness = zones->loudness[zone], odds = zones->odds[zone];
    int clear = 0;
    for (Py_ssize_t i = from; i < end; i++) {
        weights += block->weights[i];
        loudness += block->loudness[i];
        odds *= (double)block->odds[i];
        clear += block->is_clear[i];
        if (!(odds > 1 / ROOM && odds < ROOM)) {
            zones->votes[zone] += log(odds);
            odds = 1;
        }
    }
    zones->weights[zone] = weights;
    zones->loudness[zone] = loudness;
    zones->odds[zone] = odds;
    zones->clear[zone] += clear;
}

/* -1 after an error. */
static int
add_all(const Asked *a, Zones *zones)
{
    Block block = {{{0}}};
    for (int zone = 0; zone < ZONES; zone++)
        zones->odds[zone] = 1;
    for (Py_ssize_t from = 0; from < a->count; from += BLOCK) {
        Py_ssize_t count = read_block(a, from, &block), end;
        for (Py_ssize_t i = 0; i < count; i = end) {
            uint32_t zone = zone_of(a, from + i);
            if (zone == ZONES)
                return -1;
            end = zone_end(a, from + i, from + count) - from;
            add_some(zones, zone, &block, i, end);
        }
    }
    for (int zone = 0; zone < ZONES; zone++)
        zones->votes[zone] += log(zones->odds[zone]);
    return 0;
}

/* What a zone may say at most is the limit that it nears. */
static double
squashed(double value, double most, double least)
{
    double limit = value > 0 ? most : least;
    return limit * tanh(value / limit);
}

/* The mean of the zones, by their shares. */
static double
voted(const double *votes, const double *set)
{
    double sum = 0;
    for (int zone = 0; zone < ZONES; zone++)
        sum += set[SHARE + zone] * squashed(votes[zone], set[MOST], set[LEAST + zone]);
    return sum;
}

static void
normalise(double *values, const double *sizes, double few)
{
    for (int zone = 0; zone < ZONES; zone++)
        values[zone] /= sqrt(sizes[zone] + few);
}

static double
ramp_of(const Asked *a)
{
    double spam = a->counted[SPAM_SEEN], ham = a->counted[HAM_SEEN], fewest = spam < ham ? spam : ham;
    return sqrt((fewest + a->set[RAMP_FROM]) / (fewest + a->set[RAMP_TO]));
}

static PyObject *
as_tuple(const double *values)
{
    PyObject *tuple = PyTuple_New(ZONES);
    for (int zone = 0; tuple && zone < ZONES; zone++) {
        PyObject *value = PyFloat_FromDouble(values[zone]);
        if (value)
            PyTuple_SET_ITEM(tuple, zone, value);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* judge(table, features, counters, settings) -> what model.Judgement has */
static PyObject *
judge(PyObject *module, PyObject *args)
{
    (void)module;
    Asked a;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*" ASKED, &a.table, ASKED_OF(a)))
        return NULL;
    Zones zones = {{0}};
    if (understand(&a) == 0 && add_all(&a, &zones) == 0) {
        normalise(zones.weights, zones.loudness, a.set[FEW]);
        normalise(zones.votes, zones.clear, a.set[FEW_COUNTED]);
        double weights = a.set[GAIN] * voted(zones.weights, a.set), counts = voted(zones.votes, a.set);
        double score = (weights + a.set[COUNTS_SHARE] * counts) * ramp_of(&a);
        result = Py_BuildValue("(dddNNNN)", score, weights, counts, as_tuple(zones.weights),
                               as_tuple(zones.loudness), as_tuple(zones.votes), as_tuple(zones.clear));
    }
    release(&a);
    return result;
}

/* By what a feature of each zone is multiplied, to be its share of what the zone says. */
static void
factors_of(const Asked *a, double gain, const double *votes, const double *sizes, double few, float *factors)
{
    double ramp = ramp_of(a);
    for (int zone = 0; zone < ZONES; zone++) {
        double vote = votes[zone], said = squashed(vote, a->set[MOST], a->set[LEAST + zone]);
        double share = gain * a->set[SHARE + zone] * (fabs(vote) > 1e-6 ? said / vote : 1.0);
        factors[zone] = (float)(ramp * (share / sqrt(sizes[zone] + few)));
    }
}

static int
take_doubles(PyObject *tuple, double *values)
{
    if (PyTuple_GET_SIZE(tuple) != ZONES) {
        PyErr_SetString(PyExc_ValueError, "of each zone one number");
        return -1;
    }
    for (int zone = 0; zone < ZONES; zone++)
        values[zone] = PyFloat_AsDouble(PyTuple_GET_ITEM(tuple, zone));
    return PyErr_Occurred() ? -1 : 0;
}

/* What each feature adds, by the factors of its zone; -1 after an error. */
static int
share_all(const Asked *a, const float *by_weight, const float *by_count, float *found)
{
    Block block = {{{0}}};
    for (Py_ssize_t from = 0; from < a->count; from += BLOCK) {
        Py_ssize_t count = read_block(a, from, &block);
        for (Py_ssize_t i = 0; i < count; i++) {
            uint32_t zone = zone_of(a, from + i);
            if (zone == ZONES)
                return -1;
            found[from + i] = block.weights[i] * by_weight[zone];
            if (block.is_clear[i])
                found[from + i] += logf(block.odds[i]) * by_count[zone];
        }
    }
    return 0;
}

/* shares(table, features, counters, settings, zones, loudness, votes, clear) -> what each feature adds to the score, as
   a bytearray of floats: its weight and its odds, by the factors of its zone. The last four are those that judge()
   gave. */
static PyObject *
shares(PyObject *module, PyObject *args)
{
    (void)module;
    Asked a;
    Zones zones;
    PyObject *weights, *loudness, *votes, *clear, *result = NULL;
    PyTypeObject *tuple = &PyTuple_Type;
    if (!PyArg_ParseTuple(args, "y*" ASKED "O!O!O!O!", &a.table, ASKED_OF(a), tuple, &weights, tuple, &loudness, tuple,
                          &votes, tuple, &clear))
        return NULL;
    if (understand(&a) == 0 && take_doubles(weights, zones.weights) == 0 &&
        take_doubles(loudness, zones.loudness) == 0 && take_doubles(votes, zones.votes) == 0 &&
        take_doubles(clear, zones.clear) == 0)
        result = PyByteArray_FromStringAndSize(NULL, a.count * (Py_ssize_t)sizeof(float));
    if (result) {
        float *found = (float *)PyByteArray_AS_STRING(result), by_weight[ZONES], by_count[ZONES];
        factors_of(&a, a.set[GAIN], zones.weights, zones.loudness, a.set[FEW], by_weight);
        factors_of(&a, a.set[COUNTS_SHARE], zones.votes, zones.clear, a.set[FEW_COUNTED], by_count);
        if (share_all(&a, by_weight, by_count, found) < 0)
            Py_CLEAR(result);
    }
    release(&a);
    return result;
}

/* learn(table, features, counters, settings, energies, steps, spam, ham): what each zone adds to the rows of its
   features.

   A row is written as a whole, as other processes read it meanwhile. */
static PyObject *
learn(PyObject *module, PyObject *args)
{
    (void)module;
    Asked a;
    Py_buffer energies, steps;
    float spam, ham;
    if (!PyArg_ParseTuple(args, "w*" ASKED "y*y*ff", &a.table, ASKED_OF(a), &energies, &steps, &spam, &ham))
        return NULL;
    const float *energy = energies.buf, *step = steps.buf;
    Py_ssize_t each = ZONES * (Py_ssize_t)sizeof(float);
    uint32_t zone;
    int sound = understand(&a) == 0;
    if (sound && (energies.len != each || steps.len != each)) {
        PyErr_SetString(PyExc_ValueError, "of each zone one number");
        sound = 0;
    }
    for (Py_ssize_t i = 0; sound && i < a.count && (zone = zone_of(&a, i)) < ZONES; i++) {
        float *place = (float *)row_of(&a, i), row[COLUMNS];
        memcpy(row, place, sizeof row);
        float loud = said_of(row, &a.priors).loud;
        row[1] += energy[zone] * loud * loud;
        row[0] += step[zone] * loud / sqrtf(row[1] > TINY ? row[1] : TINY);
        row[2] += spam;
        row[3] += ham;
        memcpy(place, row, sizeof row);
    }
    release(&a);
    PyBuffer_Release(&energies);
    PyBuffer_Release(&steps);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}
