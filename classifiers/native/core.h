/* The plain loops of reading and scoring: code points and whole numbers in, code points and whole numbers out.

   Nothing of Python here, so that all that touches hostile text can be read by itself. Every array comes with its size; an index
   that depends on text is masked or compared before it is used. What these loops compute is defined by the NumPy code of
   text.py, signs.py, ngrams.py, lexicon.py, latin.py and weights.py, and tests compare both bit for bit. */

#ifndef COMMENT_CORE_H
#define COMMENT_CORE_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "floating point with more bits than a double gives other scores"
#endif

enum {
    SPACE = 32,
    SIGN_BITS = 0x1F, /* of a mark: its sign, and above it what `signs` marks */
    IS_LETTER = 0x20,
    IS_INNER = 0x40,
    GOES_ON = 0x80,
    SIGNS_MOST = 32,
    CLASSES_MOST = 32,
    ORDERS_MOST = 8,
    PADDING = ORDERS_MOST + 1, /* zeros behind the last code point, which runs of characters may read */
    COLUMNS = 4,               /* weights of a quad */
    NOBODY = -1,               /* the origin of a space between texts */
};
#define SIZE_MOST ((size_t)1 << 30) /* code points of a batch, far above what is ever read at once */

static inline void prefetch(const void *address) {
#if defined(__GNUC__)
    __builtin_prefetch(address);
#else
    (void)address;
#endif
}

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const uint32_t *fold; /* what each code point becomes: 0 falls out, `expands` + key becomes several */
    const uint8_t *marks; /* sign and marks of each code point */
    size_t code_points;   /* of both */
    uint32_t expands;
    const uint32_t *keys; /* ascending code points that become several */
    const uint32_t *ends; /* where each one's pieces end in `pieces` */
    size_t key_count;
    const uint32_t *pieces;
    size_t piece_count;
} Letters;

typedef struct {
    uint64_t base, pair, skip, three, finish, latin_base;
    unsigned code_bits, bucket_bits, orders, latin_bits;
} Hashing;

typedef struct { /* listed words, found by their hashes */
    const uint64_t *hashes;
    const uint8_t *classes;
    const uint8_t *arabic, *english; /* bits for the ways to threaten with a word */
    const uint32_t *letters;         /* of all words, one after the other */
    const uint32_t *ends;
    size_t count, letter_count;
    uint32_t *slots; /* place + 1 of a word, 0 where none; open addressing */
    unsigned slot_bits;
    unsigned class_count, first_threat;
} Lexicon;

typedef struct {
    const int8_t *weights; /* two for each bucket of triples, last the intercepts */
    double length_offset, scale;
} Latin;

static inline uint32_t finished(const Hashing *hashing, uint64_t hash, unsigned bits) {
    return (uint32_t)(((hash >> 29 ^ hash) * hashing->finish) >> (64 - bits));
}

static bool lexicon_index(Lexicon *lexicon, const Hashing *hashing) {
    lexicon->slot_bits = 8;
    while (((size_t)1 << lexicon->slot_bits) < 4 * lexicon->count) {
        lexicon->slot_bits++;
    }
    size_t mask = ((size_t)1 << lexicon->slot_bits) - 1;
    lexicon->slots = calloc(mask + 1, sizeof *lexicon->slots);
    if (lexicon->slots == NULL) {
        return false;
    }
    for (size_t at = 0; at < lexicon->count; at++) {
        size_t slot = finished(hashing, lexicon->hashes[at], lexicon->slot_bits);
        while (lexicon->slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        lexicon->slots[slot] = (uint32_t)at + 1;
    }
    return true;
}

/* Return the place of a listed word with this hash, `count` where there is none. Three in four slots are empty, so this ends. */
static inline size_t lexicon_find(const Lexicon *lexicon, const Hashing *hashing, uint64_t hash) {
    size_t mask = ((size_t)1 << lexicon->slot_bits) - 1;
    size_t slot = finished(hashing, hash, lexicon->slot_bits);
    for (uint32_t place; (place = lexicon->slots[slot]) != 0; slot = (slot + 1) & mask) {
        if (lexicon->hashes[place - 1] == hash) {
            return place - 1;
        }
    }
    return lexicon->count;
}

/* ---- Signs of a text as received --------------------------------------------------------------------------------- */

typedef struct {
    uint32_t counts[SIGNS_MOST];
    bool is_suspect; /* may hold a broken word */
} Scan;

/* Count the signs of a text, the separator before it (a NUL) included; `gaps` has the signs that keep letters apart. */
static void scan_text(const Letters *letters, const uint8_t gaps[SIGNS_MOST], const uint32_t *raw, size_t size, Scan *scan) {
    memset(scan, 0, sizeof *scan);
    scan->counts[letters->marks[0] & SIGN_BITS]++;
    uint8_t inside = 0, one_before = 0, two_before = 0;
    bool has_sign = false;
    for (size_t at = 0; at < size; at++) {
        uint32_t code = raw[at];
        uint8_t mark = code < letters->code_points ? letters->marks[code] : 0;
        scan->counts[mark & SIGN_BITS]++;
        inside |= (uint8_t)(two_before << 2) & (uint8_t)(one_before << 1) & mark;
        two_before = one_before;
        one_before = mark;
        has_sign |= (code == '$') | (code == '@');
    }
    uint64_t gap = 0;
    for (unsigned sign = 0; sign < SIGNS_MOST; sign++) {
        gap += gaps[sign] ? scan->counts[sign] : 0;
    }
    scan->is_suspect = (inside & GOES_ON) != 0 || gap * 10 > (uint64_t)size * 3;
    for (size_t at = 0; has_sign && at < size && !scan->is_suspect; at++) {
        bool is_ss = raw[at] == '@' && at + 2 < size && (raw[at + 1] | 32) == 's' && (raw[at + 2] | 32) == 's';
        scan->is_suspect = raw[at] == '$' || is_ss;
    }
}

/* ---- Folded texts and their words -------------------------------------------------------------------------------- */

typedef struct {
    uint32_t *codes; /* `size` of them, then PADDING zeros */
    int64_t *origin; /* NULL where nobody asked */
    size_t size, capacity;
    bool has_origin;
    size_t texts;
    uint32_t *starts; /* of each text its leading space, and last of all the last one */
    uint32_t *firsts; /* of each text its first word, and last of all the number of words */
    size_t words;
    uint64_t *hashes;
    uint32_t *word_starts, *word_ends;
    uint8_t *classes;
} Stream;

static void stream_free(Stream *stream) {
    free(stream->codes);
    free(stream->origin);
    free(stream->starts);
    free(stream->hashes);
    memset(stream, 0, sizeof *stream);
}

static bool stream_reserve(Stream *stream, size_t capacity) {
    if (capacity > SIZE_MOST) {
        return false;
    }
    uint32_t *codes = realloc(stream->codes, (capacity + PADDING) * sizeof *codes);
    if (codes == NULL) {
        return false;
    }
    stream->codes = codes;
    if (stream->has_origin) {
        int64_t *origin = realloc(stream->origin, capacity * sizeof *origin);
        if (origin == NULL) {
            return false;
        }
        stream->origin = origin;
    }
    stream->capacity = capacity;
    return true;
}

/* Begin `texts` texts of `raw_size` code points together. */
static bool stream_begin(Stream *stream, size_t texts, size_t raw_size, bool has_origin) {
    memset(stream, 0, sizeof *stream);
    if (texts > SIZE_MOST || raw_size > SIZE_MOST) {
        return false;
    }
    stream->has_origin = has_origin;
    stream->starts = malloc(2 * (texts + 1) * sizeof *stream->starts);
    if (stream->starts == NULL || !stream_reserve(stream, raw_size + texts + 1)) {
        return false;
    }
    stream->firsts = stream->starts + texts + 1;
    return true;
}

/* Add a code point unless the one before is the same; the caller has made room. */
static inline void stream_push(Stream *stream, uint32_t code, int64_t origin) {
    size_t size = stream->size;
    if (size == 0 || stream->codes[size - 1] != code) {
        stream->codes[size] = code;
        if (stream->has_origin) {
            stream->origin[size] = origin;
        }
        stream->size = size + 1;
    }
}

/* Add what one code point becomes that becomes several; `rest` code points of any kind need room behind it. */
static bool stream_expand(Stream *stream, const Letters *letters, uint32_t key, int64_t origin, size_t rest) {
    size_t low = 0, high = letters->key_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (letters->keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == letters->key_count || letters->keys[low] != key) {
        return true;
    }
    size_t begin = low == 0 ? 0 : letters->ends[low - 1], end = letters->ends[low];
    if (begin > end || end > letters->piece_count) {
        return true;
    }
    size_t needed = stream->size + (end - begin) + rest;
    if (needed > stream->capacity && !stream_reserve(stream, needed + needed / 2)) {
        return false;
    }
    for (size_t at = begin; at < end; at++) {
        if (letters->pieces[at] != 0) {
            stream_push(stream, letters->pieces[at], origin);
        }
    }
    return true;
}

/* Add a text, its leading space first; `rest` code points come in later texts, separators included. */
static bool stream_add(Stream *stream, const Letters *letters, const uint32_t *raw, size_t size, size_t rest) {
    stream_push(stream, SPACE, NOBODY);
    stream->starts[stream->texts++] = (uint32_t)(stream->size - 1);
    for (size_t at = 0; at < size; at++) {
        uint32_t code = raw[at] < letters->code_points ? letters->fold[raw[at]] : SPACE;
        if (code >= letters->expands) {
            if (!stream_expand(stream, letters, code - letters->expands, (int64_t)at, size - at - 1 + rest)) {
                return false;
            }
        } else if (code != 0) {
            stream_push(stream, code, (int64_t)at);
        }
    }
    return true;
}

static void find_words(Stream *stream, const Hashing *hashing, const Lexicon *lexicon) {
    const uint32_t *codes = stream->codes;
    size_t words = 0, text = 0;
    for (size_t start = 1; start < stream->size; start++) { /* behind a space */
        while (text < stream->texts && stream->starts[text] < start) {
            stream->firsts[text++] = (uint32_t)words;
        }
        uint64_t hash = 0, power = 1;
        size_t end = start;
        for (; end < stream->size && codes[end] != SPACE; end++) {
            hash += codes[end] * power;
            power *= hashing->base;
        }
        stream->word_starts[words] = (uint32_t)start;
        stream->word_ends[words] = (uint32_t)end;
        stream->hashes[words] = hash;
        size_t place = lexicon_find(lexicon, hashing, hash);
        stream->classes[words] = place < lexicon->count ? lexicon->classes[place] : 0;
        words++;
        start = end;
    }
    while (text <= stream->texts) {
        stream->firsts[text++] = (uint32_t)words;
    }
    stream->words = words;
}

/* Add the last space, and find the words. */
static bool stream_end(Stream *stream, const Hashing *hashing, const Lexicon *lexicon) {
    stream_push(stream, SPACE, NOBODY);
    stream->starts[stream->texts] = (uint32_t)(stream->size - 1);
    memset(stream->codes + stream->size, 0, PADDING * sizeof *stream->codes);
    size_t most = stream->size / 2 + 1; /* a space before each */
    stream->hashes = malloc(most * (sizeof *stream->hashes + 2 * sizeof *stream->word_starts + 1));
    if (stream->hashes == NULL) {
        return false;
    }
    stream->word_starts = (uint32_t *)(stream->hashes + most);
    stream->word_ends = stream->word_starts + most;
    stream->classes = (uint8_t *)(stream->word_ends + most);
    find_words(stream, hashing, lexicon);
    return true;
}

typedef struct {
    uint32_t counts[CLASSES_MOST]; /* first the number of all words */
    uint8_t arabic, english;       /* the ways to threaten whose words the text has */
} WordCounts;

static bool is_word(const Lexicon *lexicon, size_t place, const uint32_t *letters, size_t size) {
    size_t begin = place == 0 ? 0 : lexicon->ends[place - 1], end = lexicon->ends[place];
    return begin <= end && end <= lexicon->letter_count && end - begin == size &&
           memcmp(lexicon->letters + begin, letters, size * sizeof *letters) == 0;
}

static void count_words(
    const Stream *stream, size_t text, const Hashing *hashing, const Lexicon *lexicon, WordCounts *found) {
    memset(found, 0, sizeof *found);
    size_t first = stream->firsts[text], last = stream->firsts[text + 1];
    for (size_t word = first; word < last; word++) {
        unsigned class = stream->classes[word];
        found->counts[class % CLASSES_MOST]++;
        if (class >= lexicon->first_threat) {
            size_t place = lexicon_find(lexicon, hashing, stream->hashes[word]);
            size_t start = stream->word_starts[word], size = stream->word_ends[word] - start;
            if (place < lexicon->count && is_word(lexicon, place, stream->codes + start, size)) {
                found->arabic |= lexicon->arabic[place];
                found->english |= lexicon->english[place];
            }
        }
    }
    found->counts[0] = (uint32_t)(last - first);
}

/* How much a text in Latin script looks like Arabic, and like another language than English; see latin.py. */
static void latin_scores(
    const Stream *stream, size_t text, const Hashing *hashing, const Latin *latin, double scores[2]) {
    size_t begin = stream->starts[text], end = stream->starts[text + 1];
    const uint32_t *codes = stream->codes;
    scores[0] = scores[1] = -1.0;
    if (end - begin < 2) {
        return;
    }
    int64_t arabizi = 0, foreign = 0, found = 0;
    for (size_t at = begin; at + 2 <= end; at++) {
        if (codes[at + 1] == SPACE) {
            continue;
        }
        uint64_t hash = (codes[at] * hashing->latin_base + codes[at + 1]) * hashing->latin_base + codes[at + 2];
        size_t bucket = finished(hashing, hash, hashing->latin_bits);
        arabizi += latin->weights[2 * bucket];
        foreign += latin->weights[2 * bucket + 1];
        found++;
    }
    const int8_t *intercepts = latin->weights + ((size_t)2 << hashing->latin_bits);
    double length = sqrt((double)found + latin->length_offset);
    scores[0] = ((double)arabizi / length + intercepts[0]) / latin->scale;
    scores[1] = ((double)foreign / length + intercepts[1]) / latin->scale;
}

/* ---- N-grams and their weights ----------------------------------------------------------------------------------- */

static inline size_t ngrams_most(const Stream *stream, size_t text, const Hashing *hashing) {
    size_t words = stream->firsts[text + 1] - stream->firsts[text];
    return (size_t)hashing->orders * (stream->starts[text + 1] - stream->starts[text] + 1) + 4 * words;
}

/* Write the codes of all runs of characters that begin in a text, without those that have a space inside. */
static inline size_t character_codes(
    const Stream *stream, size_t text, const Hashing *hashing, const unsigned orders, uint32_t *codes) {
    size_t begin = stream->starts[text], count = 0, reach = 0;
    uint64_t base = hashing->base;
    for (size_t at = stream->starts[text + 1]; at-- > begin;) {
        const uint32_t *letters = stream->codes + at;
        reach = letters[1] == SPACE ? 1 : reach + 1; /* so many runs end at the next space or before */
        uint64_t hash = letters[0];
        for (unsigned order = 0; order < orders; order++) { /* written without a branch, and kept if they reach no further */
            hash = hash * base + letters[order + 1];
            codes[count + order] = finished(hashing, hash, hashing->code_bits);
        }
        count += reach < orders ? reach : orders;
    }
    return count;
}

static size_t word_codes(const Stream *stream, size_t text, const Hashing *hashing, uint32_t *codes) {
    size_t first = stream->firsts[text], last = stream->firsts[text + 1], count = 0;
    unsigned bits = hashing->code_bits;
    const uint64_t *hashes = stream->hashes;
    for (size_t word = first; word < last; word++) {
        codes[count++] = finished(hashing, hashes[word], bits);
        if (word + 1 < last) {
            uint64_t pair = hashes[word] * hashing->pair + hashes[word + 1];
            codes[count++] = finished(hashing, pair, bits);
            if (word + 2 < last) {
                codes[count++] = finished(hashing, hashes[word] * hashing->skip + hashes[word + 2], bits);
                codes[count++] = finished(hashing, pair * hashing->three + hashes[word + 2], bits);
            }
        }
    }
    return count;
}

/* Write the codes of a text's n-grams in no order that matters, of `orders` orders of characters, no more than hashing has; there is
   room for `ngrams_most`. */
static size_t ngram_codes(const Stream *stream, size_t text, const Hashing *hashing, unsigned orders, uint32_t *codes) {
    size_t count;
    switch (orders) { /* a number that the compiler knows is unrolled */
    case 3:
        count = character_codes(stream, text, hashing, 3, codes);
        break;
    case 4:
        count = character_codes(stream, text, hashing, 4, codes);
        break;
    case 5:
        count = character_codes(stream, text, hashing, 5, codes);
        break;
    default:
        count = character_codes(stream, text, hashing, orders, codes);
    }
    return count + word_codes(stream, text, hashing, codes + count);
}

/* Return how many entries `row_codes` writes. */
static size_t row_size(const Stream *stream, const Hashing *hashing) {
    size_t words = stream->words, fewer = words > 0 ? words - 1 : 0, fewest = words > 1 ? words - 2 : 0;
    return (size_t)hashing->orders * stream->size + words + fewer + 2 * fewest;
}

/* Write the codes of a whole stream in the order of `ngrams.find`: 0 where no n-gram begins. */
static void row_codes(const Stream *stream, const Hashing *hashing, uint32_t *row) {
    memset(row, 0, row_size(stream, hashing) * sizeof *row);
    size_t size = stream->size, words = stream->words, reach = 0;
    for (size_t at = size - 1; at-- > 0;) {
        const uint32_t *letters = stream->codes + at;
        reach = letters[1] == SPACE ? 1 : reach + 1;
        uint64_t hash = letters[0];
        for (unsigned order = 0; order < hashing->orders && order < reach; order++) {
            hash = hash * hashing->base + letters[order + 1];
            row[order * size + at] = finished(hashing, hash, hashing->code_bits);
        }
    }
    uint32_t *pairs = row + hashing->orders * size + words, *skips = pairs + (words > 0 ? words - 1 : 0);
    uint32_t *threes = skips + (words > 1 ? words - 2 : 0);
    const uint64_t *hashes = stream->hashes;
    for (size_t text = 0; text < stream->texts; text++) {
        for (size_t word = stream->firsts[text], last = stream->firsts[text + 1]; word < last; word++) {
            (pairs - words)[word] = finished(hashing, hashes[word], hashing->code_bits);
            if (word + 1 < last) {
                uint64_t pair = hashes[word] * hashing->pair + hashes[word + 1];
                pairs[word] = finished(hashing, pair, hashing->code_bits);
                if (word + 2 < last) {
                    uint64_t next = hashes[word + 2];
                    skips[word] = finished(hashing, hashes[word] * hashing->skip + next, hashing->code_bits);
                    threes[word] = finished(hashing, pair * hashing->three + next, hashing->code_bits);
                }
            }
        }
    }
}

typedef struct {
    const uint64_t *quads; /* four weights of a bucket, each 1 << 15 above what it is */
    const uint8_t *owners; /* the last byte of the code that owns the bucket */
    const uint8_t *orders; /* of characters that a language has */
    unsigned languages;
} Weights;

/* Sum the weights of a text's distinct n-grams, given their codes, which are overwritten.

   `seen` has a bit for each bucket, all of them clear, and leaves so: no text makes it slow, as it could a table of hashes. */
static void sum_weights(
    const Weights *weights, const Hashing *hashing, unsigned language, uint32_t *codes, size_t count, uint64_t *seen,
    int64_t sums[COLUMNS]) {
    const uint64_t alternate = 0x0000FFFF0000FFFFu;
    unsigned check_bits = hashing->code_bits - hashing->bucket_bits;
    const uint8_t *owners = weights->owners + ((size_t)language << hashing->bucket_bits);
    const uint64_t *quads = weights->quads + ((size_t)language << hashing->bucket_bits);
    size_t owned = 0;
    for (size_t at = 0; at < count; at++) {
        prefetch(owners + (codes[at] >> check_bits));
    }
    for (size_t at = 0; at < count; at++) {
        uint32_t code = codes[at], bucket = code >> check_bits;
        codes[owned] = bucket; /* never ahead of `at` */
        owned += owners[bucket] == (uint8_t)code;
    }
    for (size_t at = 0; at < owned; at++) {
        prefetch(quads + codes[at]);
    }
    memset(sums, 0, COLUMNS * sizeof *sums);
    for (size_t at = 0; at < owned;) {
        size_t until = owned - at > 65536 ? at + 65536 : owned; /* so many fit into 32 bits */
        uint64_t even = 0, odd = 0, distinct = 0;
        for (; at < until; at++) {
            uint32_t bucket = codes[at];
            uint64_t *word = seen + (bucket >> 6), bit = (uint64_t)1 << (bucket & 63);
            uint64_t is_new = (*word & bit) == 0, quad = quads[bucket] & (0 - is_new);
            *word |= bit;
            even += quad & alternate;
            odd += quad >> 16 & alternate;
            distinct += is_new;
        }
        int64_t bias = (int64_t)(distinct << 15);
        sums[0] += (int64_t)(even & 0xFFFFFFFFu) - bias;
        sums[1] += (int64_t)(odd & 0xFFFFFFFFu) - bias;
        sums[2] += (int64_t)(even >> 32) - bias;
        sums[3] += (int64_t)(odd >> 32) - bias;
    }
    for (size_t at = 0; at < owned; at++) {
        seen[codes[at] >> 6] = 0;
    }
}

/* ---- Which places weigh how much --------------------------------------------------------------------------------- */

typedef struct {
    int64_t start, end; /* in the source */
    int64_t steps;
} Place;

typedef struct {
    const Weights *weights;
    const Hashing *hashing;
    unsigned language, column;
    uint64_t *seen;
} Weighing;

/* Return what a code weighs where it stands for the first time, else 0. */
static int64_t first_steps(const Weighing *weighing, uint32_t code) {
    uint32_t bucket = code >> (weighing->hashing->code_bits - weighing->hashing->bucket_bits);
    size_t place = ((size_t)weighing->language << weighing->hashing->bucket_bits) + bucket;
    uint64_t *word = weighing->seen + (bucket >> 6), bit = (uint64_t)1 << (bucket & 63);
    if (weighing->weights->owners[place] != (uint8_t)code || (*word & bit) != 0) {
        return 0;
    }
    *word |= bit;
    return (int64_t)(weighing->weights->quads[place] >> (16 * weighing->column) & 0xFFFF) - (1 << 15);
}

/* Clear what `first_steps` marked, of so many codes. */
static void forget(const Weighing *weighing, const uint32_t *codes, size_t count) {
    for (size_t at = 0; at < count; at++) {
        weighing->seen[codes[at] >> (weighing->hashing->code_bits - weighing->hashing->bucket_bits) >> 6] = 0;
    }
}

/* Return where a first word begins and a last one ends in the source; see `explain._spots`. */
static Place spot(const Stream *stream, size_t first, size_t last, int64_t steps) {
    int64_t start = stream->origin[stream->word_starts[first]];
    int64_t end = stream->origin[stream->word_ends[last] - 1] + 1;
    if (end <= start) {
        end = stream->origin[stream->word_ends[first] - 1] + 1;
    }
    return (Place){start, end, steps};
}

static int by_place(const void *left, const void *right) {
    const Place *one = left, *other = right;
    if (one->start != other->start) {
        return one->start < other->start ? -1 : 1;
    }
    return (one->end > other->end) - (one->end < other->end);
}

/* Put together what stands at the same place, and return how many places weigh something. */
static size_t places_merged(Place *places, size_t count) {
    qsort(places, count, sizeof *places, by_place);
    size_t merged = 0;
    for (size_t at = 0; at < count;) {
        Place sum = places[at++];
        for (; at < count && by_place(&sum, places + at) == 0; at++) {
            sum.steps += places[at].steps;
        }
        if (sum.steps != 0) {
            places[merged++] = sum;
        }
    }
    return merged;
}

/* Find what the words, and runs of two and three words, of a stream of one text weigh; all in the order of `row_codes`.

   There are 3 places for each word. Every distinct n-gram counts where it first stands, those inside a word for the word. */
static size_t weigh_places(const Stream *stream, const Weighing *weighing, const uint32_t *row, Place *places) {
    size_t size = stream->size, words = stream->words, orders = weighing->weights->orders[weighing->language];
    const uint32_t *code = row;
    int64_t *steps = calloc(3 * words + 1, sizeof *steps); /* of each word, of it and the next, of it and the one after that */
    if (steps == NULL) {
        return SIZE_MAX;
    }
    for (size_t order = 0; order < orders; order++, code += size) {
        for (size_t word = 0; word < words; word++) {
            for (size_t at = stream->word_starts[word] - 1, end = stream->word_ends[word]; at + order + 1 <= end; at++) {
                steps[3 * word] += first_steps(weighing, code[at]);
            }
        }
    }
    code = row + weighing->hashing->orders * size; /* no less than this language has */
    for (unsigned kind = 0; kind < 4; kind++) { /* words, pairs of neighbours, pairs with a gap, threes */
        size_t reach = kind < 2 ? kind : 2, runs = words > reach ? words - reach : 0;
        for (size_t word = 0; word < runs; word++) {
            steps[3 * word + reach] += first_steps(weighing, code[word]);
        }
        code += runs;
    }
    forget(weighing, row, (size_t)(code - row));
    size_t count = 0;
    for (size_t word = 0; word < words; word++) {
        for (size_t reach = 0; reach < 3 && word + reach < words; reach++) {
            if (steps[3 * word + reach] != 0) {
                places[count++] = spot(stream, word, word + reach, steps[3 * word + reach]);
            }
        }
    }
    free(steps);
    return places_merged(places, count);
}

#endif
