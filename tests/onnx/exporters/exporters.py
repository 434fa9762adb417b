"""Networks as today's exporters write them, against ONNX Runtime and the framework.

    exporters.py ZOO_RUN SECTION... [--only PART] [--folder FOLDER]

SECTION: debian (the torch that runs this script, its TorchScript exporter), dynamo (torch 2's exporter),
timm (timm's architectures through torch 2's exporter), keras (tf2onnx), sklearn (skl2onnx), optimised
(ONNX Runtime's optimisation levels and onnxsim, of a network that torch exports).

Not part of the tests that README names: it needs packages that Debian does not have.  README.md of this
folder says how to make an environment for them.  Networks have seeded random weights.

Each line: family | exporter / opset | runs | explained layer | largest difference of the logits from ONNX
Runtime's and of the gradient at the input from the framework's, each divided by the largest value (the
gradient's by its norm, since single kinks of a ReLU may fall the other way) | -.
Exit codes: 0, 1 (a difference, or a refusal that is not expected), 77 (a package is missing).
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
warnings.filterwarnings("ignore")
try:
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

LOGITS, GRADIENT = 1e-4, 5e-3  # bounds

TIMM = """resnet26 resnext26ts regnetx_004 regnety_004 efficientnet_b0 tf_efficientnet_lite0 mobilenetv3_small_100
mobilenetv4_conv_small convnext_atto convnextv2_atto vit_tiny_patch16_224 deit_tiny_distilled_patch16_224
swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 coatnet_nano_rw_224 maxvit_pico_rw_256 mixer_s32_224 pvt_v2_b0 repvgg_a0
ghostnet_050 hardcorenas_a dla34 hrnet_w18_small edgenext_xx_small fastvit_t8 levit_128s eva02_tiny_patch14_224
efficientformer_l1 poolformer_s12 xcit_nano_12_p16_224 crossvit_tiny_240 tinynet_e densenet121 ese_vovnet19b_dw
cspresnet50 dpn48b rexnet_100 gmlp_s16_224 resmlp_12_224 visformer_tiny nest_tiny sequencer2d_s volo_d1_224 mobilevit_xxs mobileone_s0 repvit_m0_9
efficientvit_b0 tiny_vit_5m_224 inception_v3 xception41 lcnet_050 starnet_s1 seresnet18 skresnet18 resnest14d cait_xxs24_224 beit_base_patch16_224
mobilenetv4_hybrid_medium davit_tiny focalnet_tiny_srf gcvit_xxtiny convit_tiny hgnetv2_b0 inception_next_atto mambaout_femto nfnet_l0 vgg11_bn""".split()


def seeded(module, torch):
    """Weights that let every part of the network count: what starts at 0 or near it is made random."""
    torch.manual_seed(1)
    with torch.no_grad():
        for p in module.parameters():
            if p.numel() > 0 and float(p.abs().max()) < 1e-3:
                p.normal_(0, 0.1)
        for name, b in module.named_buffers():
            if name.endswith("running_mean"):
                b.normal_(0, 0.1)
            if name.endswith("running_var"):
                b.uniform_(0.8, 1.2)
    return module.eval()


class Case:
    """One exported network with what it is compared with."""

    def __init__(self, family, exporter, path, x, gradient, along=None):
        self.along = along  # cotangent, direction -> slope of the scores by central differences in float64
        self.family, self.exporter, self.path, self.x = family, exporter, path, x
        self.gradient = gradient  # cotangent [classes] -> scores, gradient at the input; or None


def torch_gradient(torch, module, x):
    """In float64."""
    import copy
    double = copy.deepcopy(module).double()

    def gradient(cotangent):
        leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        scores = double(leaf)
        (scores.flatten() * torch.tensor(cotangent, dtype=torch.float64).flatten()).sum().backward()
        return scores.detach().numpy(), leaf.grad.numpy()
    return gradient


def torch_along(torch, module, x):
    import copy
    double = copy.deepcopy(module).double()

    def along(cotangent, direction, step=1e-3):
        with torch.no_grad():
            ends = [double(torch.tensor(x.astype(numpy.float64) + t * direction.reshape(x.shape))).numpy().flatten()
                    for t in (step, -step)]
        return float((ends[0] - ends[1]) @ cotangent / (2 * step))
    return along


def export_torch(torch, module, x, path, opset, dynamo):
    arguments = {"dynamo": True, "external_data": True, "verbose": False} if dynamo else {}
    if not dynamo and torch.__version__ >= "2":
        arguments = {"dynamo": False}
    torch.onnx.export(module, (torch.tensor(x),), str(path), opset_version=opset,
                      input_names=["image"], output_names=["scores"], **arguments)


def small_networks(torch):
    """Families that exporters treat differently; small enough to look at."""
    nn = torch.nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(3, 32, 8, 8)
            self.block = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation="gelu", dropout=0)
            self.head = nn.Linear(32, 10)

        def forward(self, x):
            return self.head(self.block(self.patch(x).flatten(2).transpose(1, 2)).mean(1))

    class Recurrent(nn.Module):
        def __init__(self, kind):
            super().__init__()
            self.patch = nn.Conv2d(3, 16, 8, 8)
            self.rnn = kind(16 * 8, 24, bidirectional=True, batch_first=True)
            self.head = nn.Linear(48, 10)

        def forward(self, x):
            rows = self.patch(x).permute(0, 2, 1, 3).flatten(2)
            return self.head(self.rnn(rows)[0].mean(1))

    class Upsampled(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = nn.Conv2d(3, 12, 3, 2, 1), nn.ConvTranspose2d(12, 8, 2, 2)
            self.norm, self.head = nn.GroupNorm(2, 20), nn.Linear(20, 10)

        def forward(self, x):
            y = torch.relu(self.down(x))
            z = nn.functional.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)
            return self.head(self.norm(torch.cat([z, self.up(y)], 1)).mean((2, 3)))

    class Squeezed(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.norm, self.b = nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.Conv2d(24, 24, 1)
            self.c, self.head = nn.Conv2d(24, 24, 3, 1, 1, groups=24), nn.Linear(24, 10)

        def forward(self, x):
            y = nn.functional.hardswish(self.norm(self.a(x)))
            y = y * torch.sigmoid(self.b(y.mean((2, 3), keepdim=True)))
            return self.head(nn.functional.silu(self.c(y)).mean((2, 3)))

    plain = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, 1, 1), nn.LeakyReLU(0.1),
                          nn.AvgPool2d(2), nn.Conv2d(32, 32, 3), nn.PReLU(32), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10))
    yield "plain convolutional", plain
    yield "squeeze and excitation", Squeezed()
    yield "upsampling, GroupNorm", Upsampled()
    yield "transformer encoder", Attention()
    yield "LSTM over rows", Recurrent(nn.LSTM)
    yield "GRU over rows", Recurrent(nn.GRU)


def debian(folder, only, dynamo=False):
    import torch
    for opset in ([18, 20] if dynamo else [11, 13, 17] if torch.__version__ >= "1.13" else [11, 13]):
        for name, module in small_networks(torch):
            module = seeded(module, torch)
            x = torch.randn(1, 3, 64, 64).numpy()
            path = folder / f"{name.replace(' ', '_')}_{opset}.onnx"
            if only and only not in path.name:
                continue
            kind = "dynamo" if dynamo else "TorchScript"
            try:
                export_torch(torch, module, x, path, opset, dynamo)
            except Exception as error:  # what the exporter cannot write is not ours
                print(f"# {name}, {kind}, opset {opset}: not exported: {str(error).splitlines()[0][:100]}")
                continue
            yield Case(name, f"torch {torch.__version__.split('+')[0]} {kind} / {opset}", path, x,
                       torch_gradient(torch, module, x))


def dynamo(folder, only):
    yield from debian(folder, only, dynamo=True)


def timm_networks(folder, only):
    import timm
    import torch
    for name in TIMM:
        if only and not any(part in name for part in only.split(",")):
            continue
        torch.manual_seed(0)
        try:
            module = timm.create_model(name, pretrained=False, num_classes=20, exportable=True)
        except RuntimeError as error:
            print(f"# timm has no {name}: {error}")
            continue
        module = seeded(module, torch)
        x = torch.randn(1, *module.default_cfg["input_size"]).numpy()
        path = folder / f"{name}.onnx"
        try:
            export_torch(torch, module, x, path, 18, True)
        except Exception as error:
            print(f"# {name}: not exported: {str(error).splitlines()[0][:100]}")
            continue
        yield Case(name, f"timm {timm.__version__}, torch {torch.__version__.split('+')[0]} dynamo / 18", path, x,
                   torch_gradient(torch, module, x), torch_along(torch, module, x))


def keras(folder, only):
    import tensorflow as tf
    import tf2onnx
    apps, layers = tf.keras.applications, tf.keras.layers
    small = tf.keras.Sequential([layers.Input((32, 32, 3)), layers.Conv2D(16, 3, padding="same", activation="relu"),
                                 layers.MaxPool2D(), layers.DepthwiseConv2D(3, 2, padding="same"), layers.BatchNormalization(),
                                 layers.Activation("swish"), layers.Conv2D(24, 3, 2, padding="same", activation="elu"),
                                 layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.Dense(10)])
    rows = tf.keras.Sequential([layers.Input((32, 32, 3)), layers.Conv2D(8, 4, 4, activation="relu"), layers.Reshape((8, 64)),
                                layers.LSTM(16, return_sequences=True), layers.GRU(12), layers.Dense(10)])
    makers = {"small": lambda: small, "rows, LSTM and GRU": lambda: rows}
    for name in ("MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "ResNet50V2", "DenseNet121",
                 "InceptionV3", "Xception", "NASNetMobile", "ConvNeXtTiny", "VGG16"):
        makers[name] = lambda name=name: getattr(apps, name)(weights=None, classes=20, classifier_activation=None)
    for name, make in makers.items():
        for opset in (13, 17):
            if (only and only not in name) or (opset == 17 and name not in ("small", "MobileNetV2", "rows, LSTM and GRU")):
                continue
            tf.keras.utils.set_random_seed(1)
            model = make()
            shape = (1, *model.input_shape[1:])
            x = numpy.random.default_rng(1).standard_normal(shape).astype(numpy.float32)
            path = folder / f"{name.replace(' ', '_')}_{opset}.onnx"
            call = tf.function(lambda image, model=model: model(image, training=False))
            try:
                tf2onnx.convert.from_function(call, [tf.TensorSpec(shape, tf.float32, name="image")], opset=opset,
                                              output_path=str(path))
            except Exception as error:
                print(f"# {name}: not exported: {str(error).splitlines()[0][:100]}")
                continue

            def gradient(cotangent, model=model, x=x):
                image = tf.Variable(x)
                with tf.GradientTape() as tape:
                    scores = model(image, training=False)
                    sum_of_scores = tf.reduce_sum(scores * cotangent)
                return numpy.array(scores), numpy.array(tape.gradient(sum_of_scores, image)).transpose(0, 3, 1, 2)
            yield Case(f"Keras {name}", f"tf2onnx {tf2onnx.__version__} / {opset}", path, x, gradient)


def sklearn(folder, only):
    import skl2onnx
    from sklearn.neural_network import MLPClassifier
    rng = numpy.random.default_rng(1)
    data = rng.standard_normal((300, 12)).astype(numpy.float32)
    for activation in ("relu", "tanh", "logistic"):
        model = MLPClassifier((16, 8), activation=activation, max_iter=60, random_state=1)
        model.fit(data, (data[:, :4].argmax(1)))
        path = folder / f"mlp_{activation}.onnx"
        onnx = skl2onnx.to_onnx(model, data[:1], options={"zipmap": False})
        path.write_bytes(onnx.SerializeToString())
        yield Case(f"MLP, {activation}", f"skl2onnx {skl2onnx.__version__}", path, data[:1], None)


def optimised(folder, only):
    import onnx
    import onnxruntime
    import torch
    from onnxsim import simplify
    makers = dict(small_networks(torch))
    try:
        import torchvision
        makers["resnet18"] = torchvision.models.resnet18(num_classes=20)
        makers["mobilenet_v3_small"] = torchvision.models.mobilenet_v3_small(num_classes=20)
        makers["vit_b_32, two blocks"] = torchvision.models.VisionTransformer(224, 32, 2, 4, 128, 256, num_classes=20)
    except ImportError:
        pass
    levels = {"basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
              "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
              "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL}
    for name, module in makers.items():
        module = seeded(module, torch)
        side = 224 if "_" in name or "resnet" in name else 64
        x = torch.randn(1, 3, side, side).numpy()
        plain = folder / f"{name.replace(' ', '_').replace(',', '')}.onnx"
        if only and only not in plain.name:
            continue
        export_torch(torch, module, x, plain, 17, torch.__version__ >= "2.9")
        gradient = torch_gradient(torch, module, x)
        for level, value in levels.items():
            path = plain.with_name(f"{plain.stem}_{level}.onnx")
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level, options.optimized_model_filepath = value, str(path)
            onnxruntime.InferenceSession(str(plain), options, providers=["CPUExecutionProvider"])
            yield Case(name, f"ONNX Runtime {onnxruntime.__version__}, level {level}", path, x, gradient)
        path = plain.with_name(f"{plain.stem}_simplified.onnx")
        onnx.save(simplify(onnx.load(plain))[0], path)
        yield Case(name, "onnxsim", path, x, gradient)


def runtime(path, x):
    """-> the scores that ONNX Runtime computes"""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[-1].astype(numpy.float64).flatten()


def engine(zoo_run, case, cotangent):
    """-> (what it printed, logits, gradient at the input); the last two None after a refusal"""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        x = case.x.transpose(0, 3, 1, 2) if case.x.ndim == 4 and case.x.shape[-1] == 3 else case.x
        numpy.ascontiguousarray(x).tofile(folder / "input")
        cotangent.astype(numpy.float32).tofile(folder / "cotangent")
        done = subprocess.run([zoo_run, case.path, "-", folder, "-"], capture_output=True, text=True, timeout=500)
        if done.returncode:
            return (done.stdout + done.stderr).strip(), None, None
        return done.stdout.strip(), *(numpy.fromfile(folder / name, numpy.float32) for name in ("logits", "pixels"))


def compare(zoo_run, case):
    """-> (good, the row)"""
    scores = runtime(case.path, case.x)
    cotangent = numpy.random.default_rng(7).standard_normal(scores.size)
    printed, logits, pixels = engine(zoo_run, case, cotangent)
    if logits is None:
        return False, f"| {case.family} | {case.exporter} | {printed.replace(str(case.path), '')} | | | |"
    error = numpy.abs(logits - scores).max() / numpy.abs(scores).max()
    text, good = f"{error:.1e}", error <= LOGITS
    if case.gradient:
        own, want = (array.flatten() for array in case.gradient(cotangent))
        if numpy.abs(own - scores).max() > 1e-3 * numpy.abs(own).max():
            return True, f"# {case.family}, {case.exporter}: the exported file is not the network, ONNX Runtime's scores differ"
        slope = numpy.linalg.norm(pixels - want) / numpy.linalg.norm(want)
        if slope > GRADIENT and case.along:  # whose gradient is wrong?  Ask the scores themselves
            norm = numpy.linalg.norm(pixels.astype(numpy.float64))
            slope = abs(case.along(cotangent, pixels / norm) / norm - 1)
            text += ", by central differences"
        text, good = f"{text}, gradient {slope:.1e}", good and slope <= GRADIENT
    shape = "x".join(printed.split()[1:4])
    return good, f"| {case.family} | {case.exporter} | yes{'' if good else ', WRONG'} | {shape} | {text} | - |"


SECTIONS = {"debian": debian, "dynamo": dynamo, "timm": timm_networks, "keras": keras, "sklearn": sklearn,
            "optimised": optimised}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zoo_run")
    parser.add_argument("section", nargs="+", choices=SECTIONS)
    parser.add_argument("--only")
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(arguments.folder or folder)
        folder.mkdir(parents=True, exist_ok=True)
        for section in arguments.section:
            try:
                for case in SECTIONS[section](folder, arguments.only):
                    try:
                        good, row = compare(arguments.zoo_run, case)
                    except Exception as error:
                        good, row = False, f"# {case.family}, {case.exporter}: {type(error).__name__}: {str(error)[:200]}"
                    print(row, flush=True)
                    bad += not good
            except ImportError as missing:
                print(f"skipped: {section}: {missing}")
                return 77
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
