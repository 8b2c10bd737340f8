"""The claims of L2UL (Cha et al., 2024)."""

from unlearn_core.benchmarks.reproduction.paper_claim import (
    ON_IMAGES,
    REPRODUCE_L2UL,
    RESULTS,
    RUN,
    PaperClaim,
    Work,
)
from unlearn_core.benchmarks.results import CLASSIFIER
from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.domain.forget_request import ForgetImages
from unlearn_core.models import classifiers

FIRST = (
    "On the standard requests all variants run with the hyperparameters that were chosen for ADV+IMP, so NegGrad and "
    "ADV may be at a disadvantage. On the draws of 16 images each safeguard has its own learning rate, and settings "
    "are compared draw by draw. The model is small, and the attack's radius, the learning rate and the weight of the "
    "forget set are far from the paper's. The tables of the paper could not be read, so only its claims in words stand "
    "here."
)

FRONTIER = "python -m unlearn_core reproduce --work l2ul-frontier"
MORE_IMAGES = ("0", "0-63", "0-255")
ON_DRAWS = "draws of 16 images that nothing was tuned on"


def _claims() -> tuple[PaperClaim, ...]:
    dataset = datasets.card(classifiers.card(CLASSIFIER).dataset)
    few = standard_requests(dataset)["16-pictures"]
    assert isinstance(few, ForgetImages)
    on_few = f"{RUN} --forget-images {','.join(map(str, few.images))} --method l2ul"
    return (
        PaperClaim(
            "No forget image is classified correctly",
            "Each variant runs until accuracy on the forget set is 0.",
            "the stopping rule in the authors' code",
            ("l2ul-forget-16", "l2ul-forget-200"),
            ON_IMAGES,
            (RESULTS,),
            note="With 200 images, ADV and ADV+IMP reach their maximum of steps first.",
        ),
        PaperClaim(
            "ADV+IMP retains more than ADV",
            "Weight importance protects what adversarial images alone do not.",
            "public summary, and the authors' code",
            ("l2ul-ADV+IMP-16", "l2ul-ADV+IMP-200", "l2ul-misclassify-adv-imp-adv"),
            f"{ON_IMAGES}, and {ON_DRAWS}",
            (REPRODUCE_L2UL, FRONTIER, RESULTS),
        ),
        PaperClaim(
            "ADV retains more than NegGrad",
            "Adversarial images preserve the decision boundaries that gradient ascent destroys.",
            "public summary, and the authors' code",
            ("l2ul-ADV-16", "l2ul-ADV-200", "l2ul-misclassify-adv-none"),
            f"{ON_IMAGES}, and {ON_DRAWS}",
            (REPRODUCE_L2UL, FRONTIER, RESULTS),
        ),
        PaperClaim(
            "No retained images",
            "The owner has the trained model and the forget set only.",
            "the paper's setting",
            ("l2ul-without-retain",),
            "the code",
            (".venv/bin/python -m pytest tests/contracts/test_methods.py",),
        ),
        PaperClaim(
            "Relabelling, and training on retained images too",
            "A second goal trains a wrong label for each image; with retained images (oracle) it is an upper bound.",
            "public summary; the figures could not be read",
            ("l2ul-oracle-relabel", "l2ul-oracle-misclassify"),
            ON_DRAWS,
            (FRONTIER, f"{on_few} --preset relabel", f"{on_few} --preset oracle"),
        ),
        PaperClaim(
            "Successive requests",
            "Requests can follow each other, each from the result of the one before.",
            "abstract; how it was measured could not be read",
            (),
            "nothing",
            (
                'python -c "import unlearn_core as lab; '
                "first = lab.unlearn(lab.spec('resnet20', images=range(16), method='l2ul')); "
                "lab.unlearn(lab.spec('resnet20', images=range(16, 32), method='l2ul', start=first.run))\"",
            ),
            missing="all of it",
        ),
        PaperClaim(
            "Other numbers of images, models and data sets",
            "It was run with 1, 16, 64, 128 and 256 images on CIFAR-10, CIFAR-100, ImageNet and UTKFace, with "
            "ResNet-18, ResNet-50 and a vision transformer.",
            "the authors' code; the figures could not be read",
            (),
            "CIFAR-10 and ResNet-20 only: 16 and 200 images as above, and the other numbers as far as the tables of "
            "[RESULTS.md](../RESULTS.md) have them",
            (FRONTIER, *(f"{RUN} --forget-images {images} --method l2ul --preset paper" for images in MORE_IMAGES)),
            missing="other data sets and models, and what the paper found for each number",
        ),
    )


def l2ul() -> Work:
    """Return the work; its commands name the images of the standard request."""
    return Work("l2ul", FIRST, _claims())
