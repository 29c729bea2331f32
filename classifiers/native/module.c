/* What Python calls: `classifiers.kernel` hands over tables and texts; the loops are in core.h.

   Only the stable interface of Python 3.11 and later is used, so one file serves them all. Nothing here releases Python's lock, nor
   runs Python code between the moment when it reads a text and the moment when it is done with it: what is shared (scratch memory)
   is never seen half-written. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "core.h"

#ifndef SOURCE_DIGEST
#error "the build names the source that it compiles"
#endif
#define STRING_OF(text) #text
#define STRING(text) STRING_OF(text)

#define KEPT_SCRATCH ((size_t)1 << 16) /* entries of scratch memory that stay for the next call */

static void freed(PyObject *self, void (*clear)(PyObject *)) {
    PyTypeObject *type = Py_TYPE(self);
    clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* ---- Arrays that Python hands over ------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    size_t width; /* bytes of an entry */
} Kind;

/* Look at an array; false, with an exception, where it is none of this width. */
static bool look(PyObject *object, Py_buffer *view, const Kind *kind) {
    if (PyObject_GetBuffer(object, view, PyBUF_SIMPLE) != 0) {
        return false;
    }
    if ((size_t)view->len % kind->width == 0 && (uintptr_t)view->buf % kind->width == 0) {
        return true;
    }
    PyErr_Format(PyExc_ValueError, "%s is no array of entries of %zu bytes", kind->name, kind->width);
    PyBuffer_Release(view);
    return false;
}

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

enum {
    CONSTANTS,
    REALS,
    FOLD,
    MARKS,
    GAPS,
    KEYS,
    ENDS,
    PIECES,
    WORD_HASHES,
    WORD_CLASSES,
    WORD_ARABIC,
    WORD_ENGLISH,
    WORD_LETTERS,
    WORD_ENDS,
    LATIN,
    ARRAYS,
};
static const Kind KINDS[ARRAYS] = {
    {"constants", 8}, {"reals", 8},        {"fold", 4},         {"marks", 1},        {"gaps", 1},
    {"keys", 4},      {"ends", 4},         {"pieces", 4},       {"word_hashes", 8},  {"word_classes", 1},
    {"word_arabic", 1}, {"word_english", 1}, {"word_letters", 4}, {"word_ends", 4},    {"latin", 1},
};
enum { /* the entries of `constants` */
    BASE,
    PAIR,
    SKIP,
    THREE,
    FINISH,
    LATIN_BASE,
    CODE_BITS,
    BUCKET_BITS,
    ORDERS,
    LATIN_BITS,
    EXPANDS,
    SIGN_COUNT,
    CLASS_COUNT,
    FIRST_THREAT,
    CONSTANT_COUNT,
};

typedef struct {
    PyObject_HEAD
    Py_buffer views[ARRAYS];
    Letters letters;
    Hashing hashing;
    Lexicon lexicon;
    Latin latin;
    const uint8_t *gaps;
    unsigned sign_count;
    uint32_t *scratch; /* code points of a text, or codes of its n-grams */
    size_t scratch_size;
    uint64_t *seen; /* a bit for each bucket, all clear between calls */
} Tables;

typedef struct {
    PyTypeObject *reading, *weights;
} State;

static uint32_t *scratch_of(Tables *tables, size_t size) {
    if (size > tables->scratch_size) {
        uint32_t *scratch = size > SIZE_MAX / 2 / sizeof *scratch ? NULL : realloc(tables->scratch, size * sizeof *scratch);
        if (scratch == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        tables->scratch = scratch;
        tables->scratch_size = size;
    }
    return tables->scratch;
}

static void scratch_done(Tables *tables) {
    if (tables->scratch_size > KEPT_SCRATCH) {
        free(tables->scratch);
        tables->scratch = NULL;
        tables->scratch_size = 0;
    }
}

static void tables_clear(PyObject *self) {
    Tables *tables = (Tables *)self;
    for (int at = 0; at < ARRAYS; at++) {
        if (tables->views[at].obj != NULL) {
            PyBuffer_Release(&tables->views[at]);
        }
    }
    free(tables->lexicon.slots);
    free(tables->scratch);
    free(tables->seen);
}

static void tables_dealloc(PyObject *self) { freed(self, tables_clear); }

static size_t entries(const Tables *tables, int array) { return (size_t)tables->views[array].len / KINDS[array].width; }

static bool read_constants(Tables *tables) {
    const uint64_t *constants = tables->views[CONSTANTS].buf;
    if (entries(tables, CONSTANTS) != CONSTANT_COUNT || entries(tables, REALS) != 2) {
        return false;
    }
    const double *reals = tables->views[REALS].buf;
    if (constants[CODE_BITS] > 32 || constants[BUCKET_BITS] < 6 || constants[BUCKET_BITS] >= constants[CODE_BITS] ||
        constants[BUCKET_BITS] > 24 || constants[CODE_BITS] - constants[BUCKET_BITS] > 8 || constants[ORDERS] < 1 ||
        constants[ORDERS] > ORDERS_MOST || constants[LATIN_BITS] < 1 || constants[LATIN_BITS] > 24 ||
        constants[SIGN_COUNT] > SIGNS_MOST || constants[CLASS_COUNT] > CLASSES_MOST ||
        constants[EXPANDS] > 0xFFFFFFFFu) {
        return false;
    }
    tables->hashing = (Hashing){
        .base = constants[BASE],
        .pair = constants[PAIR],
        .skip = constants[SKIP],
        .three = constants[THREE],
        .finish = constants[FINISH],
        .latin_base = constants[LATIN_BASE],
        .code_bits = (unsigned)constants[CODE_BITS],
        .bucket_bits = (unsigned)constants[BUCKET_BITS],
        .orders = (unsigned)constants[ORDERS],
        .latin_bits = (unsigned)constants[LATIN_BITS],
    };
    tables->letters.expands = (uint32_t)constants[EXPANDS];
    tables->sign_count = (unsigned)constants[SIGN_COUNT];
    tables->lexicon.class_count = (unsigned)constants[CLASS_COUNT];
    tables->lexicon.first_threat = (unsigned)constants[FIRST_THREAT];
    tables->latin = (Latin){tables->views[LATIN].buf, reals[0], reals[1]};
    return true;
}

static bool read_arrays(Tables *tables) {
    Letters *letters = &tables->letters;
    letters->fold = tables->views[FOLD].buf;
    letters->marks = tables->views[MARKS].buf;
    letters->code_points = entries(tables, FOLD);
    letters->keys = tables->views[KEYS].buf;
    letters->ends = tables->views[ENDS].buf;
    letters->key_count = entries(tables, KEYS);
    letters->pieces = tables->views[PIECES].buf;
    letters->piece_count = entries(tables, PIECES);
    Lexicon *lexicon = &tables->lexicon;
    lexicon->hashes = tables->views[WORD_HASHES].buf;
    lexicon->classes = tables->views[WORD_CLASSES].buf;
    lexicon->arabic = tables->views[WORD_ARABIC].buf;
    lexicon->english = tables->views[WORD_ENGLISH].buf;
    lexicon->letters = tables->views[WORD_LETTERS].buf;
    lexicon->ends = tables->views[WORD_ENDS].buf;
    lexicon->count = entries(tables, WORD_HASHES);
    lexicon->letter_count = entries(tables, WORD_LETTERS);
    tables->gaps = tables->views[GAPS].buf;
    return letters->code_points > 0 && entries(tables, MARKS) == letters->code_points &&
           entries(tables, ENDS) == letters->key_count && entries(tables, GAPS) == SIGNS_MOST &&
           lexicon->count < ((size_t)1 << 24) && entries(tables, WORD_CLASSES) == lexicon->count &&
           entries(tables, WORD_ARABIC) == lexicon->count && entries(tables, WORD_ENGLISH) == lexicon->count &&
           entries(tables, WORD_ENDS) == lexicon->count &&
           entries(tables, LATIN) == 2 * (((size_t)1 << tables->hashing.latin_bits) + 1);
}

static PyObject *tables_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    if (named != NULL && PyDict_Size(named) != 0) {
        PyErr_SetString(PyExc_TypeError, "arrays come in order, without names");
        return NULL;
    }
    if (PyTuple_Size(arguments) != ARRAYS) {
        PyErr_Format(PyExc_TypeError, "%d arrays are needed", (int)ARRAYS);
        return NULL;
    }
    Tables *tables = (Tables *)PyType_GenericAlloc(type, 0);
    if (tables == NULL) {
        return NULL;
    }
    for (int at = 0; at < ARRAYS; at++) {
        if (!look(PyTuple_GetItem(arguments, at), &tables->views[at], &KINDS[at])) {
            Py_DECREF(tables);
            return NULL;
        }
    }
    if (!read_constants(tables) || !read_arrays(tables)) {
        PyErr_SetString(PyExc_ValueError, "the tables have another shape than this kernel reads");
        Py_DECREF(tables);
        return NULL;
    }
    tables->seen = calloc((size_t)1 << (tables->hashing.bucket_bits - 6), sizeof *tables->seen);
    if (tables->seen == NULL || !lexicon_index(&tables->lexicon, &tables->hashing)) {
        Py_DECREF(tables);
        return PyErr_NoMemory();
    }
    return (PyObject *)tables;
}

/* Copy a text's code points to scratch memory and give its size; NULL, with an exception, where it is none. */
static const uint32_t *raw_of(Tables *tables, PyObject *text, size_t *size) {
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "texts are strings");
        return NULL;
    }
    Py_ssize_t length = PyUnicode_GetLength(text);
    if (length < 0) {
        return NULL;
    }
    uint32_t *raw = scratch_of(tables, (size_t)length + 1);
    if (raw == NULL || (length > 0 && PyUnicode_AsUCS4(text, raw, length, 0) == NULL)) {
        return NULL;
    }
    *size = (size_t)length;
    return raw;
}

static PyObject *numbers(const uint32_t *counts, size_t size) {
    PyObject *list = PyList_New((Py_ssize_t)size);
    for (size_t at = 0; list != NULL && at < size; at++) {
        PyObject *number = PyLong_FromUnsignedLong(counts[at]);
        if (number == NULL || PyList_SetItem(list, (Py_ssize_t)at, number) != 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static bool append(PyObject *list, PyObject *item) {
    bool done = item != NULL && PyList_Append(list, item) == 0;
    Py_XDECREF(item);
    return done;
}

/* scan(texts: list) -> (signs of each, places of those that may hold a broken word) */
static PyObject *tables_scan(PyObject *self, PyObject *texts) {
    Tables *tables = (Tables *)self;
    if (!PyList_Check(texts)) {
        PyErr_SetString(PyExc_TypeError, "a list of texts is needed");
        return NULL;
    }
    PyObject *counts = PyList_New(0), *suspects = PyList_New(0);
    bool good = counts != NULL && suspects != NULL;
    for (Py_ssize_t at = 0; good && at < PyList_Size(texts); at++) {
        Scan scan;
        size_t size;
        const uint32_t *raw = raw_of(tables, PyList_GetItem(texts, at), &size);
        good = raw != NULL;
        if (good) {
            scan_text(&tables->letters, tables->gaps, raw, size, &scan);
            good = append(counts, numbers(scan.counts, tables->sign_count)) &&
                   (!scan.is_suspect || append(suspects, PyLong_FromSsize_t(at)));
        }
    }
    scratch_done(tables);
    PyObject *both = good ? PyTuple_Pack(2, counts, suspects) : NULL;
    Py_XDECREF(counts);
    Py_XDECREF(suspects);
    return both;
}

/* ---- Readings ---------------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    Tables *tables;
    Stream stream;
} Reading;

static void reading_clear(PyObject *self) {
    Reading *reading = (Reading *)self;
    stream_free(&reading->stream);
    Py_CLEAR(reading->tables);
}

static void reading_dealloc(PyObject *self) { freed(self, reading_clear); }

static bool read_texts(Reading *reading, PyObject *texts, bool has_origin) {
    Tables *tables = reading->tables;
    Stream *stream = &reading->stream;
    Py_ssize_t count = PyList_Size(texts);
    size_t rest = 1; /* code points that need room yet: the last space, and each text with the space before it */
    for (Py_ssize_t at = 0; at < count; at++) {
        Py_ssize_t length = PyUnicode_Check(PyList_GetItem(texts, at)) ? PyUnicode_GetLength(PyList_GetItem(texts, at)) : 0;
        if (length < 0 || (size_t)length > SIZE_MOST || (rest += (size_t)length + 1) > SIZE_MOST) {
            PyErr_SetString(PyExc_ValueError, "the texts are too long together");
            return false;
        }
    }
    bool good = stream_begin(stream, (size_t)count, rest, has_origin);
    for (Py_ssize_t at = 0; good && at < count; at++) {
        size_t size;
        const uint32_t *raw = raw_of(tables, PyList_GetItem(texts, at), &size);
        if (raw == NULL) {
            return false;
        }
        rest -= size + 1;
        good = stream_add(stream, &tables->letters, raw, size, rest);
    }
    scratch_done(tables);
    if (!good || !stream_end(stream, &tables->hashing, &tables->lexicon)) {
        PyErr_NoMemory();
        return false;
    }
    return true;
}

/* read(texts: list, with_origin: bool) -> Reading */
static PyObject *tables_read(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 2 || !PyList_Check(arguments[0])) {
        PyErr_SetString(PyExc_TypeError, "a list of texts and whether origins are wanted are needed");
        return NULL;
    }
    int has_origin = PyObject_IsTrue(arguments[1]);
    State *state = PyType_GetModuleState(Py_TYPE(self));
    if (has_origin < 0 || state == NULL) {
        return NULL;
    }
    Reading *reading = (Reading *)PyType_GenericAlloc(state->reading, 0);
    if (reading == NULL) {
        return NULL;
    }
    Py_INCREF(self);
    reading->tables = (Tables *)self;
    if (!read_texts(reading, arguments[0], has_origin != 0)) {
        Py_CLEAR(reading);
    }
    return (PyObject *)reading;
}

/* counted() -> (the words of each class, of each text, first the number of all; the ways to threaten of texts that have words of any) */
static PyObject *reading_counted(PyObject *self, PyObject *nothing) {
    (void)nothing;
    Reading *reading = (Reading *)self;
    Tables *tables = reading->tables;
    PyObject *list = PyList_New(0), *threats = PyList_New(0);
    bool good = list != NULL && threats != NULL;
    for (size_t text = 0; good && text < reading->stream.texts; text++) {
        WordCounts found;
        count_words(&reading->stream, text, &tables->hashing, &tables->lexicon, &found);
        good = append(list, numbers(found.counts, tables->lexicon.class_count));
        if (good && (found.arabic | found.english) != 0) {
            good = append(threats, Py_BuildValue("nii", (Py_ssize_t)text, (int)found.arabic, (int)found.english));
        }
    }
    PyObject *both = good ? PyTuple_Pack(2, list, threats) : NULL;
    Py_XDECREF(list);
    Py_XDECREF(threats);
    return both;
}

/* lengths() -> the folded code points of each text, its leading space included */
static PyObject *reading_lengths(PyObject *self, PyObject *nothing) {
    (void)nothing;
    const Stream *stream = &((Reading *)self)->stream;
    PyObject *list = PyList_New(0);
    for (size_t text = 0; list != NULL && text < stream->texts; text++) {
        if (!append(list, PyLong_FromUnsignedLong(stream->starts[text + 1] - stream->starts[text]))) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* Read the number of a text; false, with an exception, where there is none such. */
static bool text_number(const Reading *reading, PyObject *number, size_t *text) {
    *text = PyLong_AsSize_t(number);
    if (*text == (size_t)-1 && PyErr_Occurred() != NULL) {
        return false;
    }
    if (*text >= reading->stream.texts) {
        PyErr_SetString(PyExc_IndexError, "there is no such text");
        return false;
    }
    return true;
}

/* folded(text) -> a text as folded, with a space before and after each word */
static PyObject *reading_folded(PyObject *self, PyObject *number) {
    const Reading *reading = (const Reading *)self;
    size_t text;
    if (!text_number(reading, number, &text)) {
        return NULL;
    }
    const Stream *stream = &reading->stream;
    size_t begin = stream->starts[text], end = stream->starts[text + 1] + 1;
    uint16_t one = 1;
    int order = *(const uint8_t *)&one == 1 ? -1 : 1; /* the machine's own, whose bytes these are */
    return PyUnicode_DecodeUTF32(
        (const char *)(stream->codes + begin), (Py_ssize_t)((end - begin) * sizeof *stream->codes), "surrogatepass", &order);
}

/* lead_back(text, origins: array of int64): let what was read in other words stand where its source stands */
static PyObject *reading_lead_back(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    static const Kind kind = {"origins", 8};
    Reading *reading = (Reading *)self;
    Stream *stream = &reading->stream;
    size_t text;
    Py_buffer origins;
    if (count != 2 || !stream->has_origin) {
        PyErr_SetString(PyExc_ValueError, "a text and origins are needed, and a reading that has some");
        return NULL;
    }
    if (!text_number(reading, arguments[0], &text) || !look(arguments[1], &origins, &kind)) {
        return NULL;
    }
    const int64_t *source = origins.buf;
    int64_t known = (int64_t)((size_t)origins.len / sizeof *source);
    for (size_t at = stream->starts[text] + 1; at < stream->starts[text + 1]; at++) { /* not the space before the text */
        int64_t origin = stream->origin[at];
        if (origin >= 0 && origin < known) {
            stream->origin[at] = source[origin];
        }
    }
    PyBuffer_Release(&origins);
    Py_INCREF(Py_None);
    return Py_None;
}

/* latin(text) -> how much it looks like Arabic, and like another language than English */
static PyObject *reading_latin(PyObject *self, PyObject *number) {
    const Reading *reading = (const Reading *)self;
    size_t text;
    if (!text_number(reading, number, &text)) {
        return NULL;
    }
    double scores[2];
    latin_scores(&reading->stream, text, &reading->tables->hashing, &reading->tables->latin, scores);
    return Py_BuildValue("dd", scores[0], scores[1]);
}

static PyObject *widened(const uint32_t *values, size_t size) {
    PyObject *bytes = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(size * sizeof(int64_t)));
    int64_t *wide = bytes == NULL ? NULL : (int64_t *)PyByteArray_AsString(bytes);
    for (size_t at = 0; wide != NULL && at < size; at++) {
        wide[at] = values[at];
    }
    return bytes;
}

static PyObject *copied(const void *values, size_t size) {
    return PyByteArray_FromStringAndSize(values, (Py_ssize_t)size);
}

/* stream() -> codes (uint32), starts (int64), origins (int64, or None) */
static PyObject *reading_stream(PyObject *self, PyObject *nothing) {
    (void)nothing;
    const Stream *stream = &((Reading *)self)->stream;
    PyObject *codes = copied(stream->codes, stream->size * sizeof *stream->codes);
    PyObject *starts = widened(stream->starts, stream->texts + 1);
    PyObject *origin = Py_None;
    if (stream->has_origin) {
        origin = copied(stream->origin, stream->size * sizeof *stream->origin);
    } else {
        Py_INCREF(origin);
    }
    PyObject *all = codes && starts && origin ? PyTuple_Pack(3, codes, starts, origin) : NULL;
    Py_XDECREF(codes);
    Py_XDECREF(starts);
    Py_XDECREF(origin);
    return all;
}

/* found() -> starts, ends (int64), hashes (uint64), texts (int64), classes (uint8) of all words */
static PyObject *reading_found(PyObject *self, PyObject *nothing) {
    (void)nothing;
    const Stream *stream = &((Reading *)self)->stream;
    PyObject *starts = widened(stream->word_starts, stream->words);
    PyObject *ends = widened(stream->word_ends, stream->words);
    PyObject *hashes = copied(stream->hashes, stream->words * sizeof *stream->hashes);
    PyObject *classes = copied(stream->classes, stream->words);
    PyObject *texts = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(stream->words * sizeof(int64_t)));
    if (texts != NULL) {
        int64_t *numbers = (int64_t *)PyByteArray_AsString(texts);
        for (size_t text = 0; text < stream->texts; text++) {
            for (size_t word = stream->firsts[text]; word < stream->firsts[text + 1]; word++) {
                numbers[word] = (int64_t)text;
            }
        }
    }
    PyObject *all =
        starts && ends && hashes && texts && classes ? PyTuple_Pack(5, starts, ends, hashes, texts, classes) : NULL;
    Py_XDECREF(starts);
    Py_XDECREF(ends);
    Py_XDECREF(hashes);
    Py_XDECREF(classes);
    Py_XDECREF(texts);
    return all;
}

/* row() -> the codes of all n-grams in the order of `ngrams.find`, 0 where none begins (uint32) */
static PyObject *reading_row(PyObject *self, PyObject *nothing) {
    (void)nothing;
    const Reading *reading = (const Reading *)self;
    const Stream *stream = &reading->stream;
    const Hashing *hashing = &reading->tables->hashing;
    size_t count = row_size(stream, hashing);
    PyObject *bytes = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(count * sizeof(uint32_t)));
    if (bytes != NULL) {
        row_codes(stream, hashing, (uint32_t *)PyByteArray_AsString(bytes));
    }
    return bytes;
}

/* ---- Weights ----------------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    Tables *tables;
    Py_buffer quads, owners, orders;
    Weights weights;
} Model;

static void model_clear(PyObject *self) {
    Model *model = (Model *)self;
    if (model->quads.obj != NULL) {
        PyBuffer_Release(&model->quads);
    }
    if (model->owners.obj != NULL) {
        PyBuffer_Release(&model->owners);
    }
    if (model->orders.obj != NULL) {
        PyBuffer_Release(&model->orders);
    }
    Py_CLEAR(model->tables);
}

static void model_dealloc(PyObject *self) { freed(self, model_clear); }

/* weights(quads, owners, orders of each language) -> Weights */
static PyObject *tables_weights(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    static const Kind quads = {"quads", 8}, owners = {"owners", 1}, orders = {"orders", 1};
    State *state = PyType_GetModuleState(Py_TYPE(self));
    if (count != 3 || state == NULL) {
        PyErr_SetString(PyExc_TypeError, "quads, owners and orders are needed");
        return NULL;
    }
    Model *model = (Model *)PyType_GenericAlloc(state->weights, 0);
    if (model == NULL) {
        return NULL;
    }
    Py_INCREF(self);
    model->tables = (Tables *)self;
    if (!look(arguments[0], &model->quads, &quads) || !look(arguments[1], &model->owners, &owners) ||
        !look(arguments[2], &model->orders, &orders)) {
        Py_DECREF(model);
        return NULL;
    }
    size_t places = (size_t)model->owners.len, buckets = (size_t)1 << model->tables->hashing.bucket_bits;
    const uint8_t *of_languages = model->orders.buf;
    bool fits = (size_t)model->quads.len / 8 == places && places % buckets == 0 && places / buckets <= 255 &&
                (size_t)model->orders.len == places / buckets;
    for (size_t at = 0; fits && at < (size_t)model->orders.len; at++) {
        fits = of_languages[at] > 0 && of_languages[at] <= model->tables->hashing.orders;
    }
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "the weights have another shape than this kernel reads");
        Py_DECREF(model);
        return NULL;
    }
    model->weights = (Weights){model->quads.buf, model->owners.buf, of_languages, (unsigned)(places / buckets)};
    return (PyObject *)model;
}

static PyObject *steps(const int64_t sums[COLUMNS]) {
    return Py_BuildValue("[LLLL]", (long long)sums[0], (long long)sums[1], (long long)sums[2], (long long)sums[3]);
}

/* sums(reading, languages: bytes) -> of each text the sums of the steps of its distinct n-grams */
static PyObject *model_sums(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    Model *model = (Model *)self;
    Tables *tables = model->tables;
    char *languages;
    Py_ssize_t texts;
    State *state = PyType_GetModuleState(Py_TYPE(self));
    if (count != 2 || state == NULL || !Py_IS_TYPE(arguments[0], state->reading)) {
        PyErr_SetString(PyExc_TypeError, "a reading and the languages of its texts are needed");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(arguments[1], &languages, &texts) != 0) {
        return NULL;
    }
    const Reading *reading = (const Reading *)arguments[0];
    const Stream *stream = &reading->stream;
    if (reading->tables != tables || (size_t)texts != stream->texts) {
        PyErr_SetString(PyExc_ValueError, "the reading is of other tables, or of another number of texts");
        return NULL;
    }
    PyObject *list = PyList_New(0);
    bool good = list != NULL;
    for (size_t text = 0; good && text < stream->texts; text++) {
        unsigned language = (unsigned char)languages[text];
        uint32_t *codes = scratch_of(tables, ngrams_most(stream, text, &tables->hashing));
        good = codes != NULL;
        if (good && language >= model->weights.languages) {
            PyErr_SetString(PyExc_ValueError, "there are no weights for this language");
            good = false;
        }
        if (good) {
            int64_t sums[COLUMNS];
            size_t found = ngram_codes(stream, text, &tables->hashing, model->weights.orders[language], codes);
            sum_weights(&model->weights, &tables->hashing, language, codes, found, tables->seen, sums);
            good = append(list, steps(sums));
        }
    }
    scratch_done(tables);
    if (!good) {
        Py_CLEAR(list);
    }
    return list;
}

/* Return the places that weigh at least `least` of the heaviest of them and `most`, and what that one weighs. */
static PyObject *heavy_places(const Place *places, size_t count, double unit, double least, double most) {
    for (size_t at = 0; at < count; at++) {
        double weight = fabs((double)places[at].steps * unit);
        most = weight > most ? weight : most;
    }
    PyObject *list = PyList_New(0);
    bool good = list != NULL;
    for (size_t at = 0; good && at < count; at++) {
        double weight = (double)places[at].steps * unit;
        if (fabs(weight) >= least * most) {
            good = append(list, Py_BuildValue("LLd", (long long)places[at].start, (long long)places[at].end, weight));
        }
    }
    PyObject *both = good ? Py_BuildValue("dO", most, list) : NULL;
    Py_XDECREF(list);
    return both;
}

/* places(reading of one text with origins, language, column, unit, least, most) -> (most, [(start, end, weight), ...]) */
static PyObject *model_places(PyObject *self, PyObject *arguments) {
    Model *model = (Model *)self;
    Tables *tables = model->tables;
    PyObject *given;
    unsigned language, column;
    double unit, least, most;
    State *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(arguments, "O!IIddd", state->reading, &given, &language, &column, &unit, &least, &most)) {
        return NULL;
    }
    const Stream *stream = &((const Reading *)given)->stream;
    if (((const Reading *)given)->tables != tables || stream->texts != 1 || !stream->has_origin || column >= COLUMNS ||
        language >= model->weights.languages) {
        PyErr_SetString(PyExc_ValueError, "a reading of one text with origins is needed, a language and a column of these weights");
        return NULL;
    }
    size_t row = row_size(stream, &tables->hashing), most_places = 3 * stream->words;
    uint32_t *codes = scratch_of(tables, row);
    Place *places = malloc((most_places + 1) * sizeof *places);
    if (codes == NULL || places == NULL) {
        free(places);
        return PyErr_NoMemory();
    }
    row_codes(stream, &tables->hashing, codes);
    Weighing weighing = {&model->weights, &tables->hashing, language, column, tables->seen};
    size_t count = weigh_places(stream, &weighing, codes, places);
    scratch_done(tables);
    PyObject *found = count == SIZE_MAX ? PyErr_NoMemory() : heavy_places(places, count, unit, least, most);
    free(places);
    return found;
}

/* ---- The module -------------------------------------------------------------------------------------------------- */

static PyMethodDef TABLES_METHODS[] = {
    {"scan", tables_scan, METH_O, NULL},
    {"read", (PyCFunction)(void (*)(void))tables_read, METH_FASTCALL, NULL},
    {"weights", (PyCFunction)(void (*)(void))tables_weights, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef READING_METHODS[] = {
    {"counted", reading_counted, METH_NOARGS, NULL},
    {"lengths", reading_lengths, METH_NOARGS, NULL},
    {"folded", reading_folded, METH_O, NULL},
    {"latin", reading_latin, METH_O, NULL},
    {"lead_back", (PyCFunction)(void (*)(void))reading_lead_back, METH_FASTCALL, NULL},
    {"stream", reading_stream, METH_NOARGS, NULL},
    {"found", reading_found, METH_NOARGS, NULL},
    {"row", reading_row, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef MODEL_METHODS[] = {
    {"sums", (PyCFunction)(void (*)(void))model_sums, METH_FASTCALL, NULL},
    {"places", model_places, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot TABLES_SLOTS[] = {
    {Py_tp_new, tables_new}, {Py_tp_dealloc, tables_dealloc}, {Py_tp_methods, TABLES_METHODS}, {0, NULL}};
static PyType_Slot READING_SLOTS[] = {{Py_tp_dealloc, reading_dealloc}, {Py_tp_methods, READING_METHODS}, {0, NULL}};
static PyType_Slot MODEL_SLOTS[] = {{Py_tp_dealloc, model_dealloc}, {Py_tp_methods, MODEL_METHODS}, {0, NULL}};
static PyType_Spec TABLES_SPEC = {"_kernel.Tables", sizeof(Tables), 0, Py_TPFLAGS_DEFAULT, TABLES_SLOTS};
static PyType_Spec READING_SPEC = {
    "_kernel.Reading", sizeof(Reading), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, READING_SLOTS};
static PyType_Spec MODEL_SPEC = {
    "_kernel.Weights", sizeof(Model), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, MODEL_SLOTS};

static int module_filled(PyObject *module) {
    State *state = PyModule_GetState(module);
    PyObject *tables = PyType_FromModuleAndSpec(module, &TABLES_SPEC, NULL);
    state->reading = (PyTypeObject *)PyType_FromModuleAndSpec(module, &READING_SPEC, NULL);
    state->weights = (PyTypeObject *)PyType_FromModuleAndSpec(module, &MODEL_SPEC, NULL);
    int failed = tables == NULL || state->reading == NULL || state->weights == NULL ||
                 PyModule_AddObjectRef(module, "Tables", tables) != 0 ||
                 PyModule_AddStringConstant(module, "SOURCE", STRING(SOURCE_DIGEST)) != 0;
    Py_XDECREF(tables);
    return failed ? -1 : 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    State *state = PyModule_GetState(module);
    Py_VISIT(state->reading);
    Py_VISIT(state->weights);
    return 0;
}

static int module_clear(PyObject *module) {
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->reading);
    Py_CLEAR(state->weights);
    return 0;
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, module_filled}, {0, NULL}};
static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_kernel", NULL, sizeof(State), NULL, SLOTS, module_traverse, module_clear, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&MODULE); }
