"""The loop of a stage: step → report → measure → save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cocadesk.errors import UserError, tr
from cocadesk.eta import EtaEstimator
from cocadesk.evaluation.retrieval import NotFiniteError
from trainer.checkpoint import RunFolder
from trainer.config import TrainConfig
from trainer.stages.objectives import Objective
from trainer.step import DivergedError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """``done`` of ``total`` of a stage; ``figures`` are losses or dev figures."""

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)


Reporter = Callable[[TrainReport], None]


class Loop:
    """One stage of a run in one process; ``run`` is the folder of its state and curve."""

    def __init__(
        self,
        stage: str,
        objective: Objective,
        run: RunFolder,
        config: TrainConfig,
        report: Reporter,
    ) -> None:
        self._stage = stage
        self._objective = objective
        self._run = run
        self._config = config
        self._report = report
        self._total = objective.state.config.steps
        self._seconds = 0.0
        self._saved = 0
        self._eta = EtaEstimator()

    def run(self) -> dict[str, float]:
        """Trains to the end, from the saved state where there is one; the last figures.

        Raises:
            UserError: the loss is not a number any more; the last saved state stays.
        """
        state = self._objective.state
        try:
            return self._train()
        except (DivergedError, NotFiniteError) as error:
            kept = f"The state of step {self._saved:,} is kept. " if self._saved else ""
            raise UserError(
                tr("The training diverged: its loss is not a number any more."),
                tr(
                    "It happened {where}. {kept}", where=_where(error, state.step), kept=kept
                ).rstrip(),
                tr(
                    "Lower optimiser.learning_rate or raise optimiser.warmup_steps in the config, "
                    "and train into a new run folder."
                ),
            ) from error

    def _train(self) -> dict[str, float]:
        config, state = self._config, self._objective.state
        record = self._run.record()
        if record:
            self._run.load_state(state)
            self._objective.best, self._seconds = float(record["best"]), float(record["seconds"])
            self._run.drop_after(state.step)
            self._saved = state.step
            if state.step == self._total and "figures" in record:
                return dict(record["figures"])
        self._eta = EtaEstimator(state.step)
        while state.step < self._total:
            self._report_step(state.advance(self._objective.passes(state.step)))
            if state.step == self._total:
                break
            if state.step % config.evaluation.every_steps == 0:
                self._measure()
            if state.step % config.checkpoint_steps == 0:
                self._save()
        figures = self._measure()
        self._save(figures)
        return figures

    def _measure(self) -> dict[str, float]:
        step = self._objective.state.step
        self._objective.state.check()
        figures = self._objective.measure()
        if figures:
            self._run.append({"step": step, **figures})
            self._report(TrainReport(stage="dev", done=step, total=self._total, figures=figures))
        return figures

    def _save(self, figures: Mapping[str, float] | None = None) -> None:
        """Keeps the state; ``figures`` are those of a stage that is done."""
        state = self._objective.state
        state.check()  # a state that is no numbers would poison every resume
        seconds = self._seconds + self._eta.seconds
        record = {"best": self._objective.best, "seconds": seconds}
        self._run.save_state(state, record | ({} if figures is None else {"figures": figures}))
        self._saved = state.step

    def _report_step(self, losses: Mapping[str, float]) -> None:
        done = self._objective.state.step
        if done % self._config.report_steps and done != self._total:
            return
        left = self._eta.seconds_left(done, self._total)
        row = {name: round(value, 6) for name, value in losses.items()}
        seconds = round(self._seconds + self._eta.seconds, 1)
        self._run.append({"step": done, "seconds": seconds, **row})
        self._report(
            TrainReport(
                stage=self._stage, done=done, total=self._total, seconds_left=left, figures=row
            )
        )


def _where(error: Exception, step: int) -> str:
    return str(error) if isinstance(error, DivergedError) else f"in step {step:,}"
