"""What the report pages say, in Arabic and English: the English sentence is the name of both."""

from collections.abc import Callable, Mapping
from typing import Final

LANGUAGES: Final = ("en", "ar")
RIGHT_TO_LEFT = frozenset({"ar"})
Say = Callable[[str], str]

LEARNED_FROM_THESE = (
    "{version} learned from decisions up to {time}: it is compared on later ones, "
    'the parts "since"; elsewhere the model that both build on stands in for it'
)
TOO_FEW_ROWS = "{language}: {rows} rows are too few; the prior alone scores it"
TOO_FEW_LABELS = "{output}: {positive} positive and {negative} negative labels, copies of a text counted once"
BOTH_WAYS = "{output}: {texts} texts are labelled both ways"
REPLACED = "{rows} decisions left out: the same comment was decided otherwise later"
NO_PROBABILITY = "{output}: labelled, but {version} gives no probability of it for any labelled row"
ONE_SIDED = (
    "{output}: all {rows} labels say {label}: how well the model tells apart, and its false alarms or misses, "
    "cannot be measured on them"
)
WITHOUT_TEXT = "rows without text, passed over: {rows}"
SENTENCES = frozenset({REPLACED, LEARNED_FROM_THESE, TOO_FEW_ROWS, TOO_FEW_LABELS, BOTH_WAYS})
"""Of notes, with places to be filled in."""

MEANINGS: Mapping[str, str] = {
    "slice_worse_auc": "there it ranks worse than the active model",
    "slice_worse_log_loss": "there its probabilities are worse than the active model's",
    "must_pass": "a frozen case, blatant or plainly civil, is on the wrong side",
    "not_proven": "the active model does not give it, and that the new one ranks better than chance is not sure",
    "head_lost": "the active model learned it, and there are too few labels of it now",
    "worse_than_before": "it ranks worse than the active model did when that was made",
    "refit_worse": "its probabilities became worse",
    "too_few_to_judge": "fewer untouched decisions than can judge it: 20 with 5 of each kind",
}
"""What it means that a gate kept a version a candidate, by its code."""
NAME_THE_LABELS = "where a column holds labels under another name: --label-column NAME [--positive VALUE]"

_FAULTS: Mapping[str, str] = {
    "line": "السطر",
    "row": "الصف",
    "{file}: unknown kind of file; expected one of {kinds}": "{file}: نوع ملف غير معروف؛ المنتظر أحد {kinds}",
    "{file}: its compression is damaged, or it breaks off": "{file}: ضغط الملف تالف، أو هو مقطوع",
    "{file}: cannot be read: {error}": "{file}: تعذرت قراءته: {error}",
    "{file}: is a spreadsheet or a packed file, no text: save it as CSV in UTF-8": (
        "{file}: جدول بيانات أو ملف مضغوط وليس نصا: احفظه بصيغة CSV وترميز UTF-8"
    ),
    "{file}: a text file is read as a table with tabs, and its first line has none": (
        "{file}: يقرأ الملف النصي جدولا بعلامات جدولة، وسطره الأول بلا واحدة"
    ),
    "{file}: there is no encoding {encoding!r}": "{file}: لا يوجد ترميز {encoding!r}",
    "{file}: line {line} is longer than {most} characters": "{file}: السطر {line} أطول من {most} محرفا",
    "{file}: line {line} is not {encoding} text; name the encoding it is in, such as --encoding windows-1256": (
        "{file}: السطر {line} ليس نصا بترميز {encoding}؛ سم الترميز الذي كتب به، مثل --encoding windows-1256"
    ),
    "{file}: line {line} is empty": "{file}: السطر {line} فارغ",
    "{file}: line {line} is not JSON": "{file}: السطر {line} ليس JSON",
    "{file}: line {line} is not JSON by itself: write each record on a line of its own, without brackets around all": (
        "{file}: السطر {line} ليس JSON بذاته: اكتب كل سجل في سطر مستقل، بلا أقواس حول الكل"
    ),
    "{file}: line {line} is not a JSON object": "{file}: السطر {line} ليس كائن JSON",
    "{file}: line {line} (row {number}) has another number of columns: {found}, and there are {wanted} names": (
        "{file}: السطر {line} (الصف {number}) فيه عدد آخر من الأعمدة: {found}، والأسماء {wanted}"
    ),
    "{file}: the row that begins at line {line} is not CSV: a quotation mark in it is not closed, or not doubled": (
        "{file}: الصف الذي يبدأ عند السطر {line} ليس CSV: فيه علامة اقتباس لم تغلق أو لم تضاعف"
    ),
    "{file}: {unit} {number} has no column {column!r}; there are {columns}: name the text's with --text-column": (
        "{file}: {unit} {number} بلا عمود {column!r}؛ الموجود {columns}: سم عمود النص بـ --text-column"
    ),
    "{file}: {unit} {number}: column {column!r} does not hold text": "{file}: {unit} {number}: العمود {column!r} لا يحوي نصا",
    "{file}: {unit} {number}: a label is neither 0, 1 nor empty": "{file}: {unit} {number}: وسم ليس 0 ولا 1 ولا فارغا",
    "{file}: {unit} {number}: {column!r} is neither 0, 1 nor empty": "{file}: {unit} {number}: {column!r} ليس 0 ولا 1 ولا فارغا",
    "{file}: {unit} {number}: 'state' is none of approved, rejected, spam, trash, held, pending, deleted": (
        "{file}: {unit} {number}: 'state' ليس أحد approved وrejected وspam وtrash وheld وpending وdeleted"
    ),
    "{file}: {unit} {number}: 'weight' is not a number above 0 and at most {most:g}": (
        "{file}: {unit} {number}: 'weight' ليس عددا فوق 0 ولا يزيد على {most:g}"
    ),
    "{file}: {unit} {number}: 'created_at' is not a time after ISO 8601": (
        "{file}: {unit} {number}: 'created_at' ليس وقتا وفق ISO 8601"
    ),
    "{file}: holds no data file for {what}": "{file}: لا يحوي ملف بيانات لـ {what}",
    "training": "التدريب",
    "testing": "القياس",
    "{file}: holds no rows": "{file}: بلا صفوف",
    "{file}: more than {most} rows in all; give a sample": "{file}: أكثر من {most} صف إجمالا؛ أعط عينة",
    "{file}: no column {column!r}; there are {columns}": "{file}: لا عمود باسم {column!r}؛ الموجود {columns}",
    "{file}: column {column!r} holds more than yes and no; name each value that means yes: --label-column {column} --positive VALUE": (
        "{file}: العمود {column!r} فيه أكثر من نعم ولا؛ سم كل قيمة تعني نعم: --label-column {column} --positive VALUE"
    ),
    "{file}: {unit} {number}: column {column!r} holds more than yes and no; name each value that means yes: "
    "--label-column {column} --positive VALUE": (
        "{file}: {unit} {number}: العمود {column!r} فيه أكثر من نعم ولا؛ سم كل قيمة تعني نعم: --label-column {column} --positive VALUE"
    ),
    "no row has a label: none of the columns {columns} says yes or no; name the one that does with --label-column NAME, "
    "and each of its values that means yes with --positive VALUE": (
        "لا صف موسوما: لا يقول أي من الأعمدة {columns} نعم أو لا؛ سم العمود الذي يقول بـ --label-column NAME، "
        "وكل قيمة فيه تعني نعم بـ --positive VALUE"
    ),
    "no row says what a person decided": "لا صف يقول ماذا قرر إنسان",
    "no row has a label: none of the fields that say what a person decided is filled": (
        "لا صف موسوما: لم يملأ أي من الحقول التي تقول ماذا قرر إنسان"
    ),
    "no output has labels": "لا مخرج موسوما",
    "an output needs {needed} labels with {each} of each kind, copies of a text counted once; "
    "{output} has most: {labelled} labels, {fewer} of the rarer kind": (
        "يحتاج المخرج {needed} وسما، منها {each} من كل نوع، وتحسب نسخ النص الواحد مرة؛ "
        "وأكثرها وسوما {output}: {labelled} وسما، منها {fewer} من النوع الأندر"
    ),
    "{output} has too few labels besides the untouched rows": "وسوم {output} فيما عدا الصفوف التي لم تمس لا تكفي",
    "two numbers need {needed} decisions with {each} of each kind; there are {positive} positive and {negative} negative ones": (
        "يحتاج العددان {needed} قرارا، منها {each} من كل نوع؛ والموجود {positive} موجبا و{negative} سالبا"
    ),
    "a share needs {needed} comments to stand for; there are {found}": "تحتاج الحصة {needed} تعليقا تمثلها؛ والموجود {found}",
    "a queue a day needs comments with their times": "طابور اليوم يحتاج تعليقات بأوقاتها",
    "no threshold keeps a precision of {wanted:g} on {least} decisions or more": (
        "لا عتبة تحفظ ضبطا قدره {wanted:g} على {least} قرارا أو أكثر"
    ),
    NAME_THE_LABELS: "إن كان عمود يحوي الوسوم باسم آخر: --label-column NAME [--positive VALUE]",
}
"""What is wrong with somebody's files or labels."""

ARABIC: Mapping[str, str] = {
    **_FAULTS,
    # of a retraining
    "Retraining": "إعادة تدريب",
    "It may take over from {}.": "يجوز أن يحل محل {}.",
    "Kept as a candidate; {} stays.": "بقي مرشحا، ويظل {} هو المعمول به.",
    "Why it is kept": "سبب بقائه مرشحا",
    "why": "السبب",
    "where": "الموضع",
    "numbers": "الأرقام",
    "active": "المعمول به",
    "new": "الجديد",
    "low": "الحد الأدنى",
    "high": "الحد الأعلى",
    "wanted": "المطلوب",
    "low_of_folds": "الحد الأدنى على الطيات",
    "case": "الحالة",
    "Judged on rows that neither model learned from, all later than those learned from.": (
        "الحكم على صفوف لم يتعلم منها أي من النموذجين، وكلها أحدث مما جرى التعلم منه."
    ),
    "Judged on rows that neither model learned from, with near copies kept together, for the rows have no times.": (
        "الحكم على صفوف لم يتعلم منها أي من النموذجين، والنسخ المتقاربة مجموعة معا لأن الصفوف بلا أوقات."
    ),
    "Intervals are 95 %, by bootstrap. Afterwards the model learned from all rows.": (
        "الفترات بثقة 95٪ بإعادة المعاينة. وبعد ذلك تعلم النموذج من كل الصفوف."
    ),
    "Before": "من قبل",
    "now": "الآن",
    "Parts": "الأجزاء",
    "output": "المخرج",
    "part": "الجزء",
    "rows": "الصفوف",
    "positive": "الموجب",
    "negative": "السالب",
    "What would change": "ما الذي سيتغير",
    "of {} untouched comments": "من {} تعليقا لم تمس",
    "before": "قبل",
    "after": "بعد",
    "Comments judged differently": "تعليقات يختلف الحكم عليها",
    "comment": "التعليق",
    "a person said": "قال إنسان",
    "people said": "قال الناس",
    "text": "النص",
    "Who labelled": "من وسم",
    "person": "الشخص",
    "labels": "الوسوم",
    "contradicted by the model": "خالفها النموذج",
    "standard errors from the others": "أخطاء معيارية عن الآخرين",
    "an outlier: counts less": "شاذ: يحسب أقل",
    "Data": "البيانات",
    "Snapshot": "لقطة البيانات",
    # of an evaluation
    "Evaluation": "تقييم",
    "Comparison": "مقارنة",
    "and": "و",
    ", ": "، ",
    "{} rows of {}.": "{} صفا من {}.",
    "In brackets: 95 % intervals, by bootstrap over rows. A row nobody labelled, or without a probability, counts in no figure.": (
        "بين قوسين: فترات ثقة 95٪ بإعادة معاينة الصفوف. الصف الذي لم يسمه أحد، أو بلا احتمال، لا يدخل في أي رقم."
    ),
    "Grey: before. Blue: after. Differences are after less before, on the same draws.": (
        "الرمادي: قبل. الأزرق: بعد. الفروق هي «بعد» ناقص «قبل» على العينات نفسها."
    ),
    "In the plots of scores,": "في رسوم الدرجات:",
    "grey is label 0": "الرمادي وسم 0",
    "red is label 1": "الأحمر وسم 1",
    "Judged differently": "يختلف الحكم عليها",
    "By spam and abuse together, at each model's own thresholds: {} of {} rows.": (
        "بالإعلان المزعج والإساءة معا، عند عتبات كل نموذج: {} من {} صفا."
    ),
    "The first {}": "أول {}",
    "Which": "أيها",
    "model": "النموذج",
    "file": "الملف",
    "row": "الصف",
    "label": "الوسم",
    "At the thresholds": "عند العتبات",
    "Differences": "الفروق",
    "Figures": "الأرقام",
    "Figures of each model": "أرقام كل نموذج",
    "not scored": "بلا درجة",
    "plots, thresholds": "رسوم وعتبات",
    "All labels are the same here: there is nothing to draw.": "كل الوسوم هنا سواء، فلا شيء يرسم.",
    "Precision and recall": "الضبط والاستدعاء",
    "ROC": "ROC",
    "Calibration": "المعايرة",
    "Scores": "الدرجات",
    "Scores, before": "الدرجات، قبل",
    "Scores, after": "الدرجات، بعد",
    # of plots
    "recall": "الاستدعاء",
    "precision": "الضبط",
    "stated probability": "الاحتمال المعلن",
    "true share": "الحصة الحقيقية",
    "probability": "الاحتمال",
    "share of comments, to {}": "حصة التعليقات، حتى \u200e{}\u200e",
    "share of a label, to {}": "حصة الوسم، حتى \u200e{}\u200e",
    "false positives": "موجب كاذب",
    "true positives": "موجب صادق",
    "{} over {}": "{} مقابل {}",
    # figures
    "AUC": "AUC",
    "auc": "AUC",
    "macro-F1 at 0.5": "macro-F1 عند 0.5",
    "precision, doubt": "الضبط، شك",
    "recall, doubt": "الاستدعاء، شك",
    "precision, reject": "الضبط، رفض",
    "recall, reject": "الاستدعاء، رفض",
    "calibration error": "خطأ المعايرة",
    "called positive at 0.5": "عد موجبا عند 0.5",
    "log_loss": "الخسارة اللوغاريتمية",
    "log-loss": "الخسارة اللوغاريتمية",
    "ece": "خطأ المعايرة",
    # outputs, parts, verdicts
    "spam": "إعلان مزعج",
    "abuse": "إساءة",
    "reject": "رفض",
    "insult": "إهانة",
    "obscene": "بذاءة",
    "threat": "تهديد",
    "hate": "كراهية",
    "all": "الكل",
    "language": "اللغة",
    "site": "الموقع",
    "reason": "السبب",
    "length": "الطول",
    "source": "المصدر",
    "since": "منذ",
    "approve": "قبول",
    "hold": "إبقاء للمراجعة",
    "pass": "يمر",
    "doubt": "شك",
    # why a version stays a candidate
    "slice_worse_auc": "شريحة ساء ترتيبها",
    "slice_worse_log_loss": "شريحة ساءت احتمالاتها",
    "must_pass": "حالة ثابتة على الجانب الخطأ",
    "not_proven": "مخرج جديد لم يثبت أنه أفضل من المصادفة",
    "head_lost": "لغة أو مخرج تعلمه النموذج المعمول به ولم تكف القرارات ليتعلمه الجديد",
    "worse_than_before": "ترتيبه أسوأ مما بلغه المعمول به حين صنع",
    "refit_worse": "ساءت الاحتمالات بعد الضبط",
    "too_few_to_judge": "قرارات أقل من أن يحكم بها",
    # what somebody should know
    "active_learned_from_these": "تعلم النموذج المعمول به من هذه القرارات نفسها، فيقارن على ما بعدها وحده",
    "language_not_learned": "لغة صفوفها أقل من أن تتعلم، فيحكم عليها النموذج الأصل وحده",
    "output_not_learned": "مخرج وسومه أقل من أن يتعلم",
    "contradictory_labels": "نصوص وسمت بالضدين",
    LEARNED_FROM_THESE: (
        "تعلم {version} من قرارات حتى {time}: فيقارن على ما بعدها في الأجزاء «منذ»، ويحل محله فيما سواها النموذج الذي بني الاثنان عليه"
    ),
    TOO_FEW_ROWS: "{language}: {rows} من الصفوف لا تكفي؛ يحكم عليها النموذج الأصل وحده",
    TOO_FEW_LABELS: "{output}: {positive} من الوسوم موجب و{negative} سالب، وتحسب نسخ النص الواحد مرة",
    BOTH_WAYS: "{output}: {texts} من النصوص وسمت بالضدين",
    NO_PROBABILITY: "{output}: موسوم، لكن {version} لا يعطي له احتمالا في أي صف موسوم",
    ONE_SIDED: "{output}: كل الوسوم ({rows}) تقول {label}: فلا يقاس عليها كم يحسن النموذج التمييز، ولا إنذاراته الكاذبة أو ما يفوته",
    WITHOUT_TEXT: "صفوف بلا نص جرى تجاوزها: {rows}",
    "0 to 49": "من 0 إلى 49",
    "50 to 199": "من 50 إلى 199",
    "200 to 499": "من 200 إلى 499",
    "500 and more": "500 فأكثر",
    REPLACED: "قرارات لم يؤخذ بها: {rows}؛ لأن التعليق نفسه تقرر فيه غير ذلك لاحقا",
    "decided_otherwise_later": "قرارات تغيرت",
    "none of it": "لا شيء منها",
    "to 60": "حتى 60",
    "61 to 240": "من 61 إلى 240",
    "above 240": "فوق 240",
    # how many rows
    "seen": "قرئت",
    "unlabelled": "بلا وسم",
    "learned_from": "جرى التعلم منها",
    "labels_spam": "وسوم الإعلان المزعج",
    "labels_abuse": "وسوم الإساءة",
    "labels_reject": "وسوم الرفض",
    "labels_insult": "وسوم الإهانة",
    "labels_obscene": "وسوم البذاءة",
    "labels_threat": "وسوم التهديد",
    "labels_hate": "وسوم الكراهية",
}


def speaker(language: str) -> Say:
    """Return what says an English sentence, or a code, in a language; codes that have no words stay codes."""
    return (lambda said: ARABIC.get(said, said)) if language == "ar" else (lambda said: said)


def direction(language: str) -> str:
    """Return how a language is written, as HTML says it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"
