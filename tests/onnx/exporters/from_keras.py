"""Keras networks, channels last: through tf2onnx, and as Keras writes them itself."""
import numpy
import tensorflow as tf

from case import Case

keras = tf.keras
APPLICATIONS = ("MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "ResNet50", "ResNet50V2",
                "DenseNet121", "InceptionV3", "Xception", "NASNetMobile", "ConvNeXtTiny", "VGG16")


def small():
    layers = keras.layers
    return keras.Sequential([
        layers.Input((32, 32, 3)), layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPool2D(),
        layers.DepthwiseConv2D(3, 2, padding="same"), layers.BatchNormalization(), layers.Activation("swish"),
        layers.Conv2D(24, 3, 2, padding="same", activation="elu"), layers.GlobalAveragePooling2D(), layers.Dropout(0.5),
        layers.Dense(10)])


def rows():
    layers = keras.layers
    return keras.Sequential([
        layers.Input((32, 32, 3)), layers.Conv2D(8, 4, 4, activation="relu"), layers.Reshape((8, 64)),
        layers.LSTM(16, return_sequences=True), layers.GRU(12), layers.Dense(10)])


def attention():
    layers = keras.layers
    image = layers.Input((32, 32, 3))
    tokens = layers.Reshape((64, 24))(layers.Conv2D(24, 4, 4)(image))
    tokens = tokens + layers.MultiHeadAttention(3, 8)(layers.LayerNormalization()(tokens), tokens)
    tokens = tokens + layers.Dense(24)(layers.Dense(48, activation="swish")(layers.LayerNormalization()(tokens)))
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling1D()(layers.LayerNormalization()(tokens))))


def networks():
    """name, maker"""
    yield "small", small
    yield "rows, LSTM and GRU", rows
    yield "attention", attention
    for name in APPLICATIONS:
        yield name, lambda name=name: getattr(keras.applications, name)(weights=None, classes=20, classifier_activation=None)


def seeded(make):
    """Fresh batch normalisations are the identity, so their statistics are made random, too."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model, rng = make(), numpy.random.default_rng(1)
    for layer in model._flatten_layers() if hasattr(model, "_flatten_layers") else model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(rng.normal(0, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.8, 1.2, layer.moving_variance.shape))
        if isinstance(layer, keras.layers.Normalization):  # tf2onnx makes inputs of tensors that are no variables
            layer.mean, layer.variance = numpy.array(layer.mean), numpy.array(layer.variance)
    x = rng.standard_normal((1, *model.input_shape[1:])).astype(numpy.float32)
    return model, x


def gradient(model, x):
    """In float32; channels first."""
    def at_input(cotangent):
        image = tf.Variable(x)
        with tf.GradientTape() as tape:
            scores = model(image, training=False)
            total = tf.reduce_sum(scores * tf.constant(cotangent.reshape(1, -1), tf.float32))
        return numpy.array(scores), numpy.array(tape.gradient(total, image)).transpose(0, 3, 1, 2)
    return at_input


def along(model, x):
    """In float32, so with a longer step than torch's."""
    def slope(cotangent, direction, step=0.05):
        direction = direction.reshape(x.transpose(0, 3, 1, 2).shape).transpose(0, 2, 3, 1)
        ends = [numpy.array(model((x + t * direction).astype(numpy.float32), training=False), numpy.float64).flatten()
                for t in (step, -step)]
        return float((ends[0] - ends[1]) @ cotangent / (2 * step))
    return slope


def case_of(name, exporter, opset, path, model, x):
    return Case(f"Keras {name}", exporter, opset, path, x, gradient(model, x), along(model, x))


def tf2onnx(folder, wanted):
    """Channels last, as Keras has them; and with the input's channels moved first, as tf2onnx offers."""
    import tf2onnx as library
    for name, make in networks():
        if not wanted(name):
            continue
        for opset, first in ((13, False), (17, False), (15, True)):
            if name in APPLICATIONS and opset == 17:
                continue
            model, x = seeded(make)
            path = folder / f"{name.replace(' ', '_').replace(',', '')}_{opset}.onnx"
            call = tf.function(lambda image, model=model: model(image, training=False))
            try:
                library.convert.from_function(call, [tf.TensorSpec(x.shape, tf.float32, name="image")], opset=opset,
                                              output_path=str(path), inputs_as_nchw=["image"] if first else None)
            except Exception as error:
                print(f"# {name}: not exported: {str(error).splitlines()[0][:120]}", flush=True)
                continue
            case = case_of(name, f"tf2onnx {library.__version__}" + (", input channels first" if first else ""), opset, path, model, x)
            if first:
                case.x = x.transpose(0, 3, 1, 2)
            yield case


def keras_export(folder, wanted):
    for name, make in networks():
        if not wanted(name):
            continue
        model, x = seeded(make)
        path = folder / f"{name.replace(' ', '_').replace(',', '')}_keras.onnx"
        model(x)
        try:
            model.export(str(path), format="onnx", verbose=False)
        except Exception as error:
            print(f"# {name}: not exported: {str(error).splitlines()[0][:120]}", flush=True)
            continue
        yield case_of(name, f"Keras {keras.__version__} export", "-", path, model, x)
