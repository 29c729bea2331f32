"""What stands on the console's pages, in Arabic and English; a test holds the two languages to each other."""

WORDS: dict[str, tuple[str, str]] = {
    # every page: (Arabic, English)
    "product": ("مكتب التعليقات", "Comment desk"),
    "other_language": ("English", "العربية"),
    # signing in
    "sign_in": ("تسجيل الدخول", "Sign in"),
    "email": ("البريد الإلكتروني", "E-mail"),
    "password": ("كلمة المرور", "Password"),
    "sign_out": ("تسجيل الخروج", "Sign out"),
    "sign_out_everywhere": ("تسجيل الخروج من كل الأجهزة", "Sign out everywhere"),
    "session_ended": (
        "انتهت جلستك. سجّل الدخول لتعود إلى حيث كنت.",
        "Your session has ended. Sign in to come back to where you were.",
    ),
    "session_ended_unsent": (
        "انتهت جلستك. سجّل الدخول لتعود إلى حيث كنت؛ قراراتك التي لم تُرسل محفوظة، وتُرسل حينها.",
        "Your session has ended. Sign in to come back to where you were; what you decided and is not sent yet is kept, and sent then.",
    ),
    "no_password_yet": (
        "ليست لديك كلمة مرور، أو نسيتها؟ اطلب رابطًا جديدًا ممّن يدير الخدمة.",
        "No password yet, or forgotten? Ask whoever runs the service for a new link.",
    ),
    "insecure": (
        "هذا العنوان بلا تشفير (http)، ولا يحفظ المتصفح جلستك عليه: استعمل https.",
        "This address is not encrypted (http), and the browser will not keep your session there: use https.",
    ),
    "fault_wrong": (
        "البريد الإلكتروني أو كلمة المرور غير صحيحة.",
        "The e-mail address or the password is wrong.",
    ),
    "fault_throttled": ("محاولات كثيرة. حاول مرة أخرى بعد:", "Too many attempts. Try again in:"),
    "fault_origin": (
        "لم تأتِ هذه المحاولة من صفحاتنا. حاول مرة أخرى من هنا.",
        "That attempt did not come from our own pages. Try again from here.",
    ),
    "fault_unavailable": (
        "الخدمة غير متاحة مؤقتًا. حاول مرة أخرى بعد لحظات.",
        "The service is not available for the moment. Try again shortly.",
    ),
    # setting a password
    "welcome": ("أهلًا بك", "Welcome"),
    "choose_password": ("اختر كلمة مرور تدخل بها مكتب التعليقات.", "Choose a password for the console."),
    "password_hint": (
        "١٢ حرفًا على الأقل. جملة من كلمات عدّة أسهل حفظًا وأصعب تخمينًا.",
        "At least 12 characters. Several words are easier to remember and harder to guess.",
    ),
    "again": ("كلمة المرور مرة أخرى", "The password again"),
    "save": ("حفظ", "Save"),
    "link_over": (
        "لم يعد هذا الرابط صالحًا: استُعمل، أو حلّ محلّه رابط أحدث، أو مضت عليه سبعة أيام. اطلب رابطًا جديدًا.",
        "This link is not good any more: it was used, a newer one took its place, or it is older than 7 days. Ask for a new one.",
    ),
    "password_too_short": (
        "كلمة المرور أقصر من ١٢ حرفًا.",
        "The password has fewer than 12 characters.",
    ),
    "password_too_long": ("كلمة المرور أطول من ٢٥٦ حرفًا.", "The password has more than 256 characters."),
    "password_is_email": (
        "لا تصلح كلمةَ مرور: إنها عنوان بريدك.",
        "That will not do as a password: it is your e-mail address.",
    ),
    "password_differs": ("الكلمتان مختلفتان.", "The two passwords differ."),
    # one's own sessions
    "sessions": ("أين سجّلتَ الدخول", "Where you are signed in"),
    "sessions_hint": (
        "إن رأيت هنا جهازًا لا تعرفه فأنهِ جلسته واطلب رابطًا لكلمة مرور جديدة.",
        "If you do not know one of these devices, end its session and ask for a link to set a new password.",
    ),
    "unknown_device": ("متصفح غير معروف", "Unknown browser"),
    "this_session": ("هذا الجهاز", "This one"),
    "seen": ("آخر نشاط:", "Last active:"),
    "began": ("بدأت:", "Began:"),
    "end_session": ("أنهِ هذه الجلسة", "End this session"),
    "back_to_desk": ("إلى المراجعة", "Back to the desk"),
    # the second step
    "second_step": ("الخطوة الثانية", "The second step"),
    "second_factor": ("التحقق بخطوتين", "Two-step sign-in"),
    "code": ("الرمز", "Code"),
    "code_hint": (
        "ستة أرقام من تطبيق الرموز على هاتفك، وكل رمز يصلح مرة واحدة.",
        "Six digits from the authenticator on your telephone; each is good once.",
    ),
    "go_on": ("متابعة", "Go on"),
    "no_code": ("هاتفي ليس معي", "I do not have my telephone"),
    "recovery_code": ("رمز الاسترداد", "Recovery code"),
    "use_recovery_code": ("ادخل برمز الاسترداد", "Use this recovery code"),
    "no_recovery_code": (
        "ولا رموز استرداد لديك؟ اطلب ممّن يدير الخدمة أن يلغي الخطوة الثانية لك.",
        "No recovery codes either? Ask whoever runs the service to take your second step away.",
    ),
    "start_again": ("ابدأ من جديد", "Start again"),
    "fault_password": ("كلمة المرور غير صحيحة.", "That is not your password."),
    "fault_code": (
        "هذا الرمز غير صحيح، أو استُعمل من قبل. انتظر الرمز التالي.",
        "This code is wrong, or was used already. Wait for the next one.",
    ),
    "fault_offer": (
        "طال الوقت فتغيّرت الصورة. صوّر الجديدة، واحذف ما أضفته إلى التطبيق من القديمة.",
        "That took too long, so this is another picture. Take this one, and remove from the authenticator what you took before.",
    ),
    "fault_stale": (
        "طال الوقت أو تغيّر شيء في الأثناء. سجّل الدخول مرة أخرى.",
        "That took too long, or something has changed meanwhile. Sign in again.",
    ),
    "may_set": (
        "يُطلب منك بعد كلمة المرور رمزٌ من هاتفك، فلا تكفي كلمة مرور مسروقة لدخول أحد. وتنتهي جلساتك الأخرى.",
        "After the password you are asked for a code from your telephone: a stolen password alone lets nobody in. Your other sessions end.",
    ),
    "must_set": (
        "يُطلب هنا من كل مشرف رمزٌ من هاتفه بعد كلمة المرور. اضبطه الآن مرة واحدة.",
        "Everybody here is asked for a code from their telephone after the password. Set it up now, once.",
    ),
    "scan": ("صوّر هذه الصورة بتطبيق الرموز:", "Take this picture with an authenticator:"),
    "qr": ("صورة يقرؤها تطبيق الرموز", "A picture for an authenticator to read"),
    "no_camera": ("لا أستطيع تصويرها", "I cannot take the picture"),
    "open_here": ("افتحه في تطبيق الرموز على هذا الجهاز", "Open it in an authenticator on this device"),
    "set_up": ("فعّل التحقق بخطوتين", "Turn two-step sign-in on"),
    "is_on": ("مفعّل", "On"),
    "set_when": ("ضُبط:", "Set up:"),
    "codes_left": ("رموز استرداد باقية:", "Recovery codes left:"),
    "change_hint": (
        "لتغيير شيء هنا أدخل رمزًا من هاتفك، أو رمز استرداد.",
        "To change anything here, give a code from your telephone, or a recovery code.",
    ),
    "renew_codes": ("رموز استرداد جديدة", "New recovery codes"),
    "turn_off": ("أوقف التحقق بخطوتين", "Turn two-step sign-in off"),
    "recovery_codes": ("رموز الاسترداد", "Recovery codes"),
    "recovery_hint": (
        "إن ضاع هاتفك فادخل بأحدها مكان الرمز. كل واحد يصلح مرة واحدة.",
        "If you lose your telephone, one of these lets you in in place of a code. Each is good once.",
    ),
    "shown_once": (
        "لن تظهر مرة أخرى. اكتبها أو اطبعها واحفظها بعيدًا عن هاتفك.",
        "They will not be shown again. Write them down or print them, and keep them away from your telephone.",
    ),
    "have_written": ("حفظتها، متابعة", "I have them; go on"),
    # an address that leads nowhere
    "no_page": ("لا صفحة هنا", "There is no page here"),
    "no_page_hint": (
        "ربما نُقل العنوان ناقصًا، أو تغيّر مكان ما كان فيه.",
        "The address may have been copied only in part, or what was here has another place now.",
    ),
    # the desk
    "desk": ("المراجعة", "Review"),
    "search": ("البحث", "Search"),
    "keys": ("المفاتيح", "Keys"),
    "account": ("الحساب", "Account"),
    "notices": ("ما جرى للتو", "What just happened"),
    "skip_to_content": ("إلى المحتوى", "Skip to the content"),
    "loading": ("تُحمَّل الصفحة…", "Loading the page…"),
    "no_script": ("تحتاج هذه الصفحة إلى JavaScript.", "This page needs JavaScript."),
}


def words(language: str) -> dict[str, str]:
    """Return the words of ``language``: Arabic for `ar`, else English."""
    column = 0 if language == "ar" else 1
    return {key: pair[column] for key, pair in WORDS.items()}


_UNITS = {
    "seconds": ("ثانية", "ثانيتان", "ثوانٍ", "second"),
    "minutes": ("دقيقة", "دقيقتان", "دقائق", "minute"),
}
_AGES = (
    (24 * 3600, ("قبل يوم", "قبل يومين", "قبل {} أيام", "قبل {} يومًا"), "day"),
    (3600, ("قبل ساعة", "قبل ساعتين", "قبل {} ساعات", "قبل {} ساعة"), "hour"),
    (60, ("قبل دقيقة", "قبل دقيقتين", "قبل {} دقائق", "قبل {} دقيقة"), "minute"),
)
"""Seconds of a unit; how long ago in Arabic for one, two, three to ten, more; its English name."""
_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def number(count: int, language: str) -> str:
    """Write a number as the language does."""
    return str(count).translate(_DIGITS) if language == "ar" else str(count)


def age(seconds: float, language: str) -> str:
    """Write how long ago something was, in whole days, hours or minutes; less than a minute, or a time to come, is now."""
    length, forms, english = next((unit for unit in _AGES if seconds >= unit[0]), (0, (), ""))
    if not length:
        return "الآن" if language == "ar" else "just now"
    count = int(seconds // length)
    if language != "ar":
        return f"{count} {english}{'' if count == 1 else 's'} ago"
    form = forms[count - 1] if count <= 2 else forms[2 if count <= 10 else 3]
    return form.format(number(count, language))


def duration(seconds: int, language: str) -> str:
    """Write how long to wait: seconds up to a minute, whole minutes above, rounded up."""
    unit, count = ("seconds", max(seconds, 1)) if seconds <= 60 else ("minutes", -(-seconds // 60))
    one, two, few, english = _UNITS[unit]
    if language != "ar":
        return f"{count} {english}{'' if count == 1 else 's'}"
    if count <= 2:
        return one if count == 1 else two
    return f"{number(count, language)} {few if count <= 10 else one}"
