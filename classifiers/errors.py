"""What can go wrong in this library.

ClassifierError
 ├─ ArtifactTamperedError      a file of the artefact is missing, altered or unexpected
 ├─ ArtifactIncompatibleError  whole, but not for this version of the code
 ├─ DatasetError               rows that cannot be read; the message names the file and the line
 │   ├─ DoubtfulColumnError    a column taken for a label holds more than yes and no
 │   └─ LabelsError            rows that can be read and cannot be learned from
 ├─ ForeignReportError         what lies in a report.json is no report of this program's
 ├─ OutputBusyError            another retraining writes to the same folder
 └─ OutputRefusedError         the folder to write to holds something else than a model
"""

from collections.abc import Callable

_WORDS_AS_THEY_ARE = frozenset({"file", "column", "columns", "kinds", "encoding", "error"})
"""What an error's sentence quotes: a column named `spam` is called so in every language."""


class ClassifierError(Exception):
    """Root of this package's errors; its message never holds comment text.

    A sentence with named places is given with what fills them; `words` says it in another language.
    """

    def __init__(self, sentence: str = "", **fields: str | float) -> None:
        super().__init__(sentence.format(**fields) if fields else sentence)
        self.sentence = sentence
        self.fields = fields

    def words(self, say: Callable[[str], str]) -> str:
        """Return the sentence as `say` says it, and what fills it but for the names of somebody's files and columns."""
        said = {
            name: say(one) if isinstance(one, str) and name not in _WORDS_AS_THEY_ARE else one
            for name, one in self.fields.items()
        }
        return say(self.sentence).format(**said) if said else say(self.sentence)


class ArtifactTamperedError(ClassifierError):
    """A file of the artefact is missing, altered, or not named by its manifest."""


class ArtifactIncompatibleError(ClassifierError):
    """The artefact is whole but was made for another format or other feature tables."""


class DatasetError(ClassifierError):
    """A data file cannot be read; the message names the file, the line and the reason."""


class NoTextError(DatasetError):
    """A record of a data file has no text; those around it may have one."""


class DoubtfulColumnError(DatasetError):
    """A column that was taken for a label holds more than yes and no, so no row of its file can be trusted."""


class LabelsError(DatasetError):
    """Labels that cannot be learned from: none, of one kind only, too few.

    `code` is stable: no_labels, one_sided_labels, too_few_labels.
    """

    def __init__(self, code: str, sentence: str, **fields: str | float) -> None:
        super().__init__(sentence, **fields)
        self.code = code


class OpinionsError(ClassifierError):
    """A teacher's opinions are about other rows, or other folds, than those of a training of the shipped model."""


class ForeignReportError(ClassifierError):
    """What lies in a `report.json` is no report of this program's retraining; the message says where it differs."""


class OutputBusyError(ClassifierError):
    """Another retraining writes to the same folder."""


class OutputRefusedError(ClassifierError):
    """The folder to write to holds something else than a model, and is left as it is."""
