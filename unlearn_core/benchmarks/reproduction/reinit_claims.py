"""The claims of stochastic re-initialisation (Ahn et al., 2023)."""

from unlearn_core.benchmarks.ablation_section import noise_sentence
from unlearn_core.benchmarks.reproduction.paper_claim import (
    LADDER,
    LADDER_PRINTED,
    ON_CLASS,
    ON_LADDER,
    REPORT,
    REPRODUCE,
    RESULTS,
    RUN,
    PaperClaim,
    Work,
)

FIRST = (
    f"{noise_sentence()} The original has hardly memorised its training images either, so there is little to "
    "forget. The published figures are from 512 models of a ResNet-18 on faces: only directions can be compared."
)
CLAIMS = (
    PaperClaim(
        "Re-initialisation beats fine-tuning",
        "Fine-tuning scores 0.0496; with layers re-initialised at random it scores 0.0617.",
        REPORT,
        ("ladder-+ random re-initialisation",),
        ON_LADDER,
        (LADDER,),
    ),
    PaperClaim(
        "Random layers beat layers chosen by Fisher information",
        "Layers drawn at random score 0.0617, those that matter most to the forget set 0.0486.",
        REPORT,
        ("ladder-Fisher-chosen instead", "reinit-cat-by Fisher"),
        f"{ON_LADDER}; and {ON_CLASS}",
        (LADDER, RESULTS),
    ),
    PaperClaim(
        "Noise on the images helps",
        "Gaussian noise raises the score from 0.0617 to 0.0653.",
        REPORT,
        (
            "ladder-+ Gaussian noise",
            "ladder-0.01-+ Gaussian noise",
        ),
        ON_LADDER,
        (
            LADDER,
            LADDER_PRINTED,
        ),
        note="The report prints 0.01; 0.1 is the same number read as a variance.",
    ),
    PaperClaim(
        "Distilling logits beats training on labels",
        "The squared distance of logits (MSE) instead of cross-entropy (CE) raises the score from 0.0653 to 0.0680.",
        REPORT,
        (
            "ladder-MSE instead of CE",
            "ladder-0.01-MSE instead of CE",
        ),
        ON_LADDER,
        (
            LADDER,
            LADDER_PRINTED,
        ),
    ),
    PaperClaim(
        "Three cycles beat one",
        "Three cycles raise the score from 0.0680 to 0.0856.",
        REPORT,
        ("ladder-three cycles", "ladder-0.01-three cycles", "reinit-cat-one cycle"),
        f"{ON_LADDER}; and {ON_CLASS}",
        (LADDER, LADDER_PRINTED, RESULTS),
    ),
    PaperClaim(
        "Head and shortcuts are left out",
        "Excluding both from re-initialisation raises the score from 0.0856 to 0.0969.",
        REPORT,
        ("ladder-without head and shortcuts", "ladder-0.01-without head and shortcuts", "reinit-cat-nothing excluded"),
        f"{ON_LADDER}; and {ON_CLASS}",
        (LADDER, LADDER_PRINTED, RESULTS),
    ),
    PaperClaim(
        "Gradient ascent fails, fine-tuning does better",
        "NegGrad scores 0.0001, fine-tuning 0.0464 to 0.0496.",
        REPORT,
        ("ladder-fine-tune",),
        ON_LADDER,
        (LADDER,),
    ),
    PaperClaim(
        "The whole method beats fine-tuning",
        "The whole method scores 0.0935 ± 0.0060, at best 0.1024, and fine-tuning 0.0464 ± 0.0031.",
        REPORT,
        (
            "ladder-whole",
            "ladder-0.01-whole",
        ),
        ON_LADDER,
        (
            LADDER,
            LADDER_PRINTED,
        ),
        missing="the two published algorithms (presets `paper-1` and `paper-2`)",
    ),
    PaperClaim(
        "Only knowledge of the retain set is preserved",
        "Re-initialisation removes what the drawn layers know, and distillation on the retain set preserves only what "
        "the original knows of that.",
        "the method's idea, in the report",
        ("reinit-images-teacher", "reinit-images-weights"),
        "ResNet-20, 10,000 images of CIFAR-10, the standard requests of 200 and 16 images, seeds 0 to 4 as far as the "
        "number of runs says",
        (f"{REPRODUCE} --work reinit-images", RESULTS),
    ),
    PaperClaim(
        "No forget images",
        "The forget set is not used.",
        "report",
        ("reinit-without-forget",),
        "the code",
        (".venv/bin/python -m pytest tests/contracts/test_methods.py",),
        note="Choosing layers by Fisher information is an ablation, and uses forget images.",
    ),
    PaperClaim(
        "Other choices score less",
        "Single weights instead of layers score 0.0575 instead of 0.0856, absolute instead of squared distances "
        "0.0326, vertical flips 0.02505, and random crops or cut-out 0.00001.",
        REPORT,
        (),
        "nothing",
        (
            f"{RUN} --forget-classes cat --method reinit --set granularity=weights",
            f"{RUN} --forget-classes cat --method reinit --set loss=l1",
        ),
        missing="all of it: these commands compare by distance to the retrained model; for the score it needs a step "
        "of its own in `unlearn_core/benchmarks/ablation.py`",
        note="The preset `bundled` crops and flips images, which the report found harmful.",
    ),
    PaperClaim(
        "Logits are distributed as in retrained models",
        "Histograms of logits on the forget and the retain set resemble those of retrained models.",
        "report",
        (),
        "single reports only",
        (f"{RUN} --forget-classes cat --method reinit --out cat", "python -m unlearn_core report cat --out cat.html"),
        missing="all of it over seeds",
    ),
)
REINIT = Work("reinit", FIRST, CLAIMS)
