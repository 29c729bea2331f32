"""What the desk's modules say, in Arabic and English: handed to them with the page, so that no words stand in the code.

``{name}`` is a place for a value. Where a number decides the form, the words are a mapping by the categories of Unicode's plural rules
(`Intl.PluralRules`): Arabic has all six, English two. A test holds both languages to the same keys and places, and the modules to them.
"""

from collections.abc import Mapping

Words = str | Mapping[str, str]


def _ar(zero: str, one: str, two: str, few: str, many: str) -> dict[str, str]:
    return {"zero": zero, "one": one, "two": two, "few": few, "many": many, "other": many}


def _en(one: str, other: str) -> dict[str, str]:
    return {"one": one, "other": other}


DESK_WORDS: dict[str, tuple[Words, Words]] = {
    # the frame: (Arabic, English)
    "desk.product": ("مكتب التعليقات", "Comment desk"),
    "desk.title": ("المراجعة", "Review"),
    "time.now": ("الآن", "just now"),
    "colleague.you": ("أنت", "you"),
    "colleague.unknown": ("زميل", "a colleague"),
    "dialog.cancel": ("إلغاء", "Cancel"),
    "dialog.close": ("إغلاق", "Close"),
    # what is on its way
    "outbox.sending": (
        _ar("", "يُرسل قرار…", "يُرسل قراران…", "تُرسل {count} قرارات…", "يُرسل {count} قرارًا…"),
        _en("Sending a decision…", "Sending {count} decisions…"),
    ),
    "outbox.retrying": (
        _ar(
            "",
            "قرار لم يُرسل بعد؛ نعيد المحاولة.",
            "قراران لم يُرسلا بعد؛ نعيد المحاولة.",
            "{count} قرارات لم تُرسل بعد؛ نعيد المحاولة.",
            "{count} قرارًا لم تُرسل بعد؛ نعيد المحاولة.",
        ),
        _en("A decision is not sent yet; trying again.", "{count} decisions are not sent yet; trying again."),
    ),
    "outbox.stuck": (
        _ar(
            "",
            "تعذّر إرسال قرار. إنه محفوظ هنا.",
            "تعذّر إرسال قرارين. إنهما محفوظان هنا.",
            "تعذّر إرسال {count} قرارات. إنها محفوظة هنا.",
            "تعذّر إرسال {count} قرارًا. إنها محفوظة هنا.",
        ),
        _en(
            "A decision could not be sent. It is kept here.",
            "{count} decisions could not be sent. They are kept here.",
        ),
    ),
    "outbox.away": ("لا اتصال بالخدمة.", "The service cannot be reached."),
    "outbox.again": ("أعد المحاولة الآن", "Try again now"),
    "outbox.full": (
        "قرارات كثيرة لم تُرسل بعد. انتظر حتى يعود الاتصال.",
        "Too many decisions are not sent yet. Wait until the connection is back.",
    ),
    "outbox.restored": (
        _ar(
            "",
            "يُرسل الآن قرار بقي من قبل.",
            "يُرسل الآن قراران بقيا من قبل.",
            "تُرسل الآن {count} قرارات بقيت من قبل.",
            "يُرسل الآن {count} قرارًا بقيت من قبل.",
        ),
        _en("Sending a decision left from before.", "Sending {count} decisions left from before."),
    ),
    # the list
    "list.label": ("ما ينتظر", "What waits"),
    "list.open": ("القائمة", "List"),
    "list.open_count": ("القائمة ({count})", "List ({count})"),
    "list.pick": ("حدّد تعليق {name}", "Select the comment by {name}"),
    "list.more": ("يُحمَّل المزيد عند الاقتراب من النهاية", "More is loaded towards the end"),
    "list.newcomers": (
        _ar("", "تعليق جديد", "تعليقان جديدان", "{count} تعليقات جديدة", "{count} تعليقًا جديدًا"),
        _en("One new comment", "{count} new comments"),
    ),
    "list.claimed": ("عند زميل", "with a colleague"),
    "list.closed": ("قرّر فيه زميل", "decided by a colleague"),
    "list.faulty": ("لم يُقبل القرار", "the decision did not go through"),
    "list.skipped": ("متروك لغيرك", "skipped"),
    # filters
    "filter.label": ("تصفية القائمة", "Filter the list"),
    "filter.kind": ("النوع", "Kind"),
    "filter.site": ("الموقع", "Site"),
    "filter.order": ("الترتيب", "Order"),
    "filter.reason": ("السبب", "Reason"),
    "filter.language": ("اللغة", "Language"),
    "filter.any_reason": ("كل الأسباب", "Any reason"),
    "filter.any_language": ("كل اللغات", "Any language"),
    "filter.thread": ("مقال واحد:", "One article:"),
    "filter.thread_off": ("كل المقالات", "All articles"),
    "kind.all": ("الكل", "All"),
    "kind.held": ("بانتظار القرار", "Waiting"),
    "kind.audit": ("تدقيق", "Audit"),
    "kind.escalated": ("مُصعَّد", "Escalated"),
    "order.oldest": ("الأقدم أولًا", "Oldest first"),
    "order.abuse": ("الأكثر إساءة أولًا", "Most abusive first"),
    "order.uncertain": ("الأقل وضوحًا أولًا", "Least certain first"),
    # the comment that is read
    "pane.label": ("التعليق", "The comment"),
    "pane.comment_by": ("تعليق {name}", "Comment by {name}"),
    "pane.loading": ("يُحمَّل…", "Loading…"),
    "pane.place": (
        _ar("", "{at} من {count}", "{at} من {count}", "{at} من {count}", "{at} من {count}"),
        _en("{at} of {count}", "{at} of {count}"),
    ),
    "pane.place_more": (
        _ar(
            "",
            "{at} من أكثر",
            "{at} من {count} أو أكثر",
            "{at} من {count} أو أكثر",
            "{at} من {count} أو أكثر",
        ),
        _en("{at} of more", "{at} of {count} or more"),
    ),
    "pane.rest": ("بقية النص ↓", "The text goes on ↓"),
    "comment.on": ("على", "On"),
    "comment.reply_on": ("رد على", "A reply on"),
    "comment.thread": ("هذا المقال", "This article"),
    "comment.nameless": ("بلا اسم", "No name"),
    "text.turned": (
        "في التعليق علامات خفية تقلب ترتيب الحروف: قد يختلف ما تراه عمّا كُتب.",
        "Hidden marks in this comment turn letters around: what you see may differ from what was written.",
    ),
    "comment.emptied": ("لم يعد النص محفوظًا.", "The text is not kept any more."),
    "comment.edited": (
        _ar(
            "",
            "عُدّل مرة",
            "عُدّل مرتين",
            "عُدّل {count} مرات",
            "عُدّل {count} مرة",
        ),
        _en("edited once", "edited {count} times"),
    ),
    "comment.revisions": ("النصوص السابقة", "Earlier texts"),
    "comment.until": ("حتى {time}", "until {time}"),
    "comment.answers": ("ردًّا على {who}:", "In answer to {who}:"),
    "comment.parent_gone": ("ردًّا على تعليق لم يعد موجودًا.", "In answer to a comment that is gone."),
    "author.approved": ("قُبل له {count}", "{count} approved"),
    "author.rejected": ("رُفض له {count}", "{count} rejected"),
    "author.fresh": ("لا قرارات سابقة", "no decisions yet"),
    "author.title": ("الكاتب: {name}", "Author: {name}"),
    "author.nothing": ("لا تعليقات أخرى له هنا.", "No other comments of theirs here."),
    "author.all": ("كل تعليقاته", "All their comments"),
    "author.block": ("حظر الكاتب", "Block this author"),
    "author.unblock": ("إلغاء الحظر", "Unblock"),
    "author.trust": ("منح الثقة", "Trust this author"),
    "author.untrust": ("سحب الثقة", "Trust no more"),
    "author.blocked_title": ("حظر هذا الكاتب؟", "Block this author?"),
    "author.trusted_title": ("منح الثقة لهذا الكاتب؟", "Trust this author?"),
    "author.note": ("لماذا؟ (اختياري) يُحفظ في السجل.", "Why? (optional) Kept in the audit."),
    "author.settle": ("تأكيد", "Confirm"),
    "author.done_blocked": (
        "حُظر الكاتب. يسري ذلك على تعليقاته التالية.",
        "Blocked. That holds for their next comments.",
    ),
    "author.done_trusted": (
        "مُنح الكاتب الثقة. يسري ذلك على تعليقاته التالية.",
        "Trusted. That holds for their next comments.",
    ),
    "author.done_none": (
        "لم يعد الكاتب محظورًا ولا موثوقًا.",
        "The author is neither blocked nor trusted any more.",
    ),
    "standing.blocked": ("محظور", "blocked"),
    "standing.trusted": ("موثوق", "trusted"),
    "audit.notice": (
        "تدقيق: احكم بنفسك. لا يظهر هنا ما قاله المصنِّف كي لا يؤثر في حكمك.",
        "Audit: judge for yourself. What the service said is left out, so that it does not lead you.",
    ),
    "escalated.notice": ("رفعه زميل إلى المسؤولين.", "A colleague passed this on to the leads."),
    "escalated.by": ("{who} · {when}:", "{who}, {when}:"),
    "claim.others": ("هذا التعليق عند {who} حتى {until}.", "This comment is with {who} until {until}."),
    "claim.somebody": ("هذا التعليق عند زميل الآن.", "This comment is with a colleague now."),
    "queue.closed": (
        "قرّر زميل في هذا التعليق في الأثناء.",
        "A colleague has decided this comment meanwhile.",
    ),
    "state.approved_notice": (
        "هذا التعليق منشور ويبقى منشورًا حتى يُرفض.",
        "This comment is published, and stays so until it is rejected.",
    ),
    "state.approved": ("منشور", "Published"),
    "state.held": ("بانتظار القرار", "Waiting"),
    "state.rejected": ("مرفوض", "Rejected"),
    "state.deleted": ("محذوف", "Withdrawn"),
    # what the service says
    "verdict.title": ("ما لاحظته الخدمة", "What the service noticed"),
    "verdict.evidence": ("المواضع", "Places in the text"),
    "verdict.figures": ("الأرقام", "Figures"),
    "verdict.model": ("المصنِّف: {model}", "Model: {model}"),
    "verdict.approve": ("القبول", "approve"),
    "verdict.hold": ("الإبقاء قيد الانتظار", "hold"),
    "verdict.reject": ("الرفض", "reject"),
    "level.sure": ("{what}: شبه مؤكد", "Very likely {what}"),
    "level.likely": ("{what}: مرجّح", "Likely {what}"),
    "level.perhaps": ("{what}: محتمل", "Perhaps {what}"),
    "score.spam": ("إعلان مزعج", "spam"),
    "score.abuse": ("إساءة", "abuse"),
    "score.insult": ("إهانة", "an insult"),
    "score.obscene": ("بذاءة", "obscene"),
    "score.threat": ("تهديد", "a threat"),
    "score.hate": ("كراهية", "hate"),
    "score.reject": ("يرفضه مشرفو هذا الموقع", "rejected by this site's moderators"),
    "reason.premoderation": ("مراجعة مسبقة", "Waits as all do"),
    "reason.first_comment": ("أول تعليق", "First comment"),
    "reason.spam": ("إعلان مزعج", "Spam"),
    "reason.abuse": ("إساءة", "Abuse"),
    "reason.insult": ("إهانة", "Insult"),
    "reason.obscene": ("بذاءة", "Obscene"),
    "reason.threat": ("تهديد", "Threat"),
    "reason.hate": ("كراهية", "Hate"),
    "reason.banned_word": ("كلمة محظورة", "Banned word"),
    "reason.link_limit": ("روابط كثيرة", "Many links"),
    "reason.duplicate": ("مكرر", "Duplicate"),
    "reason.flood": ("إغراق", "Flood"),
    "reason.blocked_author": ("كاتب محظور", "Blocked author"),
    "reason.not_scored": ("لم يُقيَّم", "Not scored"),
    "reason.unknown_language": ("لغة غير معروفة", "Unknown language"),
    "reason.likely_reject": ("يُرفض غالبًا", "Likely rejected"),
    "reason.honeypot": ("فخ البرامج", "Trap for programs"),
    "reason.too_fast": ("أُرسل بسرعة", "Sent too fast"),
    "reason.form_nonce": ("نموذج قديم", "Stale form"),
    "reason.partly_read": ("قُرئ بعضه", "Partly read"),
    "reason.unconfirmed": ("غير مؤكد", "Unconfirmed"),
    "reason.off_topic": ("خارج الموضوع", "Off topic"),
    "reason.illegal": ("مخالف للقانون", "Against the law"),
    "reason.other": ("سبب آخر", "Another reason"),
    # doing
    "action.label": ("القرار", "Decide"),
    "action.approve": ("قبول", "Approve"),
    "action.reject": ("رفض", "Reject"),
    "action.skip": ("تجاوز", "Skip"),
    "action.escalate": ("تصعيد", "Escalate"),
    "action.note": ("ملاحظة", "Note"),
    "action.hold": ("إعادة للانتظار", "Send back"),
    "action.open": ("فتح", "Open"),
    "action.undo": ("تراجع", "Undo"),
    "reject.title": ("لماذا يُرفض؟", "Why reject it?"),
    "reject.title_many": (
        _ar(
            "",
            "لماذا يُرفض؟",
            "لماذا يُرفض التعليقان؟",
            "لماذا تُرفض {count} تعليقات؟",
            "لماذا يُرفض {count} تعليقًا؟",
        ),
        _en("Why reject it?", "Why reject these {count} comments?"),
    ),
    "reject.hint": (
        "مفتاح الإدخال يأخذ السبب المرجّح، والأرقام غيره.",
        "Enter takes the likeliest reason, a digit any other.",
    ),
    "reject.hint_none": ("اختر برقم، أو بالأسهم ثم الإدخال.", "Choose by digit, or by arrows and Enter."),
    "escalate.title": ("تصعيد إلى المسؤولين", "Pass on to the leads"),
    "escalate.hint": ("لماذا؟ يقرؤه المسؤولون، لا القارئ.", "Why? The leads read this; the reader does not."),
    "note.title": ("ملاحظة مع القرار", "A note with the decision"),
    "note.hint": (
        "تُحفظ في سجل التعليق مع قرارك التالي فيه، ولا تُرسل إلى القارئ.",
        "Kept in the history with your next decision on it; never sent to the reader.",
    ),
    "note.save": ("إرفاق", "Attach"),
    "done.approve": ("قُبل.", "Approved."),
    "done.reject": ("رُفض: {reason}.", "Rejected: {reason}."),
    "done.hold": ("أُعيد إلى الانتظار.", "Sent back to wait."),
    "done.approve_many": (
        _ar("", "قُبل تعليق.", "قُبل تعليقان.", "قُبلت {count} تعليقات.", "قُبل {count} تعليقًا."),
        _en("One comment approved.", "{count} comments approved."),
    ),
    "done.reject_many": (
        _ar(
            "",
            "رُفض تعليق: {reason}.",
            "رُفض تعليقان: {reason}.",
            "رُفضت {count} تعليقات: {reason}.",
            "رُفض {count} تعليقًا: {reason}.",
        ),
        _en("One comment rejected: {reason}.", "{count} comments rejected: {reason}."),
    ),
    "done.escalate": ("رُفع إلى المسؤولين.", "Passed on to the leads."),
    "done.skip": ("تُرك لغيرك.", "Left to others."),
    "done.left": ("بقي قرار الزميل.", "Your colleague's decision stands."),
    "done.undo": (
        _ar(
            "",
            "تراجعت عن قرار.",
            "تراجعت عن قرارين.",
            "تراجعت عن {count} قرارات.",
            "تراجعت عن {count} قرارًا.",
        ),
        _en("Decision taken back.", "{count} decisions taken back."),
    ),
    "undo.nothing": ("لا قرار هنا للتراجع عنه.", "There is no decision here to take back."),
    "undo.escalation": (
        "لا يُتراجع عن التصعيد؛ يعيده المسؤولون.",
        "What was passed on to the leads is theirs; they can send it back.",
    ),
    "undo.refused": ("لم يُقبل التراجع: {why}", "It could not be taken back: {why}"),
    # many at once
    "bulk.count": (
        _ar("لا شيء محدد", "تعليق محدد", "تعليقان محددان", "{count} تعليقات محددة", "{count} تعليقًا محددًا"),
        _en("One selected", "{count} selected"),
    ),
    "bulk.all": ("حدّد الكل", "Select all shown"),
    "bulk.none": ("ألغِ التحديد", "Select none"),
    "bulk.approve_title": (
        _ar(
            "",
            "قبول تعليق محدد؟",
            "قبول تعليقين محددين؟",
            "قبول {count} تعليقات محددة؟",
            "قبول {count} تعليقًا محددًا؟",
        ),
        _en("Approve the selected comment?", "Approve the {count} selected comments?"),
    ),
    # what did not go through
    "fault.toast": (
        "لم يُقبل قرارك في تعليق {name}.",
        "Your decision on the comment by {name} did not go through.",
    ),
    "fault.show": ("أظهره", "Show it"),
    "fault.stale": (
        "عدّل الكاتب تعليقه وأنت تقرؤه. هذا نصه الجديد؛ قرّر فيه.",
        "The author edited it while you read. This is the new text; decide on it.",
    ),
    "fault.before": ("النص الذي قرأته", "The text that you read"),
    "fault.claimed": (
        "هذا التعليق عند {who} حتى {until}، فلم يُسجَّل قرارك.",
        "This comment is with {who} until {until}; your decision was not recorded.",
    ),
    "fault.conflict": (
        "قرّر {who} فيه {what} ({when})، فلم يُسجَّل قرارك.",
        "{who} decided to {what} it ({when}); your decision was not recorded.",
    ),
    "fault.replace_approve": ("اقبله رغم ذلك", "Approve it all the same"),
    "fault.replace_hold": ("أعده للانتظار رغم ذلك", "Send it back all the same"),
    "fault.replace_reject": ("ارفضه رغم ذلك ({reason})", "Reject it all the same ({reason})"),
    "fault.leave": ("ليبقَ كما قرر", "Let that stand"),
    "fault.unknown": ("حدث خطأ غير متوقع.", "Something unexpected went wrong."),
    # nothing, or nothing yet
    "empty.title": ("لا شيء ينتظر", "Nothing waits"),
    "empty.filtered": ("لا شيء ينتظر في هذه التصفية", "Nothing waits under this filter"),
    "empty.hint": (
        "آخر تحديث {time}. ما يصل يظهر هنا من تلقاء نفسه.",
        "Last looked at {time}. What arrives appears by itself.",
    ),
    "empty.clear": ("أظهر الكل", "Show everything"),
    "empty.look": ("حدّث الآن", "Look now"),
    "broken.title": ("تعذّر التحميل", "This could not be loaded"),
    "broken.again": ("أعد المحاولة", "Try again"),
    "broken.over": ("لا شيء هنا", "Nothing is here"),
    "broken.unknown": (
        "لا تعليق بهذا العنوان في المواقع التي تعمل عليها.",
        "No site that you work for has a comment at this address.",
    ),
    # a page for one comment
    "page.comment": ("تعليق", "Comment"),
    "page.back": ("إلى القائمة", "Back to the queue"),
    "page.done": ("سُجّل.", "Recorded."),
    "page.thread": ("حوله في المقال نفسه", "Around it on the same article"),
    "history.title": ("ما جرى له", "What happened to it"),
    "history.service": ("الخدمة", "The service"),
    "history.decided": ("{who}: {what}", "{who}: {what}"),
    "history.undid": ("{who}: تراجع عن القرار السابق", "{who}: took the decision before back"),
    "history.escalated": ("{who}: رفعه إلى المسؤولين", "{who}: passed it on to the leads"),
    # searching
    "search.title": ("البحث", "Search"),
    "search.label": ("كلمات من النص أو اسم الكاتب", "Words of the text, or the author's name"),
    "search.state": ("الحالة", "State"),
    "search.any_state": ("كل الحالات", "Any state"),
    "search.one_author": ("تعليقات كاتب واحد.", "Comments of one author."),
    "search.all_authors": ("كل الكتّاب", "All authors"),
    "search.go": ("ابحث", "Search"),
    "search.more": ("المزيد", "More"),
    "search.found": (
        _ar("", "نتيجة واحدة", "نتيجتان", "{count} نتائج", "{count} نتيجة"),
        _en("One result", "{count} results"),
    ),
    "search.none_yet": (
        "لا نتائج حتى الآن؛ تابع البحث في الأقدم.",
        "Nothing found so far; go on to older ones.",
    ),
    "search.none": ("لا نتائج.", "Nothing found."),
    "search.not_offered": ("البحث غير متاح في هذه الخدمة.", "This service offers no search."),
    # keys
    "help.title": ("المفاتيح", "Keys"),
    "help.next": ("التعليق التالي", "Next comment"),
    "help.previous": ("التعليق السابق", "Previous comment"),
    "help.approve": ("قبول", "Approve"),
    "help.reject": ("رفض، ثم السبب", "Reject, then the reason"),
    "help.skip": ("ترك لغيرك", "Leave to others"),
    "help.escalate": ("تصعيد إلى المسؤولين", "Pass on to the leads"),
    "help.note": ("ملاحظة مع القرار", "A note with the decision"),
    "help.undo": ("تراجع عن آخر قرار", "Take the last decision back"),
    "help.figures": ("إظهار الأرقام", "Show the figures"),
    "help.open": ("صفحة التعليق", "The comment's own page"),
    "help.author": ("الكاتب وسجله", "The author and their record"),
    "help.thread": ("هذا المقال وحده، أو كل المقالات", "This article alone, or all"),
    "help.select": ("تحديد", "Select"),
    "help.approve_selected": ("قبول المحدد", "Approve the selected"),
    "help.reject_selected": ("رفض المحدد", "Reject the selected"),
    "help.search": ("بحث", "Search"),
    "help.help": ("هذه الصفحة", "This help"),
    "help.hold": ("إعادة المُصعَّد إلى الجميع", "Send an escalated one back to everybody"),
    "help.layout": (
        "المفاتيح بمواضعها، فتعمل كما هي على لوحة المفاتيح العربية.",
        "Keys count by their place where the keyboard writes Arabic, so nothing needs to be switched.",
    ),
    "help.switch": ("مفاتيح مفردة مفعّلة", "Single keys are on"),
}


def desk_words(language: str) -> dict[str, Words]:
    """Return the words of ``language``: Arabic for `ar`, else English."""
    column = 0 if language == "ar" else 1
    return {key: pair[column] for key, pair in DESK_WORDS.items()}
