"""Which places of an explanation are worth a moderator's look.

The decomposition of a score is exact and so names everything that moved it: "you" as well as the insult beside it. What a person is
shown leaves out words that mean nothing alone, bare numbers, and what weighs little beside the strongest place.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from classifiers import kernel
from classifiers.explain import WORDS, Span, without_weak
from classifiers.text import fold, fold_words, whole_text

LEAST = 0.1  # of the weight of the strongest place of its output
_MOST = 24  # places looked at
_SMALL = """
    يا ايها انت انتي انتم انتو انتوا انته نت نتا نتي هو هي هم هن احنا نحن انا اني هذا هذه هذي هاد هاي هاذا هاذي ذلك تلك
    هؤلاء دي ده دا دول الذي التي الذين اللي الي من في على عن الى الي مع بين بعد قبل عند حتى حتي لكن ولكن او ام ثم بل لا ما
    لم لن ليس مو مش موش ان انه انها انهم اذا لو كل كلهم كلكم بعض غير كان كانت يكون قد لقد هل ماذا لماذا ليش ليه كيف متى وين
    اين فين شو ايش وش واش شنو اي ايه كما مثل زي كده كذا هيك هكذا بس فقط ايضا كمان برضو جدا اوي كثير كتير و ف ب ل ك به بها له
    لها لهم لك لكم منك منكم فيك فيكم فيه فيها عليك عليكم عليه عليها عنك علي الله والله واله اليوم الان هنا هناك لان لانه
    لانك عشان علشان باش راح رح سوف احد حد واحد واحده شي شيء حاجه ولا وما وانت وهو وهي وانا ومن وفي يعني user htps http https
    www com amp rt a an the and or but if of to in on at by for with from as is are was were be been being am do does did
    done have has had i me my mine we us our you your yours u ur he him his she her it its they them their this that these
    those there here what which who whom how why when where not no nor so than then too very just only also even all any
    some one can could will would should may might must shall dont doesnt didnt isnt arent wont cant im ive youre hes shes
    theyre its s t m re ve ll d don isn doesn didn won get got go up out about into over more most other such own same ya
    yaa ana enta inta enti inti ento howa heya el al w wa fi fe min men bas mesh mish mish mosh 3ala da di de
"""


@cache
def _small_words() -> frozenset[str]:
    return frozenset(fold_words(_SMALL.split()))


def telling(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return the spans that tell a reader something, in their order; of each output at least its strongest upward one."""
    near = without_weak(spans, LEAST)[:_MOST]
    words = _folded([text[span.start : span.end] for span in near])
    kept = [
        span for span, inside in zip(near, words, strict=True) if span.rule != WORDS or not _is_empty(inside)
    ]
    told = {span.output for span in kept if span.weight > 0}
    for span in near:
        if span.weight > 0 and span.output not in told:
            told.add(span.output)
            kept.append(span)
    kept.sort(key=lambda span: -abs(span.weight))
    return kept


def _folded(places: list[str]) -> list[list[str]]:
    if not places:
        return []
    loops = kernel.current()
    if loops is not None:
        reading = loops.read(places, False)
        return [reading.folded(at).split() for at in range(len(places))]
    stream = fold(places)
    folded = whole_text(stream)
    return [folded[start:end].split() for start, end in pairwise(stream.starts.tolist())]


def _is_empty(words: Sequence[str]) -> bool:
    """Return whether these words say nothing by themselves."""
    small = _small_words()
    return all(word in small or word.isdigit() or len(word) < 2 for word in words)
