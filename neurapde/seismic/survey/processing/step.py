"""What a step of processing is: a function of a survey that gives what changes and a sentence on it."""

from abc import ABC, abstractmethod

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments, Traces


class Step(Declaration, ABC):
    """Something that `Survey.process` does."""

    @abstractmethod
    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        """The arguments of the Survey that change, and what was done, for the record."""

    def traces_of(self, survey: Recording) -> Traces:
        """The traces that this step works on. Raises: DeclarationError for spectra."""
        return survey.as_traces(f"traces for {type(self).__name__}")

    def whole_traces_of(self, survey: Recording) -> Traces:
        """The same, not yet in a window: what is outside of one is zero, and a filter would smear its edge."""
        traces = self.traces_of(survey)
        if traces.window is not None:
            raise DeclarationError(
                f"{type(self).__name__} comes after a time window of {survey.name!r}, and would smear its edges; put it "
                "before TimeWindow and Gain"
            )
        return traces
