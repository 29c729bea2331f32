"""What a site does with a comment: a pure, total and monotone function of everything that is known about it.

What counts against a comment, and what it leads to:

=====================  ==================================================================  ===========================
evidence               when                                                                verdict, reason
=====================  ==================================================================  ===========================
no scores              the scorer was late or failed, or says nothing of spam or abuse     hold, `not_scored`
language               the model does not know it                                          hold, `unknown_language`
spam, abuse, kinds     at or above the output's ``reject`` threshold                       reject, named after the output
spam, abuse, kinds     at or above its ``doubt`` threshold                                 hold, named after the output
reject                 at or above ``doubt``: this site's moderators would reject it       hold, `likely_reject`
banned words           one is found in the text or the author's URL                        as its list says, `banned_word`
links                  more than ``link_limit``                                            hold, `link_limit`
duplicates             others sent the same text within 24 h                               as the policy says, `duplicate`
flood                  the counters say so                                                 hold, `flood`
form                   a field that readers do not see was filled in                       as the policy says, `honeypot`
suspicions             the door it came by found something else: a form sent too fast      hold, named after it
author                 blocked                                                             reject (or hold), `blocked_author`
=====================  ==================================================================  ===========================

The gravest verdict wins and every reason is told. Only with nothing at all against a comment does the mode speak: ``pre``
holds it for approval (`premoderation`) unless the author is trusted; ``post`` publishes it, or holds an unknown author's first
one (`first_comment`) if the site wants that. Trust skips exactly these two; it overrides no doubt and no rejection, for a
trusted name can be forged and a trusted account stolen.

Monotone: a higher score, one more signal, one more banned word or link, a worse standing never lead to a milder verdict.
A score that is missing, not a number or outside [0, 1] is not scored; it is never taken for zero.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from moderation.domain.configuration import JsonReader
from moderation.domain.links import find_links
from moderation.domain.thresholds import (
    LAST_RESORT,
    Thresholds,
    ThresholdTable,
    in_force,
    read_thresholds,
    thresholds_as_json,
)
from moderation.domain.values import Value
from moderation.domain.verdict import OUTPUTS, SUSPICIONS, Assessment, Evidence, Reason, ReasonCode, Verdict
from moderation.domain.word_lists import WordAction, WordList, WordMatcher, read_word_lists, read_words

__all__ = [
    "AuthorRecord",
    "Mode",
    "Policy",
    "Ruling",
    "Signals",
    "Standing",
    "ThresholdTable",
    "Thresholds",
    "WordAction",
    "WordList",
    "decide",
]

MAX_EVIDENCE = 20
"""Places named for one reason."""

_MAX_WHOLE = 1_000_000


class Mode(StrEnum):
    """What becomes of a comment with nothing against it."""

    PRE = "pre"
    """It waits for approval unless its author is trusted."""
    POST = "post"
    """It is published."""


class Standing(StrEnum):
    """What a person at the site said of an author."""

    NONE = "none"
    TRUSTED = "trusted"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class AuthorRecord:
    """What the site holds of an author: a standing, and how many comments a person approved and rejected."""

    standing: Standing = Standing.NONE
    approved: int = 0
    rejected: int = 0


class Signals(Value, frozen=True):
    """What counters know of a submission: others with the same text on this site, and too many in a short time.

    ``suspicions`` (of `SUSPICIONS`) are what the door it came by holds against it.
    """

    duplicates: int = 0
    flood: bool = False
    suspicions: tuple[ReasonCode, ...] = ()

    @classmethod
    def of_reasons(cls, codes: Iterable[ReasonCode]) -> Self:
        """Return what counters and door said, by the reasons of a verdict: how many duplicates there were is not in them."""
        found = frozenset(codes)
        return cls(
            duplicates=int(ReasonCode.DUPLICATE in found),
            flood=ReasonCode.FLOOD in found,
            suspicions=tuple(sorted(found & SUSPICIONS)),
        )


class Ruling(Value, frozen=True):
    """The verdict and every reason for it, those for the verdict itself first."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A site's rules, as version ``version``."""

    version: int
    mode: Mode = Mode.PRE
    thresholds: ThresholdTable | None = None
    """The site's own, before the model's; what it does not name is the model's to say."""
    banned_words: tuple[WordList, ...] = ()
    allowed_words: tuple[str, ...] = ()
    """Words never taken for a banned one."""
    link_limit: int | None = 2
    """Most links in a text; None: any number."""
    trust_after: int | None = 3
    """Approvals by a person after which an author is trusted; each rejection asks for as many again. None: only by hand."""
    hold_first_comment: bool = False
    """In mode ``post``: hold the comment of an author of whom no comment was approved yet."""
    audit_share: float = 0.01
    """Share of automatic verdicts that becomes audit tasks, from 0 to 1."""
    duplicate_action: WordAction = WordAction.HOLD
    duplicate_min_length: int = 25
    """Code points below which a text without links may be said by many: thanks and condolences are no duplicates."""
    honeypot_action: WordAction = WordAction.HOLD
    reject_blocked: bool = True
    """Whether a blocked author's comment is rejected, else held."""
    matcher: WordMatcher = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "matcher", WordMatcher(self.banned_words, self.allowed_words))

    def trusts(self, author: AuthorRecord) -> bool:
        """Tell whether the author's clean comments need no approval."""
        if author.standing is not Standing.NONE:
            return author.standing is Standing.TRUSTED
        return self.trust_after is not None and author.approved >= self.trust_after * (
            1 + max(author.rejected, 0)
        )

    @classmethod
    def from_json(cls, value: Any, version: int) -> Self:
        """Read a stored policy; keys left out keep their defaults. Raises `InvalidConfigurationError` naming every fault.

        ``{"mode": "post", "thresholds": {"ar": {"spam": {"doubt": 0.4, "reject": 0.97}}}, "banned_words":
        [{"name": "insults", "action": "reject", "words": ["…"], "leetspeak": false}], "link_limit": null, …}``
        """
        reader, default = JsonReader(value), cls(version)
        policy = cls(
            version=version,
            mode=reader.choice("mode", default.mode),
            thresholds=read_thresholds(reader, "thresholds"),
            banned_words=read_word_lists(reader, "banned_words"),
            allowed_words=tuple(read_words(reader, "allowed_words")),
            link_limit=reader.whole_or_none("link_limit", default.link_limit, low=0, high=_MAX_WHOLE),
            trust_after=reader.whole_or_none("trust_after", default.trust_after, low=1, high=_MAX_WHOLE),
            hold_first_comment=reader.flag("hold_first_comment", default=default.hold_first_comment),
            audit_share=reader.fraction("audit_share", default.audit_share),
            duplicate_action=reader.choice("duplicate_action", default.duplicate_action),
            duplicate_min_length=reader.whole(
                "duplicate_min_length", default.duplicate_min_length, low=0, high=_MAX_WHOLE
            ),
            honeypot_action=reader.choice("honeypot_action", default.honeypot_action),
            reject_blocked=reader.flag("reject_blocked", default=default.reject_blocked),
        )
        reader.refuse_unknown()
        reader.finish()
        return policy

    def as_json(self) -> dict[str, Any]:
        """Write what `from_json` reads."""
        return {
            "mode": self.mode.value,
            "thresholds": None if self.thresholds is None else thresholds_as_json(self.thresholds),
            "banned_words": [words.as_json() for words in self.banned_words],
            "allowed_words": list(self.allowed_words),
            "link_limit": self.link_limit,
            "trust_after": self.trust_after,
            "hold_first_comment": self.hold_first_comment,
            "audit_share": self.audit_share,
            "duplicate_action": self.duplicate_action.value,
            "duplicate_min_length": self.duplicate_min_length,
            "honeypot_action": self.honeypot_action.value,
            "reject_blocked": self.reject_blocked,
        }


class _Finding(Value, frozen=True):
    """One thing against a comment."""

    verdict: Verdict
    code: ReasonCode
    evidence: tuple[Evidence, ...] = ()


def decide(
    policy: Policy,
    *,
    text: str,
    author_url: str | None,
    author: AuthorRecord,
    assessment: Assessment | None,
    signals: Signals,
    default_thresholds: ThresholdTable,
) -> Ruling:
    """Judge one comment: see the table above. Evidence lies in ``text``; that in ``author_url`` has no place."""
    findings = [
        *_author_findings(policy, author),
        *_score_findings(policy, assessment, default_thresholds),
        *_word_findings(policy, text, author_url),
        *_link_and_signal_findings(policy, text, author_url, signals),
    ]
    if not findings:
        findings = _mode_findings(policy, author)
    if len(findings) > 1:
        findings.sort(key=lambda finding: -finding.verdict.severity)  # stable: the table's order among equals
    verdict = findings[0].verdict if findings else Verdict.APPROVE
    return Ruling(verdict, tuple([Reason(finding.code, finding.evidence) for finding in findings]))


def _author_findings(policy: Policy, author: AuthorRecord) -> Iterator[_Finding]:
    if author.standing is Standing.BLOCKED:
        yield _Finding(Verdict.REJECT if policy.reject_blocked else Verdict.HOLD, ReasonCode.BLOCKED_AUTHOR)


def _score_findings(
    policy: Policy, assessment: Assessment | None, default_thresholds: ThresholdTable
) -> Iterator[_Finding]:
    if assessment is None:
        yield _Finding(Verdict.HOLD, ReasonCode.NOT_SCORED)
        return
    scores = assessment.scores
    if not assessment.is_known_language:
        yield _Finding(Verdict.HOLD, ReasonCode.UNKNOWN_LANGUAGE)
    elif _probability(scores.spam) is None or _probability(scores.abuse) is None:
        yield _Finding(Verdict.HOLD, ReasonCode.NOT_SCORED)
    thresholds = in_force(assessment.language, default_thresholds, policy.thresholds or {})
    for output, score in zip(OUTPUTS, scores.as_list(), strict=True):
        if score is None or not 0 <= score <= 1:  # NaN is none of these
            continue
        limits = thresholds.get(output, LAST_RESORT)
        # That moderators would likely reject it is never sure enough to do it for them.
        if limits.reject is not None and score >= limits.reject and output != "reject":
            yield _Finding(Verdict.REJECT, _CODES[output])
        elif limits.doubt is not None and score >= limits.doubt:
            yield _Finding(Verdict.HOLD, _CODES[output])


_CODES = {
    output: ReasonCode.LIKELY_REJECT if output == "reject" else ReasonCode(output) for output in OUTPUTS
}


def _probability(score: float | None) -> float | None:
    """Return the score, or None for what is no probability (NaN among it)."""
    return score if score is not None and 0 <= score <= 1 else None


def _word_findings(policy: Policy, text: str, author_url: str | None) -> Iterator[_Finding]:
    if not policy.banned_words:
        return
    in_text = policy.matcher.find(text)
    in_url = policy.matcher.find(author_url) if author_url else ()
    actions = {match.action for match in (*in_text, *in_url)}
    if actions:
        gravest_first = sorted(in_text, key=lambda match: match.action is not WordAction.REJECT)
        evidence = tuple(Evidence(m.start, m.end, "banned_word", 1.0) for m in gravest_first[:MAX_EVIDENCE])
        verdict = Verdict.REJECT if WordAction.REJECT in actions else Verdict.HOLD
        yield _Finding(verdict, ReasonCode.BANNED_WORD, evidence)


def _link_and_signal_findings(
    policy: Policy, text: str, author_url: str | None, signals: Signals
) -> Iterator[_Finding]:
    links = list(find_links(text)) if policy.link_limit is not None or signals.duplicates > 0 else []
    if policy.link_limit is not None and len(links) > policy.link_limit:
        evidence = tuple(Evidence(link.start, link.end, "link", 1.0) for link in links[:MAX_EVIDENCE])
        yield _Finding(Verdict.HOLD, ReasonCode.LINK_LIMIT, evidence)
    is_telling = len(text) >= policy.duplicate_min_length or bool(links or author_url)
    if signals.duplicates > 0 and is_telling:
        yield _Finding(Verdict(policy.duplicate_action.value), ReasonCode.DUPLICATE)
    if signals.flood:
        yield _Finding(Verdict.HOLD, ReasonCode.FLOOD)
    for code in signals.suspicions:
        is_trap = code is ReasonCode.HONEYPOT
        yield _Finding(Verdict(policy.honeypot_action.value) if is_trap else Verdict.HOLD, code)


def _mode_findings(policy: Policy, author: AuthorRecord) -> list[_Finding]:
    if policy.trusts(author):
        return []
    if policy.mode is Mode.PRE:
        return [_Finding(Verdict.HOLD, ReasonCode.PREMODERATION)]
    if policy.hold_first_comment and author.approved <= 0:
        return [_Finding(Verdict.HOLD, ReasonCode.FIRST_COMMENT)]
    return []
