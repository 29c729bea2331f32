"""The moderators' console: a thin shell rendered here, and plain JavaScript modules that call the same API as everybody.

The way in (`entrance`, `visits`) and the serving of pages and files (`pages`) are one half, what stands in `templates/`,
`static/` and `words` the other; this is what the two agree on.

**Every template** is rendered with autoescape and has

- ``language`` (``ar`` or ``en``), ``direction`` (``rtl`` or ``ltr``), ``other`` (the other language's code),
- ``words``: a mapping from key to the words of `words.WORDS` in ``language``; a missing key is an error, and a test holds the two
  languages to each other,
- ``static(name)``: the address of a file in `static/`, with a hash of the file that lets browsers keep it,
- ``here``: the page's own address for links to the other language (``{{ here }}?lang={{ other }}``, or ``&lang=`` after a ``?``).

``sign_in.html`` (``GET|POST /console/sign-in``; the form posts ``email``, ``password``, ``next`` to ``/console/sign-in``) has

- ``next``: where to go then, a path of ours, for a hidden field,
- ``email``: what was typed, to be shown again; the password never is,
- ``fault``: None, or the key of `words` that says what went wrong: ``fault_wrong`` (unknown e-mail, wrong password, no password
  yet, disabled: all alike), ``fault_throttled``, ``fault_origin``, ``fault_unavailable``,
- ``said``: None, or the key of what brought somebody here: ``session_ended``, ``session_ended_unsent``,
- ``wait``: with ``fault_throttled``, how long to wait, in words of ``language``; else None,
- ``is_insecure``: whether the address is plain http on another machine, where the session's cookie would not be kept.

``welcome.html`` (``GET|POST /console/welcome/{token}``; the form posts ``password``, ``again`` to its own address) has

- ``is_good``: False for a link that was used, replaced or is older than 7 days: then there is no form,
- ``fault``: None, or ``password_too_short``, ``password_too_long``, ``password_is_email``, ``password_differs``, ``fault_origin``,
  ``fault_unavailable``,
- ``wait`` (always None), ``is_insecure``: as above; ``shortest``: the fewest characters a password may have.

``desk.html`` (``GET /console/``, ``/console/comments/{id}``, ``/console/search``: one page, whose modules go by the path) has

- ``csrf``: the value that every unsafe call of the API sends as ``X-CSRF-Token``; put it into ``<meta name="csrf-token">``; a
  form that posts to ``/console/sign-out`` sends it as the field ``csrf_token`` (and ``everywhere=1`` to end all sessions),
- ``person``: ``id``, ``name`` (None where nobody gave one; their e-mail address is never on the page),
- ``desk_words(language)``: the words of `desk_words.DESK_WORDS`, which the modules read from the page,
- ``modules``: the addresses of all modules, so that the browser need not find one through the other.

``sessions.html`` (``GET|POST /console/sessions``; a form posts ``session`` and ``csrf_token`` to the same address, and needs no script) has

- ``csrf``: as above; ``stays``: a list of ``id``, ``device`` (empty where unknown), ``is_this``, and ``seen`` and ``began`` in words.

``code.html`` (after ``POST /console/sign-in`` with a right password; the form posts ``ticket``, ``next`` and ``code`` or ``recovery`` to
``/console/sign-in/code``) has ``ticket``, ``next``, ``fault`` (None, ``fault_code``, ``fault_throttled``, ``fault_unavailable``), ``wait``.

``second_factor.html`` (``GET|POST /console/second-factor``; its forms post ``do`` (``set``, ``renew``, ``remove``), ``code``, and
``csrf_token`` or, of somebody who has no session yet, ``ticket`` and ``next``; no script is needed) has

- ``offer``: None for somebody who has a second factor, else ``secret``, ``picture`` (an SVG), ``sealed`` (to be sent back as ``offer``),
- ``csrf`` or ``ticket``, the other empty; ``next``; ``since`` in words; ``left``: recovery codes; ``may_remove``; ``wait``,
- ``fault``: as above, or ``fault_offer``: the offer was over, and this is another.

``recovery_codes.html`` has ``codes`` and ``next``. ``number(n)`` writes a number in the page's language.

``no_page.html`` (``GET /console/…`` that leads nowhere, asked for by a browser) has nothing more.

Calls go to the same origin with the cookie (``fetch`` does so by itself), ``Accept-Language`` set to ``language``, and never an
``Authorization``. A 401 means that the session is over: send the browser to ``/console/sign-in?next=…``. A 403 whose ``detail``
speaks of the console's own pages means that the CSRF value is of another session: `static/api.js` takes the one of now.

The Content-Security-Policy allows scripts, styles, fonts, images (and ``data:`` ones) and connections of our own origin alone: no
inline script or style, no event handler in markup, no ``style=``. `require-trusted-types-for 'script'` is set: no ``innerHTML``.
"""
