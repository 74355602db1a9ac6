"""Loss and accuracy, added up over pictures."""

from __future__ import annotations

from pydantic import BaseModel


class Scores(BaseModel):
    """Sums over the pictures of a step, a chunk or an epoch; training and validation use the same.

    Attributes:
        loss_sum: Of the cross-entropies.
        correct: Pictures whose class was predicted.
        seen: Pictures. Those that fill up the last training batch count as well.
    """

    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0

    @classmethod
    def of_means(cls, loss: float, accuracy: float, seen: int) -> Scores:
        """The sums behind two means."""
        return cls(loss_sum=loss * seen, correct=round(accuracy * seen), seen=seen)

    def add(self, other: Scores) -> None:
        """Add more pictures."""
        self.loss_sum += other.loss_sum
        self.correct += other.correct
        self.seen += other.seen

    @property
    def loss(self) -> float:
        """Mean cross-entropy; 0 without pictures."""
        return self.loss_sum / self.seen if self.seen else 0.0

    @property
    def accuracy(self) -> float:
        """Share of pictures whose class was predicted; 0 without pictures."""
        return self.correct / self.seen if self.seen else 0.0
