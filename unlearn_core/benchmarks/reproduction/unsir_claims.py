"""The claims of UNSIR (Tarun et al., 2023)."""

from unlearn_core.benchmarks.reproduction.paper_claim import (
    ON_CLASS,
    REPRODUCE,
    RESULTS,
    RUN,
    SUMMARY,
    PaperClaim,
    Work,
)

FIRST = (
    "At the learning rates of the preset `bundled`, training without the class forgets it in any case, so lower rates "
    "show what the noise does. Figures in the published setting are of single runs."
)
CLAIMS = (
    PaperClaim(
        "One class of CIFAR-10",
        "On a ResNet-18, accuracy falls from 81.01 to 0 % on the forgotten class, and from 77.86 to 71.06 % on the "
        "others.",
        SUMMARY,
        ("unsir-forget-cifar10", "unsir-retain-cifar10", "unsir-classes"),
        "torchvision's ResNet-18, all of CIFAR-10, preset `paper`, airplane, seed 0, one run; and ResNet-20, 10,000 "
        "images, preset `bundled`, each of the ten classes, seed 0",
        (REPRODUCE, RESULTS),
        note="The paper does not name the class, and its training recipe is another.",
    ),
    PaperClaim(
        "Twenty classes of CIFAR-100",
        "On a pretrained ResNet-18, accuracy on the retained classes falls from 77.88 to 75.38 %.",
        SUMMARY,
        ("unsir-retain-cifar100",),
        "torchvision's ResNet-18 trained from scratch, all of CIFAR-100, preset `paper`, the first twenty classes, "
        "seed 0, one run",
        (REPRODUCE,),
        missing="a pretrained ResNet-18, which begins at 78 %",
        note="The pretrained weights are not available, so the original is much weaker here.",
    ),
    PaperClaim(
        "One person of VGGFace-100",
        "On a ResNet-18, accuracy falls to 3 % on the forgotten person, and from 80.63 to 72.29 % on the others.",
        SUMMARY,
        (),
        "nothing: its faces are not here",
        (
            "python -m unlearn_core datasets add zip --file vggface100.zip --name vggface100",
            "python -m unlearn_core train --classifier resnet18_torchvision --dataset vggface100",
            "python -m unlearn_core run --classifier CLASSIFIER --forget-classes PERSON --method unsir --preset paper",
        ),
        missing="all of it",
    ),
    PaperClaim(
        "The noise impairs the class",
        "Noise images that maximise the loss, labelled as the class, make the model forget it (impair); training on "
        "retained images then restores the rest (repair).",
        "the method's three stages, in the paper and the authors' notebook",
        ("unsir-learned-none", "unsir-learned-random", "unsir-noise"),
        "ResNet-20, 10,000 images of CIFAR-10, ten classes: learned, random and no noise at six learning rates, as far "
        "as the number of runs says, and the presets `bundled` and `no-noise`",
        (f"{REPRODUCE} --work unsir-noise", REPRODUCE, RESULTS),
        missing="the published setting without noise, and with 60 and 256 images",
        note="Hardly anything is left with or without noise at the rates of `bundled`, which are twice as high. The "
        "notebook shows three of its 256 noise images again and again; here all are shown.",
    ),
    PaperClaim(
        "Several classes at once",
        "Several classes are forgotten by one impair and one repair, and repair gets better the more classes go (2, 4 "
        "and 7 of CIFAR-10, 20 and more of CIFAR-100).",
        "public summary",
        ("unsir-three-classes", "unsir-forget-cifar100"),
        "ResNet-20, 10,000 images of CIFAR-10, automobile, cat and ship, seeds 0 to 2; and CIFAR-100 as above",
        (REPRODUCE,),
        missing="whether repair gets better the more classes go",
    ),
    PaperClaim(
        "No forget images",
        "The forget set is never used (zero glance).",
        "the paper's setting",
        ("unsir-without-forget",),
        "the code",
        (".venv/bin/python -m pytest tests/contracts/test_methods.py",),
    ),
    PaperClaim(
        "Faster than retraining",
        "It is 154 times faster than retraining and 1,875 times faster than Fisher forgetting.",
        "public summary",
        ("unsir-faster-1", "unsir-faster-154"),
        ON_CLASS,
        (RESULTS,),
        missing="the factor over Fisher forgetting in the published setting",
        note="The factor depends on the recipe of retraining. Seconds were measured beside other work, so sample "
        "passes are compared.",
    ),
    PaperClaim(
        "Relearn time, weight distance and predictions",
        "Relearn time and the distance of each layer from the original, beside a retrained model, show that the class "
        "is forgotten, and predictions for it spread over the retained classes.",
        "public summary",
        (),
        "single reports only, such as the example of the start page: no table over classes and seeds",
        (
            REPRODUCE,
            f"{RUN} --forget-classes cat --method unsir --out cat",
            "python -m unlearn_core report cat --out cat.html",
        ),
        missing="all of it over classes and seeds",
        note="A weight distance grows with any noise, and is no evidence of forgetting by itself.",
    ),
    PaperClaim(
        "Other models and requests",
        "Its tables also have All-CNN, MobileNetV2 and a vision transformer, successive requests, other shares of the "
        "retain set, and repeated repair.",
        "public summary; the figures could not be read",
        (),
        "nothing",
        (
            "python -m unlearn_core train --classifier all_cnn --dataset cifar10-sample",
            "python -m unlearn_core train --classifier mobilenet_v2 --dataset cifar10-sample",
            "python -m unlearn_core train --classifier vit_tiny --dataset cifar10-sample",
            "python -m unlearn_core run --classifier CLASSIFIER --forget-classes cat --method unsir --preset paper",
        ),
        missing="all of it",
    ),
)
UNSIR = Work("unsir", FIRST, CLAIMS)
