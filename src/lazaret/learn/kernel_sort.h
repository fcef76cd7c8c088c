/* The numbers of a message sorted, each once: kernel.c includes this, and its rules hold.

   Features are hashes, and so lie evenly in their zone: where in a table one stands follows from its own value, but
   for a few places. Each is put before the first larger one from there on, and what stands in the way moves on by one
   (linear probing with all in order: Amble and Knuth, 1974), so that the table read from its beginning is sorted.
   Numbers that lie closely together, which takes the site's secret to make, are sorted by comparisons. */

#define NONE UINT32_MAX /* Of a zone that there is not. */
#define STEPS 32        /* So many steps for a feature on the whole, and they lie too closely. */
#define SPARE 128       /* Places behind the last stretch; when they are full, too. */

/* Where the numbers of each zone stand: number * places / 2**HASH_BITS from `begin` on. */
typedef struct {
    uint64_t places[ZONES], begin[ZONES], all;
} Stretches;

static int
by_number(const void *left, const void *right)
{
    uint32_t one = *(const uint32_t *)left, other = *(const uint32_t *)right;
    return (one > other) - (one < other);
}

static void
compare_each_once(Making *m)
{
    Py_ssize_t kept = 0;
    qsort(m->found, (size_t)m->count, sizeof(uint32_t), by_number);
    for (Py_ssize_t i = 0; i < m->count; i++)
        if (!kept || m->found[kept - 1] != m->found[i])
            m->found[kept++] = m->found[i];
    m->count = kept;
}

/* How many there are once each; -1: they lie too closely together. */
static Py_ssize_t
place_each_once(const Making *m, const Stretches *stretches, uint32_t *table)
{
    Py_ssize_t again = 0, left = STEPS * m->count;
    const uint32_t *end = table + stretches->all + SPARE; /* This last place stays free: there a search ends. */
    for (Py_ssize_t i = 0; i < m->count; i++) {
        uint32_t number = m->found[i], zone = number >> HASH_BITS;
        uint32_t *at = table + (stretches->begin[zone] + (number * stretches->places[zone] >> HASH_BITS));
        if (*at == NONE) {
            *at = number;
            continue;
        }
        for (; *at < number; at++)
            left--;
        if (left < 0)
            return -1;
        if (*at == number) {
            again++;
            continue;
        }
        for (uint32_t next; number != NONE; number = next, left--) {
            next = *at;
            *at++ = number;
        }
        if (at >= end)
            return -1;
    }
    return m->count - again;
}

/* The result lies in m->found, which has a place more than there are features: the last free places are copied, too. */
static int
sort_each_once(Making *m)
{
    Stretches stretches = {.all = 0};
    for (uint32_t zone = 0; zone < ZONES; zone++) {
        stretches.places[zone] = (uint64_t)m->of_zone[zone] * 3 / 2;
        stretches.begin[zone] = stretches.all - zone * stretches.places[zone]; /* The zone is in the number, too. */
        stretches.all += stretches.places[zone];
    }
    size_t size = (stretches.all + SPARE + 1) * sizeof(uint32_t);
    uint32_t *table = PyMem_Malloc(size);
    if (!table)
        return -1;
    memset(table, 0xff, size);
    Py_ssize_t kept = 0, count = place_each_once(m, &stretches, table);
    if (count < 0)
        compare_each_once(m);
    else {
#pragma GCC unroll 8
        for (const uint32_t *at = table, *end = table + stretches.all + SPARE; at < end; at++) {
            m->found[kept] = *at;
            kept += *at < NONE;
        }
        m->count = count;
    }
    PyMem_Free(table);
    return 0;
}
