"""What a processing step is: a function of a survey that returns the changes and a sentence on them."""

from abc import ABC, abstractmethod

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments, Traces


class Step(Declaration, ABC):
    """A step of `Survey.process`."""

    @abstractmethod
    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        """The changed arguments of the Survey, and a sentence for the record."""

    def traces_of(self, survey: Recording) -> Traces:
        """The traces that this step works on. Raises: DeclarationError for spectra."""
        return survey.as_traces(f"traces for {type(self).__name__}")

    def whole_traces_of(self, survey: Recording) -> Traces:
        """The same without a window: outside a window samples are zero, and a filter would smear its edge."""
        traces = self.traces_of(survey)
        if traces.window is not None:
            raise DeclarationError(
                f"{type(self).__name__} comes after a time window of {survey.name!r}, and would smear its edges; put it "
                "before TimeWindow and Gain"
            )
        return traces
