"""What can go wrong in this library.

ClassifierError
 ├─ ArtifactTamperedError      a file of the artefact is missing, altered or unexpected
 ├─ ArtifactIncompatibleError  whole, but not for this version of the code
 └─ DatasetError               rows that cannot be read; the message names the file and the line
"""


class ClassifierError(Exception):
    """Root of this package's errors; its message never holds comment text."""


class ArtifactTamperedError(ClassifierError):
    """A file of the artefact is missing, altered, or not named by its manifest."""


class ArtifactIncompatibleError(ClassifierError):
    """The artefact is whole but was made for another format or other feature tables."""


class DatasetError(ClassifierError):
    """A data file cannot be read; the message names the file, the line and the reason."""
