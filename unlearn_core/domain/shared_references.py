"""Publications that introduced several methods."""

from unlearn_core.domain.method import Reference

ETERNAL_SUNSHINE = Reference(
    "Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020", "https://arxiv.org/abs/1911.04933"
)
UNBOUNDED_UNLEARNING = Reference(
    "Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023", "https://arxiv.org/abs/2302.09880"
)
