"""Networks that a tool rewrote after they were exported: optimised, simplified, fused, quantised, in half precision."""
import onnx
import onnxruntime
import torch

import torch_side
from case import Case

TORCHVISION = ("resnet18", "mobilenet_v3_small", "vision transformer of two blocks")
HALF = 1e-2  # what float16's 11 bits leave of logits and gradients after a few layers
STEPS = 4e-2  # quantised: a value that rounds the other way deep inside moves the logits by some steps of 8 bits


class Plain:
    """A network as torch exports it, before it is rewritten."""

    def __init__(self, folder, name, module, side):
        self.name, self.module = name, torch_side.seeded(module)
        self.x = torch.randn(1, 3, side, side).numpy()
        self.path = folder / f"{name.replace(' ', '_').replace(',', '')}.onnx"
        torch_side.export(self.module, self.x, self.path, 17, False)

    def beside(self, ending):
        return self.path.with_name(f"{self.path.stem}_{ending}.onnx")

    def case(self, tool, path, gradient=True, **more):
        return Case(self.name, tool, 17, path, self.x, torch_side.gradient(self.module, self.x) if gradient else None,
                    torch_side.along(self.module, self.x) if gradient else None, **more)


def networks(folder, wanted):
    for name, module in torch_side.small_networks():
        if wanted(name):
            yield Plain(folder, name, module, 64)
    for name, module, side in torch_side.torchvision_networks([n for n in TORCHVISION if wanted(n)]):
        yield Plain(folder, name, module, side)


def optimised(folder, wanted):
    """ONNX Runtime's own levels.  "all" writes operators of the processor that ran it."""
    levels = onnxruntime.GraphOptimizationLevel
    for plain in networks(folder, wanted):
        for name, level in (("basic", levels.ORT_ENABLE_BASIC), ("extended", levels.ORT_ENABLE_EXTENDED), ("all", levels.ORT_ENABLE_ALL)):
            path = plain.beside(name)
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level, options.optimized_model_filepath = level, str(path)
            onnxruntime.InferenceSession(str(plain.path), options, providers=["CPUExecutionProvider"])
            yield plain.case(f"ONNX Runtime {onnxruntime.__version__}, level {name}", path)


def simplified(folder, wanted):
    import onnxsim
    for plain in networks(folder, wanted):
        path = plain.beside("simplified")
        onnx.save(onnxsim.simplify(onnx.load(plain.path))[0], path)
        yield plain.case(f"onnxsim {onnxsim.__version__}", path)


def fused(folder, wanted):
    """The optimiser for transformers: Attention, SkipLayerNormalization, BiasGelu, ... of com.microsoft."""
    from onnxruntime.transformers import optimizer
    for plain in networks(folder, wanted):
        if "transformer" not in plain.name:
            continue
        heads, width = (4, 32) if plain.x.shape[2] == 64 else (4, 128)
        for kind in ("bert", "vit", "clip"):
            path = plain.beside(f"fused_{kind}")
            model = optimizer.optimize_model(str(plain.path), model_type=kind, num_heads=heads, hidden_size=width, opt_level=0)
            model.save_model_to_file(str(path))
            yield plain.case(f"onnxruntime.transformers {onnxruntime.__version__}, {kind}", path)


def half(folder, wanted):
    """float16: with float32 at both ends, all through, and where an operator is kept in float32."""
    from onnxconverter_common import float16
    for plain in networks(folder, wanted):
        forms = {"float32 at the ends": {"keep_io_types": True}, "all through": {"keep_io_types": False},
                 "Gemm, MatMul, Softmax and ReduceMean in float32": {
                     "keep_io_types": True, "op_block_list": float16.DEFAULT_OP_BLOCK_LIST + ["Gemm", "MatMul", "Softmax", "ReduceMean"]}}
        for form, options in forms.items():
            path = plain.beside(f"half_{len(form)}")
            onnx.save(float16.convert_float_to_float16(onnx.load(plain.path), **options), path)
            yield plain.case(f"onnxconverter-common, float16, {form}", path, logits_bound=HALF, gradient_bound=HALF)


def quantised(folder, wanted):
    """Seeded networks; the steps are those of the activations of a few random pictures."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(CalibrationDataReader):
        def __init__(self, shape):
            self.left = [{"image": torch.randn(*shape).numpy()} for _ in range(8)]

        def get_next(self):
            return self.left.pop() if self.left else None

    def static(form, activations, weights, each):
        return lambda source, path, shape: quantize_static(source, path, Pictures(shape), quant_format=form, activation_type=activations,
                                                           weight_type=weights, per_channel=each, reduce_range=weights == QuantType.QInt8)
    u8, s8 = QuantType.QUInt8, QuantType.QInt8
    forms = {"QDQ u8 s8, each channel": static(QuantFormat.QDQ, u8, s8, True), "QDQ u8 u8": static(QuantFormat.QDQ, u8, u8, False),
             "QDQ s8 s8": static(QuantFormat.QDQ, s8, s8, False), "operators u8 s8": static(QuantFormat.QOperator, u8, s8, False),
             "operators u8 u8": static(QuantFormat.QOperator, u8, u8, False),
             "dynamic u8": lambda source, path, shape: quantize_dynamic(source, path, weight_type=u8, reduce_range=True)}
    for plain in networks(folder, wanted):
        prepared = plain.beside("prepared")
        quant_pre_process(str(plain.path), str(prepared), skip_symbolic_shape=True)
        for form, quantise in forms.items():
            path = plain.beside("quantised_" + form.replace(" ", "_").replace(",", ""))
            quantise(str(prepared), str(path), plain.x.shape)
            yield plain.case(f"onnxruntime.quantization {onnxruntime.__version__}, {form}", path, gradient=False, logits_bound=STEPS, optimise=False)
