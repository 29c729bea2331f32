"""The same words in civil and in abusive use, and identity terms in plain sentences; none of them is trained on."""

# (what the pair is about, civil, abusive)
PAIRS = [
    ("dog", "عضني كلب ضال قرب المدرسة وذهبت إلى المستوصف", "اسكت يا كلب يا ابن الكلب"),
    ("donkey", "باع جدي الحمار واشترى جرارا للأرض", "انت حمار وما تفهم في شي"),
    ("pig", "تربية الخنزير ممنوعة في بلدنا لأسباب دينية", "يا خنزير يا نجس روح من هنا"),
    ("shoe", "اشتريت حذاء جديدا من السوق القديم بسعر معقول", "انت حذاء وابن حذاء يا واطي"),
    ("killing", "قتل ثلاثة جنود في هجوم على الحاجز صباح اليوم", "سأقتلك يا حقير وأقتل كل عائلتك"),
    ("burning", "احترق المصنع بالكامل ولم تصل سيارات الإطفاء", "الله يحرقك يا قذر انت واللي خلفوك"),
    ("garbage", "أكوام الزبالة في شارعنا منذ أسبوع والبلدية نائمة", "انت زبالة وتعليقك أزبل منك يا تافه"),
    ("stupidity", "من الغباء أن نكرر نفس الخطأ في كل صيف", "غبي ومتخلف وابن متخلف"),
    ("mother", "أمي بكت عندما شاهدت صور الأطفال تحت الركام", "كس امك يا منيوك"),
    ("monkey", "شاهدنا القرود في حديقة الحيوان مع الأولاد", "وجهك وجه قرد يا عبد يا وسخ"),
    ("dog-en", "A stray dog followed us home and the kids named it Biscuit", "shut up you filthy dog"),
    ("pig-en", "The pig farm next to the river was closed by the court", "you disgusting fat pig"),
    ("kill-en", "The flood killed eleven people in the valley", "I will kill you, you worthless scum"),
    ("trash-en", "The trash has not been collected for two weeks", "you are trash and so is your mother"),
    ("stupid-en", "It was a stupid mistake and the pilot admitted it", "you stupid moron, learn to read"),
    ("ass-en", "The donkey, or ass, was domesticated in Africa", "kiss my ass you dumb clown"),
    (
        "sick-en",
        "My sick mother waited nine hours in the emergency room",
        "you are sick in the head, you freak",
    ),
    ("clown-en", "The hospital clown made the children laugh", "what a pathetic clown you are, loser"),
]

IDENTITY_TEMPLATES_AR = [
    "تحدثت أمس مع جاري وهو {} وقال إن الأسعار ترهقه",
    "في مدينتنا عائلات كثيرة من ال{} منذ مئات السنين",
    "كتب الصحفي مقالا عن تاريخ ال{} في المنطقة",
    "من حق ال{} أن يعيشوا بأمان مثل غيرهم",
]
IDENTITY_TERMS_AR = [
    "مسلمين", "مسيحيين", "يهود", "شيعة", "سنة", "أكراد", "أمازيغ", "سوريين", "فلسطينيين", "مصريين", "سود", "أقباط",
    "دروز", "نساء", "لاجئين", "أتراك", "إيرانيين", "أجانب", "ملحدين", "بدو",
]  # fmt: skip
IDENTITY_TEMPLATES_EN = [
    "My neighbour is {} and he has lived here for thirty years",
    "The article describes the daily life of {} people in the north",
    "Many {} families came to this town in the fifties",
    "There was a vigil by {} groups in front of the town hall",
]
IDENTITY_TERMS_EN = [
    "Muslim", "Jewish", "Christian", "black", "white", "gay", "lesbian", "transgender", "Arab", "Palestinian", "Israeli",
    "Mexican", "Chinese", "Indian", "immigrant", "disabled", "deaf", "Catholic", "atheist", "Kurdish",
]  # fmt: skip
