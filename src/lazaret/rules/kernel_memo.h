/* What the databases found in short texts that came not long ago: mail repeats itself (links, footers, senders).

   Each text has one place in a table of fixed size, and a newer one that belongs there takes it: however many texts
   somebody sends, noting one costs the same. Python's hash of octets has a secret, so that nobody aims at a place. */

enum { MEMO_LENGTH = 512 }; /* octets of a text */
enum { MEMO_FOUND = 48 };   /* noted for a text */
enum { MEMO_TEXTS = 256 };  /* of a message that are remembered */
enum { MEMO_MOST = 1 << 20 };

typedef struct {
    Py_hash_t hash;
    uint16_t length, count;
    int plain;
    uint16_t found[]; /* and the text behind it */
} Memory;

typedef struct {
    Py_ssize_t size; /* 0: nothing is remembered */
    Memory **places;
} Memo;

/* One text while it is searched. */
typedef struct {
    int known, full; /* full: more than can be remembered */
    int plain;       /* see folding.py */
    uint16_t count, next;
    uint16_t found[MEMO_FOUND]; /* one more than each place, and 0 behind what one Finder found; Finders in their order */
} Recall;

static int
memo_make(Memo *self, Py_ssize_t size)
{
    self->places = PyMem_Calloc((size_t)size + 1, sizeof(Memory *));
    self->size = self->places ? size : 0;
    return self->places ? 0 : -1;
}

static void
memo_free(Memo *self)
{
    for (Py_ssize_t at = 0; at < self->size; at++)
        PyMem_Free(self->places[at]);
    PyMem_Free(self->places);
}

static Memory **
memo_place(const Memo *self, Py_hash_t hash)
{
    return &self->places[(size_t)hash % (size_t)self->size];
}

/* A copy of what is known of a text: whoever is asked while it is searched may search as well, and forget it. */
static void
memo_recall(const Memo *self, PyObject *text, Recall *recall)
{
    recall->known = recall->plain = recall->count = recall->next = 0;
    recall->full = PyBytes_GET_SIZE(text) > MEMO_LENGTH;
    if (recall->full)
        return;
    Py_hash_t hash = PyObject_Hash(text);
    const Memory *memory = *memo_place(self, hash);
    if (!memory || memory->hash != hash || memory->length != PyBytes_GET_SIZE(text) ||
        memcmp(memory->found + memory->count, PyBytes_AS_STRING(text), memory->length))
        return;
    recall->known = 1;
    recall->plain = memory->plain;
    recall->count = memory->count;
    memcpy(recall->found, memory->found, memory->count * sizeof(uint16_t));
}

/* Notes what one Finder found. */
static void
recall_note(Recall *recall, const Py_ssize_t *found, Py_ssize_t count)
{
    recall->full = recall->full || count >= MEMO_FOUND - recall->count;
    for (Py_ssize_t at = 0; at < count && !recall->full; at++) {
        recall->full = found[at] >= UINT16_MAX;
        recall->found[recall->count++] = (uint16_t)(found[at] + 1);
    }
    if (!recall->full)
        recall->found[recall->count++] = 0;
}

/* Keeps what was found in a text that was not known. Without memory for it nothing is lost. */
static void
memo_keep(const Memo *self, PyObject *text, const Recall *recall)
{
    if (recall->known || recall->full)
        return;
    size_t found = recall->count * sizeof(uint16_t), length = (size_t)PyBytes_GET_SIZE(text);
    Py_hash_t hash = PyObject_Hash(text);
    Memory **place = memo_place(self, hash), *memory = PyMem_Malloc(sizeof(Memory) + found + length);
    PyMem_Free(*place);
    *place = memory;
    if (!memory)
        return;
    *memory = (Memory){.hash = hash, .length = (uint16_t)length, .count = recall->count, .plain = recall->plain};
    memcpy(memory->found, recall->found, found);
    memcpy((char *)memory->found + found, PyBytes_AS_STRING(text), length);
}
