"""What the page Playground explains: what moves, and what the retrained boundary is for."""

import streamlit as st

INTRODUCTION = (
    "A small network has learned these points. **Circle some of them, or press a class**, and watch it forget. The "
    "dotted line is the boundary of a **retrained model**, which never saw them: good unlearning ends there."
)

_PARTS = {
    "What is the retrained boundary for?": (
        "Unlearning should leave a model as if it had never seen the forgotten points. That model can be made: train "
        "the same network again, without them. For large models this takes long, which is why there are faster "
        "methods; here it takes a second. So the dotted line shows where a method *should* end.\n\n"
        "It is not always far away. If you circle a few points among many of their own class, the retrained model "
        "still predicts them correctly, because their neighbours teach the same. A method that gets them wrong has "
        "forgotten *too much*. And where there are no points, nothing decides between two retrained models: look at "
        "the lines among the points, not at the edges."
    ),
    "What am I looking at?": (
        "Colours show the predicted class at each place of the plane, strong where the network is sure. The solid line "
        "is the decision boundary now, the dashed grey one is that of the original model. Hollow points are the forget "
        "set. Diamonds are points that the method makes: the noise of UNSIR, whose third coordinate is not drawn, or "
        "the adversarial points of L2UL.\n\n"
        "Every frame is from a real run of the method's own code on this server, on a perceptron with two hidden "
        "layers of 48. Accuracies are on test points that it never trained on; those of single forgotten points, and "
        "of points that you drew, are on the training points themselves. The same settings and seed give the same run."
    ),
}


def show() -> None:
    """The explanations, folded."""
    for title, text in _PARTS.items():
        with st.expander(title):
            st.markdown(text)
