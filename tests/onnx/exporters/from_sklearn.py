"""scikit-learn's estimators through skl2onnx.  Their gradients are computed here by hand, from their coefficients."""
import numpy
import skl2onnx
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from case import Case

SLOPES = {"relu": lambda y: y > 0, "tanh": lambda y: 1 - y * y, "logistic": lambda y: y * (1 - y), "identity": numpy.ones_like}
VALUES = {"relu": lambda v: numpy.maximum(v, 0), "tanh": numpy.tanh, "logistic": lambda v: 1 / (1 + numpy.exp(-v)), "identity": lambda v: v}


def layers_of(model):
    """weights [in][out], biases, activation of the hidden layers"""
    if hasattr(model, "coefs_"):
        return model.coefs_, model.intercepts_, model.activation
    return [model.coef_.T], [model.intercept_], "identity"


def gradient(model, scaler, x):
    weights, biases, activation = layers_of(model)

    def at_input(cotangent):
        values = [x.astype(numpy.float64) if scaler is None else scaler.transform(x.astype(numpy.float64))]
        for n, (w, b) in enumerate(zip(weights, biases)):
            sums = values[-1] @ w + b
            values.append(sums if n == len(weights) - 1 else VALUES[activation](sums))
        slope = cotangent.reshape(1, -1)
        if slope.size == 2 and values[-1].size == 1:  # the file has 1 - p and p: a softmax of two halves
            half = values[-1] / 2
            values[-1], slope = numpy.hstack([-half, half]), (slope[:, 1:] - slope[:, :1]) / 2
        for n in range(len(weights) - 1, -1, -1):
            slope = slope @ weights[n].T
            slope = slope * SLOPES[activation](values[n]) if n else slope
        return values[-1], slope if scaler is None else slope / scaler.scale_
    return at_input


def estimators():
    """name, estimator, classes (0: a number)"""
    same = {"max_iter": 60, "random_state": 1}
    for activation in ("relu", "tanh", "logistic"):
        more = {"activation": activation, **same}
        yield f"MLPClassifier, {activation}, 4 classes", MLPClassifier(hidden_layer_sizes=(16, 8), **more), 4
        yield f"MLPClassifier, {activation}, 2 classes", MLPClassifier(hidden_layer_sizes=(16,), **more), 2
        yield f"MLPRegressor, {activation}", MLPRegressor(hidden_layer_sizes=(16, 8), **more), 0
    for classes in (4, 2):
        yield f"LogisticRegression, {classes} classes", LogisticRegression(), classes
        yield f"StandardScaler, LogisticRegression, {classes} classes", make_pipeline(StandardScaler(), LogisticRegression()), classes
        yield (f"StandardScaler, MLPClassifier, {classes} classes",
               make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(16,), **same)), classes)
    yield "StandardScaler, MLPRegressor", make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(16,), **same)), 0


def sklearn(folder, wanted):
    data = numpy.random.default_rng(1).standard_normal((300, 12)).astype(numpy.float32) * 2 + 1
    for name, model, classes in estimators():
        if not wanted(name):
            continue
        target = data[:, :classes].argmax(1) if classes else data[:, 0] - data[:, 1] ** 2
        model.fit(data, target)
        last, scaler = (model[-1], model[0]) if hasattr(model, "steps") else (model, None)
        for zipmap in (False, True) if classes else (None,):
            path = folder / f"{name.replace(' ', '_').replace(',', '')}{'_zipmap' if zipmap else ''}.onnx"
            options = {} if zipmap is None else {"options": {id(model): {"zipmap": zipmap}}}
            path.write_bytes(skl2onnx.to_onnx(model, data[:1], **options).SerializeToString())
            yield Case(name + (", ZipMap" if zipmap else ""), f"skl2onnx {skl2onnx.__version__}", "-", path, data[:1],
                       gradient(last, scaler, data[:1]))
