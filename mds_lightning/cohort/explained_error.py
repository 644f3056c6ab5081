"""The base of errors whose message has two parts: the finding and the remedy."""


class ExplainedError(ValueError):
    """An error for users; its text is `finding: remedy`.

    Attributes:
        finding: What is wrong, and where.
        remedy: What to do about it; '' if the finding says so itself.
    """

    def __init__(self, finding: str, remedy: str = "") -> None:
        super().__init__(f"{finding}: {remedy}" if remedy else finding)
        self.finding = finding
        self.remedy = remedy
