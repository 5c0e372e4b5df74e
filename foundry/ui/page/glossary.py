"""The terms of the page in words that a student understands, and which one is behind each knob."""

GLOSSARY = {
    "Accuracy": "The share of examples that the model gets right. 99% on 10,000 test images means "
    "100 mistakes.",
    "Adversarial training": "Learning from images that were changed on purpose to fool the model. "
    "Epsilon says by how much each pixel may change, from 0 (off) to 1 (black to white).",
    "Attack": "Changing a picture on purpose, by so little that people read it as before and the "
    "model does not. FGSM takes one step against the answer, PGD many small ones; epsilon says how "
    "far each pixel may go.",
    "Augmentation": "Showing every training image slightly turned, moved or scaled. The model "
    "sees more variety than there are images and learns what does not matter.",
    "Batch size": "How many images the model looks at before it changes its weights once. Large "
    "batches are faster and steadier, small ones make more updates in an epoch.",
    "Beam search": "Keeping several possible texts alive while listening and choosing the most "
    "probable one at the end. It uses a list of words; greedy decoding takes the best letter of "
    "every moment and never looks back.",
    "Calibration": "Running a few typical inputs through a network before it is quantized, to see "
    "how large its numbers get. From that the scale of the 8-bit numbers is chosen. A model "
    "itself is called calibrated if it is right as often as it is sure: see How sure is sure.",
    "Channel": "One of the tracks that a sound file holds side by side, such as left and right. "
    "People who speak into microphones of their own are best transcribed one by one.",
    "Confidence": "The probability that a model gives to its own answer. It can be sure and wrong.",
    "Convolution": "A layer that slides small filters over an image. Each filter answers where it "
    "finds its pattern, such as an edge.",
    "Data set": "Pictures with the right answer for each, in three parts: one to learn from, one "
    "to choose on, one to report on once. MNIST ships with Foundry; you can bring your own.",
    "Dense": "The model as it was trained, with nothing removed and weights of 32 bits. The other "
    "variants are compared with it.",
    "Distillation": "Teaching a small model to give the same probabilities as a large one, "
    "instead of only the right answers.",
    "Dropout": "During training a random share of the neurons is switched off for each batch. No "
    "neuron can rely on one other, which works against learning by heart.",
    "Early stopping": "Ending a run when the validation accuracy has not improved for some "
    "epochs. Patience is how many epochs to wait.",
    "Epoch": "One pass over all training images. More epochs give more time to learn, and more "
    "time to learn by heart.",
    "Fine-tuning": "Training a model that already knows something a little further, for a new "
    "task or after something was removed from it.",
    "Variant": "One version of a model: dense as it was trained, pruned, quantized to 8 bits "
    "(int8), masked, or several of these. Most are smaller or faster than the dense one, and "
    "any may answer differently.",
    "File format": "How a model is stored. PyTorch reads safetensors; OpenVINO and ONNX files are "
    "for programs that run models in products.",
    "Integrated Gradients": "A way to share out a model's answer among the words of a text or the "
    "pixels of a drawing. The shares add up to how far the answer is from that to an "
    "empty input; what is missing is the completeness error.",
    "Label": "One of the answers that a classifier can give. Which there are is fixed when it is "
    "trained.",
    "Label smoothing": "The right answer counts as a little less than 100% during training. It "
    "keeps the model from being more certain than it should be.",
    "Learning rate": "How far the weights move at every update. If it is too large, training "
    "jumps about or fails; if it is too small, training takes for ever.",
    "LoRA": "Low-rank adaptation: the weights of a large model stay as they are and two thin "
    "matrices beside each are trained, a few per cent of all weights.",
    "Mask": "Setting single weights to zero without taking them out. The network stays as large "
    "and as slow as it was. The mask can rank the weights of each layer by themselves or those of "
    "all layers together.",
    "Model": "The network that answers: its layers and the weights it has learned. Larger ones "
    "can learn more and take longer.",
    "Model card": "A page that comes with a model: what it is for, what it learned from, how well "
    "it does and where it fails.",
    "Momentum": "An update keeps part of the direction of the updates before it, like a rolling "
    "ball. It smooths the noise of single batches.",
    "One-cycle schedule": "A schedule changes the learning rate during a run. One-cycle raises it "
    "to its peak and then lowers it to zero; constant leaves it alone.",
    "Objective": "What a search looks for: the best accuracy, or the best for the seconds or the "
    "parameters that it costs. Where two things count, no trial need be best in both; those that "
    "none beats in both are the Pareto front.",
    "Optimizer": "The rule that turns errors into changes of the weights. SGD takes the same step "
    "for all weights; Adam and AdamW choose a step for each.",
    "Overfitting": "Learning the training images by heart. Training loss goes on falling while "
    "validation accuracy does not get better.",
    "Preparation": "How a picture becomes 28x28 greys. As it is: the mean of the area that each "
    "pixel covers. As handwriting: the ink is found, cropped and centred, as MNIST's authors did.",
    "Preset": "A set of values for all knobs that belong together. Choose one, then change what "
    "you like.",
    "Pruning": "Taking out the channels, neurons or layers that matter least. The network becomes "
    "smaller and faster, and is trained a little more to recover.",
    "Pruning ratio": "The share of channels and neurons that pruning takes out. 0.4 removes 40% "
    "of each layer.",
    "Quantization": "Storing weights and activations as whole numbers of 8 bits instead of "
    "floating-point numbers of 32. The file is a quarter as large, and many processors are "
    "faster.",
    "Recovery epochs": "Epochs of training after pruning, in which what is left learns to do the "
    "work of what was removed.",
    "Rotation": "An augmentation: every image is turned by a random angle up to this many degrees "
    "to either side.",
    "Run": "One training from start to end with one set of knobs. Its curves, settings and "
    "weights are kept so that runs can be compared.",
    "Scale": "An augmentation: every image is made larger or smaller by a random share up to this "
    "one.",
    "Sampler": "What chooses the settings of the next trial. Optuna learns from the trials so "
    "far which values do well; random search draws each blindly.",
    "Seed": "The number that random choices start from. The same seed on the same machine gives "
    "the same run.",
    "Shift": "An augmentation: every image is moved by a random number of pixels up to this one, "
    "along each axis.",
    "Sparsity": "The share of weights that are zero. A sparse network is not smaller or faster "
    "unless the program that runs it skips the zeros.",
    "Speed-up": "How many times as fast as the dense model. The interval holds the true value in "
    "95 of 100 measurements. Within 3% of 1 there is no difference to speak of.",
    "Table column": "The column of your file that has the texts. The other columns are not scored; "
    "the CSV keeps them.",
    "Test image": "One of the 10,000 images of handwriting that no model has learned from. They "
    "are only used to see how good a model is.",
    "Token": "A word or a piece of one, the unit in which a text model reads.",
    "Training images": "How many images the model learns from, 55,000 at most. With few of them "
    "it is quick, and soon knows them by heart.",
    "Trial": "One training of a search, with settings chosen from the ranges. Trials that lag "
    "behind are stopped early, which leaves time for others.",
    "Validation": "Images set aside to watch a training. The model does not learn from them, so "
    "they show how it does on what it has not seen.",
    "Weight bits": "The size of the numbers a network computes with. 32 bits are float32, as it "
    "was trained; 8 bits are int8, quantized.",
    "Weight decay": "Every update also pulls the weights a little towards zero. Smaller weights "
    "make smoother answers and less learning by heart.",
    "Width": "How many filters and neurons a network has, as a share of its usual number. Half the "
    "width leaves a quarter of the weights in most layers.",
    "Word error rate": "Wrong, missing and added words as a share of the words that were said. 0% "
    "is perfect.",
}

# Knobs whose label is not the term itself.
_TERMS = {
    "Adversarial training: epsilon": "Adversarial training",
    "Channel by channel": "Channel",
    "At least this sure (%)": "Confidence",
    "At most this sure (%)": "Confidence",
    "Column with the texts": "Table column",
    "Data": "Data set",
    "Decoding": "Beam search",
    "Early stopping: patience": "Early stopping",
    "Epochs": "Epoch",
    "Epochs of a trial": "Epoch",
    "epsilon": "Attack",
    "Format": "File format",
    "Mask sparsity": "Sparsity",
    "Minutes": "Trial",
    "Least certain rows first": "Confidence",
    "Make it read": "Attack",
    "Models to attack": "Model",
    "Models to try": "Model",
    "Optimizers to try": "Optimizer",
    "Rotation (degrees)": "Rotation",
    "On validation": "Validation",
    "Only these answers": "Label",
    "Over": "Epoch",
    "Runs": "Run",
    "Schedule": "One-cycle schedule",
    "Schedules to try": "One-cycle schedule",
    "Seed of the search": "Seed",
    "Shift (pixels)": "Shift",
    "The first row names the columns": "Table column",
    "The mask ranks weights": "Mask",
    "Strength (epsilon)": "Attack",
    "Training images of a trial": "Training images",
    "Trials": "Trial",
    "Weight decay (L2)": "Weight decay",
    "What to look for": "Objective",
    "Why not": "Integrated Gradients",
}


def find_term(label: str) -> str | None:
    """Return the term behind a knob, a key of `GLOSSARY`.

    Args:
        label: The knob's label.

    Returns:
        None if the glossary has no such term.
    """
    # A range has two knobs.
    name = label.removesuffix(", lowest").removesuffix(", highest")
    term = _TERMS.get(name, name)
    return term if term in GLOSSARY else None
