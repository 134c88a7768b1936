"""The errors and warnings a user meets: every message names the value, the rule and the way out."""


class DeclarationError(ValueError):
    """Something was declared that cannot be: raised where it is declared, before any work starts."""


class DeclarationWarning(UserWarning):
    """Something was declared that can be, but is probably not what was meant."""


class StorageWarning(UserWarning):
    """Something could not be kept on the disk: the work goes on without it."""


class StorageError(DeclarationError):
    """A file that cannot be read as what was asked for: foreign, damaged, newer, too large, or lacking a part."""
