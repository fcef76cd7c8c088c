/* The inner loops of html_tokens.py, html_page.py, style_stack.py and entities.py, for machines with a C compiler.

   Everything here exists in Python too, and gives the same: tests/mime/test_html_kernel.py compares the two. What
   is rare (comments, declarations, what a link or an image means, colours) is left to Python, which is asked.

   Safety: a page is a stranger's. Every place in it is below its length; each loop moves forward, and each octet
   is looked at a bounded number of times; nothing here calls itself; what is allocated is bounded by the length of
   the page and by the tokens that are looked at. What Python hands back is checked before it is used. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "html_scan.h"

#define INTERFACE 1

/* The tags that change how text is shown; in the order of STYLED. */
enum styled { TD, TR, FONT, BODY, BIG, SMALL, BASEFONT, TABLE, MARQUEE, SPAN, P, DIV, A, STYLED_TAGS, NO_STYLE };
static const char *const STYLED[STYLED_TAGS] = {"td",       "tr",    "font",    "body", "big", "small", "basefont",
                                                "table",    "marquee", "span",  "p",    "div", "a"};

/* html_page.Kind */
enum { KIND_STYLED, KIND_SPACE, KIND_ACTION, KIND_READS, KIND_ROOMY, KIND_WATCHED, KIND_COUNTS, KIND_FIELDS };

typedef struct {
    PyObject *kind; /* owned; the next three are borrowed from it */
    PyObject *space, *action, *counts;
    PyObject *tag;
    Place count, inside;
    unsigned char styled, reads, roomy, watched, literal;
} Met;

typedef struct {
    PyObject *style;
    unsigned char tag;
    unsigned char looked_up; /* whether the next ones are known */
    unsigned char unseen, invisible, low_contrast, invalid_color;
} Open;

typedef struct {
    Place from, to;
} Range;

typedef struct {
    Range *ranges;
    Place count, room;
} Ranges;

/* html_page.helpers */
enum { PLAIN, RESTYLE, VISIBILITY, RESIZED, BASE_SIZE, READ_TAG, LITERAL, NOTHING, HELPERS };

typedef struct {
    PyObject_HEAD
    PyObject *kinds, *helpers, *words;
    PyObject *script, *titles, *link_texts;
    PyObject *by_name; /* tag -> its number in `met` */
    Met *met;
    Place met_count, met_room;
    Place in_script, in_style, in_title, in_a; /* numbers in `met`, or -1 */
    Place watched, closed_extra;
    Open *open;
    Place open_count, open_room;
    Place open_of[STYLED_TAGS];
    long base_size, min_size, max_size;
    Ink ink;
    Place last; /* where the last piece begins */
    Ranges hidden, unseen;
    unsigned char wide, begun, after_space, after_hidden, low_contrast, invalid_color;
} Page;

static PyObject *other_method, *literal_method, *note_method, *tokens_name, *over_budget_name, *kinds_name,
    *helpers_name;

/* Room for one more of `size` octets. */
static void *
grown(void *all, Place count, Place *room, size_t size)
{
    if (count < *room)
        return all;
    Place more = *room ? *room * 2 : 16;
    void *made = more < PY_SSIZE_T_MAX / 256 ? PyMem_Realloc(all, (size_t)more * size) : NULL;
    if (!made) {
        PyErr_NoMemory();
        return NULL;
    }
    *room = more;
    return made;
}

static PyObject *
helper(Page *page, int number)
{
    return PyTuple_GET_ITEM(page->helpers, number);
}

/* Tags. */

static int
is_called(PyObject *text, const char *name)
{
    return PyUnicode_CompareWithASCIIString(text, name) == 0;
}

static int
read_kind(Met *met)
{
    PyObject *kind = met->kind;
    if (!PyTuple_Check(kind) || PyTuple_GET_SIZE(kind) != KIND_FIELDS ||
        !PyUnicode_Check(PyTuple_GET_ITEM(kind, KIND_STYLED)) || !PyUnicode_Check(PyTuple_GET_ITEM(kind, KIND_SPACE)) ||
        !PyAnySet_Check(PyTuple_GET_ITEM(kind, KIND_COUNTS))) {
        PyErr_SetString(PyExc_TypeError, "not a kind of tag");
        return -1;
    }
    PyObject *styled = PyTuple_GET_ITEM(kind, KIND_STYLED), *space = PyTuple_GET_ITEM(kind, KIND_SPACE);
    PyObject *action = PyTuple_GET_ITEM(kind, KIND_ACTION);
    met->styled = NO_STYLE;
    for (unsigned char tag = 0; tag < STYLED_TAGS; tag++)
        if (is_called(styled, STYLED[tag]))
            met->styled = tag;
    if (met->styled == NO_STYLE && PyUnicode_GET_LENGTH(styled)) {
        PyErr_Format(PyExc_ValueError, "no style is known for the tag %U", styled);
        return -1;
    }
    met->space = PyUnicode_GET_LENGTH(space) ? space : NULL;
    met->action = action == Py_None ? NULL : action;
    met->counts = PyTuple_GET_ITEM(kind, KIND_COUNTS);
    met->reads = PyTuple_GET_ITEM(kind, KIND_READS) == Py_True;
    met->roomy = PyTuple_GET_ITEM(kind, KIND_ROOMY) == Py_True;
    met->watched = PyTuple_GET_ITEM(kind, KIND_WATCHED) == Py_True;
    return 0;
}

/* The number of the tag; -1: an error. */
static Place
meet(Page *page, PyObject *tag)
{
    PyObject *known = PyDict_GetItemWithError(page->by_name, tag);
    if (known)
        return PyLong_AsSsize_t(known);
    if (PyErr_Occurred())
        return -1;
    Met *all = grown(page->met, page->met_count, &page->met_room, sizeof(Met));
    if (!all)
        return -1;
    page->met = all;
    Met met = {.tag = tag, .kind = PyDict_GetItemWithError(page->kinds, tag)};
    if (!met.kind && !PyErr_Occurred())
        met.kind = helper(page, NOTHING);
    int literal = met.kind ? PyDict_Contains(helper(page, LITERAL), tag) : -1;
    if (literal < 0 || read_kind(&met) < 0)
        return -1;
    met.literal = (unsigned char)literal;
    Place number = page->met_count;
    PyObject *as_number = PyLong_FromSsize_t(number);
    if (!as_number || PyDict_SetItem(page->by_name, tag, as_number) < 0) {
        Py_XDECREF(as_number);
        return -1;
    }
    Py_DECREF(as_number);
    Py_INCREF(met.kind);
    Py_INCREF(met.tag);
    page->met[page->met_count++] = met;
    if (met.watched) {
        if (is_called(tag, "a"))
            page->in_a = number;
        else if (is_called(tag, "title"))
            page->in_title = number;
        else if (is_called(tag, "script"))
            page->in_script = number;
        else if (is_called(tag, "style"))
            page->in_style = number;
    }
    return number;
}

static int
inside(Page *page, Place number)
{
    return number >= 0 && page->met[number].inside > 0;
}

/* Styles: style_stack.StyleStack. */

static Open *
current(Page *page)
{
    return &page->open[page->open_count - 1];
}

/* Takes the style over. */
static int
push(Page *page, unsigned char tag, PyObject *style)
{
    if (!style)
        return -1;
    Open *all = grown(page->open, page->open_count, &page->open_room, sizeof(Open));
    if (!all) {
        Py_DECREF(style);
        return -1;
    }
    page->open = all;
    Open *under = page->open_count ? current(page) : NULL;
    Open made = {.style = style};
    if (under && under->style == style)
        made = *under;
    made.tag = tag;
    all[page->open_count++] = made;
    if (tag < STYLED_TAGS)
        page->open_of[tag]++;
    return 0;
}

/* The lowest one stays. */
static unsigned char
pop(Page *page)
{
    Open *top = current(page);
    unsigned char tag = top->tag;
    if (page->open_count > 1) {
        page->open_count--;
        page->open_of[tag]--;
        Py_DECREF(top->style);
    }
    return tag;
}

static void
close_style(Page *page, unsigned char tag)
{
    if (tag == BODY || !page->open_of[tag])
        return;
    while (page->open_count > 1 && pop(page) != tag)
        ;
}

static void
close_cell(Page *page, unsigned char tag)
{
    if (!page->open_of[tag])
        return;
    for (;;) {
        unsigned char top = current(page)->tag;
        if (top != FONT && top != TD && !(top == TR && tag == TR))
            return;
        pop(page);
    }
}

/* Takes the size of a style into account; -1: it has none. */
static int
note_size(Page *page, PyObject *style)
{
    long size = PyTuple_Check(style) && PyTuple_GET_SIZE(style) > 3 ? PyLong_AsLong(PyTuple_GET_ITEM(style, 3)) : -1;
    if (size == -1 && PyErr_Occurred())
        return -1;
    if (size > page->max_size)
        page->max_size = size;
    else if (size < page->min_size)
        page->min_size = size;
    return 0;
}

/* A new reference to the style inside the tag; with nothing that counts it is the same. */
static PyObject *
restyled(Page *page, PyObject *style, PyObject *counting)
{
    PyObject *made;
    if (!PyTuple_GET_SIZE(counting))
        made = Py_NewRef(style);
    else {
        PyObject *base = PyLong_FromLong(page->base_size);
        made = base ? PyObject_CallFunctionObjArgs(helper(page, RESTYLE), style, counting, base, NULL) : NULL;
        Py_XDECREF(base);
    }
    if (made && note_size(page, made) < 0)
        Py_CLEAR(made);
    return made;
}

/* A start tag; `found` are its attributes or NULL, `counting` those that count or NULL. */
static int
enter_style(Page *page, unsigned char tag, PyObject *found, PyObject *counting)
{
    PyObject *style;
    if (tag == BASEFONT && found) {
        PyObject *size = PyObject_CallOneArg(helper(page, BASE_SIZE), found);
        if (!size)
            return -1;
        long base = size == Py_None ? 0 : PyLong_AsLong(size);
        int all = size != Py_None;
        Py_DECREF(size);
        if (base == -1 && PyErr_Occurred())
            return -1;
        if (all) {
            page->base_size = base;
            return 0;
        }
    }
    if (tag == TD || tag == TR)
        close_cell(page, tag);
    if (tag == BIG || tag == SMALL) {
        PyObject *by = PyLong_FromLong(tag == BIG ? 1 : -1);
        style = by ? PyObject_CallFunctionObjArgs(helper(page, RESIZED), current(page)->style, by, NULL) : NULL;
        Py_XDECREF(by);
    }
    else
        style = Py_NewRef(current(page)->style);
    if (style && counting) {
        PyObject *inner = restyled(page, style, counting);
        Py_DECREF(style);
        style = inner;
    }
    return push(page, tag, style);
}

/* What of the style on top decides whether text is seen. */
static Open *
visibility(Page *page)
{
    if (!current(page)->looked_up) {
        PyObject *seen = PyObject_CallOneArg(helper(page, VISIBILITY), current(page)->style);
        if (!seen)
            return NULL;
        if (!PyTuple_Check(seen) || PyTuple_GET_SIZE(seen) != 4) {
            Py_DECREF(seen);
            PyErr_SetString(PyExc_TypeError, "not a visibility");
            return NULL;
        }
        Open *open = current(page);
        open->low_contrast = PyTuple_GET_ITEM(seen, 0) == Py_True;
        open->invalid_color = PyTuple_GET_ITEM(seen, 1) == Py_True;
        open->invisible = PyTuple_GET_ITEM(seen, 2) == Py_True;
        open->unseen = PyTuple_GET_ITEM(seen, 3) == Py_True;
        open->looked_up = 1;
        Py_DECREF(seen);
    }
    return current(page);
}

/* Text. */

static int
begin_range(Ranges *all, Place from)
{
    if (all->count && all->ranges[all->count - 1].to == from)
        return 0;
    Range *ranges = grown(all->ranges, all->count, &all->room, sizeof(Range));
    if (!ranges)
        return -1;
    all->ranges = ranges;
    ranges[all->count++] = (Range){from, from};
    return 0;
}

/* Takes a blank from the end of the last piece. */
static void
drop_blank(Page *page)
{
    Ink *ink = &page->ink;
    if (ink->length <= page->last || at(ink->kind, ink->data, ink->length - 1) != ' ')
        return;
    Ranges *unseen = &page->unseen;
    if (unseen->count && unseen->ranges[unseen->count - 1].to == ink->length)
        unseen->ranges[unseen->count - 1].to--;
    ink->length--;
}

static int
white_space(Page *page, PyObject *space)
{
    if (page->begun && !page->after_space && !page->after_hidden)
        drop_blank(page);
    page->begun = page->after_space = 1;
    page->after_hidden = 0;
    page->last = page->ink.length;
    return ink_add_object(&page->ink, space);
}

/* broken_words.BrokenWords.breaks */
static int
breaks_word(Py_UCS4 c, int wide)
{
    if (c < 0x80)
        return is_blank(c) || (c > ' ' && c < 0x7F && !is_digit(c) && !is_letter(c));
    return wide && (c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
                    c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000);
}

/* Whether the text goes to a script, a style sheet: then it is not shown. An anchor and a title note it. */
static int
belongs_elsewhere(Page *page, PyObject *text)
{
    if (inside(page, page->in_script))
        return PyList_Append(page->script, text) < 0 ? -1 : 1;
    if (inside(page, page->in_style))
        return 1;
    if (inside(page, page->in_a) && PyList_Append(page->link_texts, text) < 0)
        return -1;
    if (inside(page, page->in_title)) {
        Place titles = PyList_Check(page->titles) ? PyList_GET_SIZE(page->titles) : 0;
        if (titles && PyList_Append(PyList_GET_ITEM(page->titles, titles - 1), text) < 0)
            return -1;
    }
    return 0;
}

/* A tag stands between the last piece and this text: inside a word? */
static int
note_word(Page *page, PyObject *text)
{
    Ink *ink = &page->ink;
    if (ink->length == page->last || breaks_word(at(ink->kind, ink->data, ink->length - 1), page->wide))
        return 0;
    PyObject *last = substring(ink->kind, ink->data, page->last, ink->length);
    PyObject *done = last ? PyObject_CallMethodObjArgs(page->words, note_method, last, text, NULL) : NULL;
    Py_XDECREF(last);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

ALWAYS_INLINE int
is_pair(int kind, const void *data, Place i, Place to)
{
    return at(kind, data, i) == 0xC2 && i + 1 < to && at(kind, data, i + 1) == 0xA0;
}

/* Whether nothing but white space stands here; `pairs`: hard blanks in UTF-8 read as Latin-1 count as such. */
ALWAYS_INLINE int
all_blank_in(int kind, const void *data, Place i, Place to, int pairs)
{
    while (i < to) {
        if (is_blank(at(kind, data, i)))
            i++;
        else if (pairs && is_pair(kind, data, i, to))
            i += 2;
        else
            return 0;
    }
    return 1;
}

/* The first place that does not stay as it is: other blanks than one blank, or a hard blank in UTF-8. */
ALWAYS_INLINE Place
plain_in(int kind, const void *data, Place i, Place to)
{
    for (; i < to; i++) {
        Py_UCS4 c = at(kind, data, i);
        if (c > ' ' && c != 0xC2)
            continue;
        if (c == ' ' ? i + 1 < to && is_blank(at(kind, data, i + 1)) : is_blank(c) || is_pair(kind, data, i, to))
            break;
    }
    return i;
}

/* Adds the text with one blank for each run; without a blank at its beginning if `trim`. */
static int
add_text(Ink *ink, int kind, const void *data, Place from, Place to, int trim)
{
    Place begin = ink->length;
    if (trim && at(kind, data, from) == ' ' && (from + 1 == to || !is_blank(at(kind, data, from + 1)))) {
        from++;
        trim = 0;
    }
    while (from < to) {
        Place end = BY_KIND(kind, plain_in, data, from, to);
        if (ink_add(ink, kind, data, from, end - from) < 0)
            return -1;
        if (end == to)
            break;
        from = is_blank(at(kind, data, end)) ? BY_KIND(kind, skip_blanks, data, end, to) : end + 2;
        if (!(trim && ink->length == begin) && ink_put(ink, ' ') < 0)
            return -1;
        trim = 0;
    }
    return 0;
}

/* A piece of text; `object` is the same as an object, or NULL. */
static int
take_text(Page *page, PyObject *object, int kind, const void *data, Place from, Place to)
{
    PyObject *made = NULL;
    int result = -1;
    if (from >= to)
        return 0;
    if (page->watched) {
        if (!object && !(object = made = substring(kind, data, from, to)))
            return -1;
        int elsewhere = belongs_elsewhere(page, object);
        if (elsewhere) {
            Py_XDECREF(made);
            return elsewhere < 0 ? -1 : 0;
        }
    }
    Py_UCS4 first = at(kind, data, from);
    if (is_blank(first) && BY_KIND(kind, all_blank_in, data, from, to, 0)) {
        page->last = page->ink.length;
        result = page->after_space ? 0 : ink_put(&page->ink, ' ');
        page->begun = 1;
        page->after_space = page->after_hidden = 0;
        goto done;
    }
    if (page->begun && !breaks_word(first, page->wide)) {
        if (!object && !(object = made = substring(kind, data, from, to)))
            goto done;
        if (note_word(page, object) < 0)
            goto done;
    }
    int hidden = 0, unseen = 0;
    if (current(page)->style != helper(page, PLAIN) && !BY_KIND(kind, all_blank_in, data, from, to, 1)) {
        Open *open = visibility(page);
        if (!open)
            goto done;
        unseen = open->unseen;
        hidden = open->invisible;
        page->low_contrast |= hidden && open->low_contrast;
        page->invalid_color |= hidden && !open->low_contrast && open->invalid_color;
    }
    Place begin = page->ink.length;
    if ((hidden && begin_range(&page->hidden, begin) < 0) || (unseen && begin_range(&page->unseen, begin) < 0))
        goto done;
    if (add_text(&page->ink, kind, data, from, to, page->after_space && !hidden) < 0)
        goto done;
    if (hidden)
        page->hidden.ranges[page->hidden.count - 1].to = page->ink.length;
    if (unseen)
        page->unseen.ranges[page->unseen.count - 1].to = page->ink.length;
    page->last = begin;
    page->begun = 1;
    page->after_space = 0;
    page->after_hidden = (unsigned char)hidden;
    result = 0;
done:
    Py_XDECREF(made);
    return result;
}

/* Tokens. */

/* Whether one of the words, up to a NULL, stands among the characters, in letters of either case; -1: they are no
   ASCII, ask Python. */
ALWAYS_INLINE int
mentions_in(int kind, const void *data, Place from, Place to, const char *const *words)
{
    int found = 0;
    for (Place i = from; i < to; i++) {
        Py_UCS4 c = at(kind, data, i);
        if (c >= 0x80)
            return -1;
        for (int word = 0; !found && words[word]; word++) {
            Place length = 0;
            while (words[word][length] && length < to - i &&
                   (at(kind, data, i + length) | 32) == (Py_UCS4)words[word][length])
                length++;
            found = !words[word][length];
        }
    }
    return found;
}

static const char *const COUNTING_IN_LAYOUTS[] = {"style", "background", "bgcolor", NULL};
static const char *const DECLARED[] = {"color", "background", "display", "visibility", NULL}; /* style.declarations */

/* Whether a style attribute may change anything. */
static int
declares(PyObject *value)
{
    int kind = PyUnicode_KIND(value);
    return BY_KIND(kind, mentions_in, PyUnicode_DATA(value), 0, PyUnicode_GET_LENGTH(value), DECLARED) != 0;
}

/* Those of the attributes that count and change anything, a tuple of pairs; NULL without an error: none counts. */
static PyObject *
counting_of(PyObject *found, PyObject *counts)
{
    PyObject *name, *value, *pairs = NULL;
    Py_ssize_t place = 0;
    if (!PySet_GET_SIZE(counts))
        return NULL;
    while (PyDict_Next(found, &place, &name, &value)) {
        int counted = PySet_Contains(counts, name);
        if (!counted)
            continue;
        if (counted < 0 || (!pairs && !(pairs = PyList_New(0))))
            goto failed;
        if (is_called(name, "style") && !declares(value))
            continue;
        PyObject *pair = PyTuple_Pack(2, name, value);
        int added = pair ? PyList_Append(pairs, pair) : -1;
        Py_XDECREF(pair);
        if (added < 0)
            goto failed;
    }
    PyObject *result = pairs ? PyList_AsTuple(pairs) : NULL;
    Py_XDECREF(pairs);
    return result;
failed:
    Py_XDECREF(pairs);
    return NULL;
}

/* html_page.read_tag: attributes, and those that count; both stay NULL where none matters. */
static int
read_tag(Page *page, const Met *met, int kind, const void *data, Place from, Place to, PyObject **found,
         PyObject **counting)
{
    if (met->roomy) {
        int mentioned = BY_KIND(kind, mentions_in, data, from, to, COUNTING_IN_LAYOUTS);
        if (!mentioned)
            return 0;
        if (mentioned < 0) {
            PyObject *written = substring(kind, data, from, to);
            PyObject *read =
                written ? PyObject_CallFunctionObjArgs(helper(page, READ_TAG), met->tag, written, NULL) : NULL;
            Py_XDECREF(written);
            if (!read)
                return -1;
            int sound = PyTuple_Check(read) && PyTuple_GET_SIZE(read) == 2 && PyDict_Check(PyTuple_GET_ITEM(read, 0)) &&
                        PyTuple_Check(PyTuple_GET_ITEM(read, 1));
            if (sound) {
                *found = Py_NewRef(PyTuple_GET_ITEM(read, 0));
                if (PyTuple_GET_SIZE(PyTuple_GET_ITEM(read, 1)))
                    *counting = Py_NewRef(PyTuple_GET_ITEM(read, 1));
            }
            else
                PyErr_SetString(PyExc_TypeError, "not what a tag says");
            Py_DECREF(read);
            return sound ? 0 : -1;
        }
    }
    *found = attributes(kind, data, from, to);
    if (!*found)
        return -1;
    *counting = counting_of(*found, met->counts);
    return PyErr_Occurred() ? -1 : 0;
}

/* A start tag, its attributes from `from` to `to`; 1: its content is text up to its end tag; -1: an error. */
static int
take_start(Page *page, PyObject *tag, int kind, const void *data, Place from, Place to)
{
    Place number = meet(page, tag);
    if (number < 0)
        return -1;
    page->met[number].count++;
    page->met[number].inside++;
    Met met = page->met[number]; /* others may be met meanwhile */
    PyObject *found = NULL, *counting = NULL, *done;
    int result = -1;
    if (from < to && met.reads && read_tag(page, &met, kind, data, from, to, &found, &counting) < 0)
        goto done;
    if (met.styled != NO_STYLE && enter_style(page, met.styled, found, counting) < 0)
        goto done;
    if (met.space && white_space(page, met.space) < 0)
        goto done;
    page->watched += met.watched;
    if (met.action && (!met.roomy || (found && PyDict_GET_SIZE(found)))) {
        if (!found && !(found = PyDict_New()))
            goto done;
        done = PyObject_CallFunctionObjArgs(met.action, (PyObject *)page, tag, found, NULL);
        if (!done)
            goto done;
        Py_DECREF(done);
    }
    result = met.literal;
done:
    Py_XDECREF(found);
    Py_XDECREF(counting);
    return result;
}

static int
take_end(Page *page, PyObject *tag)
{
    Place number = meet(page, tag);
    if (number < 0)
        return -1;
    Met *met = &page->met[number];
    met->count++;
    if (!met->inside)
        page->closed_extra++;
    else {
        met->inside--;
        page->watched -= met->watched;
    }
    if (met->styled != NO_STYLE)
        close_style(page, met->styled);
    return met->space ? white_space(page, met->space) : 0;
}

/* Where the plain tag that begins at `from` ends, behind its ">"; -1: it is no plain tag.
   `name` and `name_end`: its name. `starts`: whether it is a start tag, whose attributes follow the name. */
ALWAYS_INLINE Place
tag_in(int kind, const void *data, Place from, Place to, Place *name, Place *name_end, int *starts)
{
    Place i = from + 1;
    if (i >= to)
        return -1;
    Py_UCS4 c = at(kind, data, i);
    *starts = is_letter(c) || c == '_' || c == ':';
    if (!*starts && c != '/')
        return -1;
    *name = *starts ? i : i + 1;
    *name_end = i = skip_value(kind, data, i + 1, to);
    if (*starts) {
        i = tag_end_in(kind, data, i, to);
        return i < 0 ? -1 : i + 1;
    }
    if (i == *name)
        return -1;
    for (; i < to; i++) {
        c = at(kind, data, i);
        if (c == '>')
            return i + 1;
        if (c == '"' || c == '\'')
            return -1;
    }
    return -1;
}

/* One call of a method of Python that says where to go on. */
static Place
place_from(Page *page, PyObject *method, PyObject *source, Place position, PyObject *tag)
{
    PyObject *number = PyLong_FromSsize_t(position);
    PyObject *found =
        number ? PyObject_CallMethodObjArgs((PyObject *)page, method, source, number, tag, NULL) : NULL;
    Py_XDECREF(number);
    Place place = found ? PyLong_AsSsize_t(found) : -1;
    Py_XDECREF(found);
    if (place < position || place > PyUnicode_GET_LENGTH(source)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "no place of the page");
        return -1;
    }
    return place;
}

static int
take_written(Page *page, int kind, const void *data, Place from, Place to)
{
    if (find(kind, data, from, to, '&') < 0)
        return take_text(page, NULL, kind, data, from, to);
    PyObject *text = decoded(kind, data, from, to, 1);
    if (!text)
        return -1;
    int result = take_text(page, text, PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text));
    Py_DECREF(text);
    return result;
}

/* White space at the very end is a piece of its own. */
static int
take_last(Page *page, int kind, const void *data, Place from, Place to)
{
    Place shown = to;
    while (shown > from && is_blank(at(kind, data, shown - 1)))
        shown--;
    return take_written(page, kind, data, from, shown) < 0 ? -1 : take_text(page, NULL, kind, data, shown, to);
}

/* Reads one token, perhaps with text before it; where to go on, or -1: an error. */
static Place
take_token(Page *page, PyObject *source, Place position, long *left)
{
    int kind = PyUnicode_KIND(source), starts;
    const void *data = PyUnicode_DATA(source);
    Place length = PyUnicode_GET_LENGTH(source), name, name_end;
    Place open = find(kind, data, position, length, '<');
    if (open > position) {
        if (take_written(page, kind, data, position, open) < 0)
            return -1;
        position = open;
        if (!--*left)
            return position;
    }
    --*left;
    if (open < 0)
        return take_last(page, kind, data, position, length) < 0 ? -1 : length;
    Place end = BY_KIND(kind, tag_in, data, position, length, &name, &name_end, &starts);
    if (end < 0)
        return place_from(page, other_method, source, position, NULL);
    PyObject *tag = lower_name(kind, data, name, name_end);
    int literal = !tag ? -1 : !starts ? take_end(page, tag) : take_start(page, tag, kind, data, name_end, end - 1);
    if (literal < 0)
        end = -1;
    else if (literal && starts)
        end = place_from(page, literal_method, source, end, tag);
    Py_XDECREF(tag);
    return end;
}

static int
is_ready(const Page *page)
{
    if (!page->by_name || !page->script)
        PyErr_SetString(PyExc_ValueError, "the page is not prepared");
    return page->by_name && page->script;
}

static PyObject *
page_read(Page *page, PyObject *source)
{
    if (!is_ready(page))
        return NULL;
    if (!PyUnicode_Check(source)) {
        PyErr_SetString(PyExc_TypeError, "read(source)");
        return NULL;
    }
    PyObject *tokens = PyObject_GetAttr((PyObject *)page, tokens_name);
    long left = tokens ? PyLong_AsLong(tokens) : -1;
    Py_XDECREF(tokens);
    if (left == -1 && PyErr_Occurred())
        return NULL;
    Place position = 0, length = PyUnicode_GET_LENGTH(source);
    while (left > 0 && position < length) {
        position = take_token(page, source, position, &left);
        if (position < 0)
            return NULL;
    }
    tokens = PyLong_FromLong(left);
    int failed = !tokens || PyObject_SetAttr((PyObject *)page, tokens_name, tokens) < 0 ||
                 PyObject_SetAttr((PyObject *)page, over_budget_name, position < length ? Py_True : Py_False) < 0;
    Py_XDECREF(tokens);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* What Python calls. */

static PyObject *
page_text(Page *page, PyObject *text)
{
    if (!is_ready(page))
        return NULL;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "text(text)");
        return NULL;
    }
    if (take_text(page, text, PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
page_end(Page *page, PyObject *tag)
{
    if (!is_ready(page))
        return NULL;
    if (!PyUnicode_Check(tag)) {
        PyErr_SetString(PyExc_TypeError, "end(tag)");
        return NULL;
    }
    if (take_end(page, tag) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
page_doctype(Page *page, PyObject *nothing)
{
    (void)nothing;
    if (!is_ready(page))
        return NULL;
    PyObject *tag = PyUnicode_FromString("!doctype");
    Place number = tag ? meet(page, tag) : -1;
    Py_XDECREF(tag);
    if (number < 0)
        return NULL;
    page->met[number].count++;
    page->met[number].inside = 0;
    Py_RETURN_NONE;
}

static PyObject *
page_is_inside(Page *page, PyObject *tag)
{
    if (!is_ready(page))
        return NULL;
    PyObject *known = PyDict_GetItemWithError(page->by_name, tag);
    if (!known && PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(known && inside(page, PyLong_AsSsize_t(known)));
}

/* The text inside the ranges, or outside of them. */
static PyObject *
of_ranges(const Ink *ink, const Ranges *ranges, int outside)
{
    Ink made = {.kind = ink->kind};
    Place from = 0;
    PyObject *text = NULL;
    if (ink_reserve(&made, ink->length) < 0)
        return NULL;
    for (Place i = 0; i <= ranges->count; i++) {
        Range range = i < ranges->count ? ranges->ranges[i] : (Range){ink->length, ink->length};
        if (ink_add(&made, ink->kind, ink->data, outside ? from : range.from,
                    outside ? range.from - from : range.to - range.from) < 0)
            goto done;
        from = range.to;
    }
    text = substring(made.kind, made.data, 0, made.length);
done:
    ink_free(&made);
    return text;
}

/* texts_read() -> rendered, visible, invisible, seen */
static PyObject *
page_texts(Page *page, PyObject *nothing)
{
    (void)nothing;
    if (!is_ready(page))
        return NULL;
    PyObject *rendered = substring(page->ink.kind, page->ink.data, 0, page->ink.length);
    if (!rendered)
        return NULL;
    PyObject *visible = page->hidden.count ? of_ranges(&page->ink, &page->hidden, 1) : Py_NewRef(rendered);
    PyObject *invisible = page->hidden.count ? of_ranges(&page->ink, &page->hidden, 0) : PyUnicode_New(0, 0);
    PyObject *seen = page->unseen.count ? of_ranges(&page->ink, &page->unseen, 1) : Py_NewRef(rendered);
    if (visible && invisible && seen)
        return Py_BuildValue("(NNNN)", rendered, visible, invisible, seen);
    Py_DECREF(rendered);
    Py_XDECREF(visible);
    Py_XDECREF(invisible);
    Py_XDECREF(seen);
    return NULL;
}

/* counted() -> counts, inside, closed_extra, min_size, max_size, low_contrast, invalid_color */
static PyObject *
page_counted(Page *page, PyObject *nothing)
{
    (void)nothing;
    if (!is_ready(page))
        return NULL;
    PyObject *counts = PyDict_New(), *open = PyDict_New();
    int failed = !counts || !open;
    for (Place i = 0; i < page->met_count && !failed; i++) {
        PyObject *count = PyLong_FromSsize_t(page->met[i].count), *in = PyLong_FromSsize_t(page->met[i].inside);
        failed = !count || !in || PyDict_SetItem(counts, page->met[i].tag, count) < 0 ||
                 PyDict_SetItem(open, page->met[i].tag, in) < 0;
        Py_XDECREF(count);
        Py_XDECREF(in);
    }
    if (failed) {
        Py_XDECREF(counts);
        Py_XDECREF(open);
        return NULL;
    }
    return Py_BuildValue("(NNnllNN)", counts, open, page->closed_extra, page->min_size, page->max_size,
                         PyBool_FromLong(page->low_contrast), PyBool_FromLong(page->invalid_color));
}

/* A page, from its making to its end. */

static int
take_attribute(Page *page, PyObject *name, PyObject **place)
{
    PyObject *found = PyObject_GetAttr((PyObject *)page, name);
    Py_XSETREF(*place, found);
    return found ? 0 : -1;
}

/* prepare(words, wide), once; the attributes `kinds` and `helpers` are those of the class. */
static PyObject *
page_prepare(Page *page, PyObject *args)
{
    PyObject *words;
    int wide;
    if (!PyArg_ParseTuple(args, "Op", &words, &wide))
        return NULL;
    if (page->by_name || page->open_count) {
        PyErr_SetString(PyExc_ValueError, "a page is prepared once");
        return NULL;
    }
    page->wide = (unsigned char)wide;
    page->words = Py_NewRef(words);
    if (take_attribute(page, kinds_name, &page->kinds) < 0 || take_attribute(page, helpers_name, &page->helpers) < 0)
        return NULL;
    if (!PyDict_Check(page->kinds) || !PyTuple_Check(page->helpers) || PyTuple_GET_SIZE(page->helpers) != HELPERS ||
        !PyDict_Check(PyTuple_GET_ITEM(page->helpers, LITERAL))) {
        PyErr_SetString(PyExc_TypeError, "kinds and helpers of a page");
        return NULL;
    }
    PyObject *plain = helper(page, PLAIN);
    long size = PyTuple_Check(plain) && PyTuple_GET_SIZE(plain) > 3 ? PyLong_AsLong(PyTuple_GET_ITEM(plain, 3)) : 0;
    page->base_size = page->min_size = page->max_size = size;
    if (PyErr_Occurred() || push(page, STYLED_TAGS, Py_NewRef(plain)) < 0 || !(page->by_name = PyDict_New()))
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
page_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    Page *page = (Page *)type->tp_alloc(type, 0);
    if (!page)
        return NULL;
    page->in_script = page->in_style = page->in_title = page->in_a = -1;
    page->ink.kind = PyUnicode_1BYTE_KIND;
    page->script = PyList_New(0);
    page->titles = PyList_New(0);
    page->link_texts = PyList_New(0);
    if (!page->script || !page->titles || !page->link_texts)
        Py_CLEAR(page);
    return (PyObject *)page;
}

static int
page_traverse(Page *page, visitproc visit, void *arg)
{
    Py_VISIT(page->kinds);
    Py_VISIT(page->helpers);
    Py_VISIT(page->words);
    Py_VISIT(page->script);
    Py_VISIT(page->titles);
    Py_VISIT(page->link_texts);
    Py_VISIT(page->by_name);
    return 0;
}

static int
page_clear(Page *page)
{
    Py_CLEAR(page->script);
    Py_CLEAR(page->titles);
    Py_CLEAR(page->link_texts);
    return 0;
}

static void
page_dealloc(Page *page)
{
    PyObject_GC_UnTrack(page);
    page_clear(page);
    Py_CLEAR(page->kinds);
    Py_CLEAR(page->helpers);
    Py_CLEAR(page->words);
    Py_CLEAR(page->by_name);
    for (Place i = 0; i < page->met_count; i++) {
        Py_DECREF(page->met[i].kind);
        Py_DECREF(page->met[i].tag);
    }
    for (Place i = 0; i < page->open_count; i++)
        Py_DECREF(page->open[i].style);
    PyMem_Free(page->met);
    PyMem_Free(page->open);
    PyMem_Free(page->hidden.ranges);
    PyMem_Free(page->unseen.ranges);
    ink_free(&page->ink);
    Py_TYPE(page)->tp_free(page);
}

static PyMethodDef page_methods[] = {
    {"prepare", (PyCFunction)page_prepare, METH_VARARGS, "Begins the page."},
    {"read", (PyCFunction)page_read, METH_O, "Cuts the whole document."},
    {"text", (PyCFunction)page_text, METH_O, "A piece of text, references decoded."},
    {"end", (PyCFunction)page_end, METH_O, "An end tag."},
    {"doctype", (PyCFunction)page_doctype, METH_NOARGS, "A document type declaration."},
    {"is_inside", (PyCFunction)page_is_inside, METH_O, "Whether the tag is open."},
    {"texts_read", (PyCFunction)page_texts, METH_NOARGS, "The four texts."},
    {"counted", (PyCFunction)page_counted, METH_NOARGS, "What was counted."},
    {NULL},
};

static PyMemberDef page_members[] = {
    {"script", T_OBJECT_EX, offsetof(Page, script), READONLY, "Texts of scripts."},
    {"titles", T_OBJECT_EX, offsetof(Page, titles), READONLY, "Texts of titles."},
    {"link_texts", T_OBJECT_EX, offsetof(Page, link_texts), 0, "Texts of the last link."},
    {NULL},
};

static PyTypeObject PageType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lazaret.mime._html_kernel.Page",
    .tp_basicsize = sizeof(Page),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The state of one pass over a page.",
    .tp_new = page_new,
    .tp_dealloc = (destructor)page_dealloc,
    .tp_traverse = (traverseproc)page_traverse,
    .tp_clear = (inquiry)page_clear,
    .tp_methods = page_methods,
    .tp_members = page_members,
};

/* use_references(always, with_semicolon, in_text, in_value): the tables and functions of entities.py */
static PyObject *
use_references(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *always, *with_semicolon, *in_text, *in_value, *name;
    Py_ssize_t place = 0;
    if (!PyArg_ParseTuple(args, "O!O!OO", &PyDict_Type, &always, &PyDict_Type, &with_semicolon, &in_text, &in_value))
        return NULL;
    Place longest = 0;
    for (int table = 0; table < 2; table++, place = 0) {
        PyObject *character;
        while (PyDict_Next(table ? with_semicolon : always, &place, &name, &character)) {
            if (!PyUnicode_Check(name) || !PyUnicode_Check(character)) {
                PyErr_SetString(PyExc_TypeError, "names and characters");
                return NULL;
            }
            if (PyUnicode_GET_LENGTH(name) > longest)
                longest = PyUnicode_GET_LENGTH(name);
        }
    }
    Py_XSETREF(references.always, Py_NewRef(always));
    Py_XSETREF(references.with_semicolon, Py_NewRef(with_semicolon));
    Py_XSETREF(references.in_text, Py_NewRef(in_text));
    Py_XSETREF(references.in_value, Py_NewRef(in_value));
    references.longest = longest;
    Py_RETURN_NONE;
}

/* decode(text, in_text) */
static PyObject *
decode(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *text;
    int in_text;
    if (!PyArg_ParseTuple(args, "Up", &text, &in_text))
        return NULL;
    return decoded(PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text), in_text);
}

/* read_attributes(written) */
static PyObject *
read_attributes(PyObject *module, PyObject *text)
{
    (void)module;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "read_attributes(written)");
        return NULL;
    }
    return attributes(PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text));
}

static PyMethodDef functions[] = {
    {"use_references", use_references, METH_VARARGS, "Says what references mean."},
    {"decode", decode, METH_VARARGS, "The text with its references replaced."},
    {"read_attributes", read_attributes, METH_O, "The attributes of a start tag."},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "lazaret.mime._html_kernel",
    .m_doc = "The inner loops of reading HTML.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__html_kernel(void)
{
    static const struct {
        PyObject **place;
        const char *name;
    } INTERNED[] = {{&lower_method, "lower"},   {&other_method, "_other"},           {&literal_method, "_literal"},
                    {&note_method, "note"},     {&tokens_name, "tokens"},            {&over_budget_name, "over_budget"},
                    {&kinds_name, "kinds"},     {&helpers_name, "helpers"}};
    for (size_t i = 0; i < sizeof INTERNED / sizeof *INTERNED; i++)
        if (!(*INTERNED[i].place = PyUnicode_InternFromString(INTERNED[i].name)))
            return NULL;
    PyObject *made = PyModule_Create(&module), *empty = PyDict_New();
    if (made && empty) {
        references.always = Py_NewRef(empty);
        references.with_semicolon = Py_NewRef(empty);
        references.in_text = Py_NewRef(Py_None);
        references.in_value = Py_NewRef(Py_None);
    }
    if (!made || !empty || PyModule_AddType(made, &PageType) < 0 ||
        PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0)
        Py_CLEAR(made);
    Py_XDECREF(empty);
    return made;
}
