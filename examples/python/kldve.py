"""libkldve from Python: ctypes and the standard library only.  Copy it, and start your wrapper from it.

    import kldve
    net = kldve.Context().open("net.onnx")
    photo = net.context.load("photo.jpg")
    why = net.explain(photo, method="grad-cam", target=5)
    why.save("why.png", photo)
    print(why.record, memoryview(why.values).tolist())

Arrays go in and out through the buffer protocol without a copy: numpy's, array.array, memoryview.
A failure raises kldve.Error with the library's message.  Ctrl-C stops a call in the main thread.
Threads: one at a time for a context and what was made from it.  The libraries are libkldve.so.1 and
libkldve-onnx.so.1 on the loader's path; KLDVE_LIBRARY_FOLDER names another place."""
import ctypes as c
import os
import signal
import threading


def _library(name):
    return c.CDLL(os.path.join(os.environ.get("KLDVE_LIBRARY_FOLDER", ""), name))


_core, _engine = _library("libkldve.so.1"), _library("libkldve-onnx.so.1")
_PROGRESS = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_char_p, c.c_int64, c.c_int64)
for _call in ("ctx_message", "version", "status_name", "heatmap_remark", "result_flag_name", "result_flag_sentence"):
    getattr(_core, "kldve_" + _call).restype = c.c_char_p
_core.kldve_result_flag_name.argtypes = _core.kldve_result_flag_sentence.argtypes = [c.c_uint64]
OK, CANCELLED, NOT_FOUND, TARGET_RANK, TARGET_INDEX, TARGET_SET = 0, -10, -13, 0, 1, 2
VIEW_OVERLAY, VIEW_MASKED, VIEW_CONTOURS, VIEW_OUTLINE = 1, 2, 3, 4
RANDOMISE_NONE, RANDOMISE_CASCADE, RANDOMISE_INDEPENDENT = 0, 1, 2
_FORMATS = {"f": c.c_float, "d": c.c_double, "B": c.c_uint8, "i": c.c_int32}


def _struct(name, fields):
    """A public struct: "type member member, type ..." with struct_size in front."""
    types = {"i": c.c_int32, "f": c.c_float, "d": c.c_double, "u": c.c_uint64, "p": c.c_void_p,
             "s": c.c_char_p, "f4": c.c_float * 4}
    members = [(member, types[part.split()[0]]) for part in fields.split(",") for member in part.split()[1:]]
    made = type(name, (c.Structure,), {"_fields_": [("struct_size", c.c_size_t)] + members})
    return lambda: made(c.sizeof(made))


# The members up to the last that is used here: struct_size tells the library how many there are.
_Options = _struct("kldve_options", "s method, i reading target_kind target, f temperature, d perplexity, u flags,"
                   "i rival target_count, p targets truth, i sign samples window stride, d noise, u seed,"
                   "i smooth check_passes pick pick_row pick_x pick_y, p region, i region_width region_height,"
                   "d deadline_ms neighbour_perplexity")
_Record = _struct("kldve_record", "s method, i target reading classes maps height width, f logit probability,"
                  "d kl class_sensitivity, i check_passes sign, f seen_x seen_y seen_width seen_height,"
                  "i scores all_paths single, f sigmoid, i pick row, f4 box, f box_score, i frames,"
                  "d low high neighbour_perplexity, u flags, d faithfulness faithfulness_control")
_Arrays = _struct("kldve_arrays", "p logits features gradient, i classes maps height width scores layout")
_Shape = _struct("kldve_shape", "i in_channels in_height in_width classes maps height width batch")
_Render = _struct("kldve_render_options", "i colormap, f opacity low high, i view upsampling, f clip blur,"
                  "i line side frame, f part")
_MetricOptions = _struct("kldve_metric_options", "i steps samples, u seed, d part noise, i baseline normalise,"
                        "d tolerance")
_Subject = _struct("kldve_metric_subject", "p explainer input explained_with truth other randomised options")


class Error(Exception):
    """A call failed: .status is a kldve_status."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class _Buffer(c.Structure):
    """CPython's Py_buffer: what memoryview does not tell is the address of a buffer that is read only."""
    _fields_ = [("buf", c.c_void_p), ("obj", c.py_object), ("len", c.c_ssize_t), ("rest", c.c_byte * 128)]


def _borrow(array, kind):
    """The address of a buffer of `kind` without gaps, and how many elements it has."""
    view = memoryview(array)
    if view.format != kind or not view.c_contiguous:
        raise TypeError("an array of '%s' without gaps is needed, not of '%s'" % (kind, view.format))
    held = _Buffer()
    c.pythonapi.PyObject_GetBuffer(c.py_object(array), c.byref(held), 0)
    address, count = held.buf, held.len // view.itemsize
    c.pythonapi.PyBuffer_Release(c.byref(held))  # the caller's `array` keeps the memory
    return address, count


class Context:
    """Where objects come from.  progress: called with (stage, done, total); False stops the call."""

    def __init__(self, progress=None):
        self.progress, self._raised, self._interrupted = progress, None, False
        self._ctx, self._step = c.c_void_p(), _PROGRESS(self._on_step)
        if _core.kldve_ctx_new(None, c.byref(self._ctx)):
            raise MemoryError
        self._users = 1  # this object and those made from it: the C object goes last
        _core.kldve_ctx_set_progress(self._ctx, self._step, None)

    def _drop(self, free=_core.kldve_ctx_free):
        self._users -= 1
        if not self._users:
            free(self._ctx)

    __del__ = _drop

    def _on_step(self, _, stage, done, total):
        try:
            if self.progress and self.progress(stage.decode(), done, total) is False:
                return 1
        except BaseException as raised:  # must not cross the library; call() raises it
            self._raised = raised
        return int(self._raised is not None or self._interrupted)

    def cancel(self):
        """Stop the call that runs, from any thread."""
        _core.kldve_ctx_cancel(self._ctx)

    def _interrupt(self, *_):
        self._interrupted = True
        self.cancel()

    def call(self, function, *args):
        """Call a function that returns a kldve_status; Ctrl-C and exceptions of progress are raised
        once it has returned."""
        main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, self._interrupt) if main else None
        self._raised, self._interrupted = None, False
        try:
            status = function(*args)
        finally:
            if main:
                signal.signal(signal.SIGINT, before)
        if self._interrupted:
            raise KeyboardInterrupt
        if self._raised:
            raise self._raised
        if status != OK:
            raise Error(status, os.fsdecode(_core.kldve_ctx_message(self._ctx)))

    def make(self, kind, function, *args):
        """An object of class `kind` from a function whose last parameter is the result."""
        made = c.c_void_p()
        self.call(function, *args, c.byref(made))
        return kind(self, made)

    def open(self, path=None):
        """A network from an .onnx file, with the card and labels beside it; None: the built-in one."""
        return self.make(Network, _engine.kldve_onnx_explainer, self._ctx, path and os.fsencode(path), None)

    def load(self, path):
        return self.make(Image, _core.kldve_image_load, self._ctx, os.fsencode(path))

    def labels(self, path):
        return self.make(Labels, _core.kldve_labels_load, self._ctx, os.fsencode(path))

    def explain_arrays(self, logits, features, gradient=None, **options):
        """Arrays of float32: logits [classes], features and gradient [maps][height][width]."""
        arrays, shape = _Arrays(), memoryview(features).shape
        arrays.logits, arrays.classes = _borrow(logits, "f")
        arrays.features, count = _borrow(features, "f")
        if gradient is not None:
            arrays.gradient, other = _borrow(gradient, "f")
        if len(shape) != 3 or gradient is not None and other != count:
            raise ValueError("features and gradient are [maps][height][width]")
        arrays.maps, arrays.height, arrays.width = shape
        return self.make(Heatmap, _core.kldve_explain_arrays, self._ctx, c.byref(arrays),
                         c.byref(_options(options)))


class _Object:
    """What a context made; freed with the last reference to it."""

    def __init__(self, context, made):
        self.context, self._as_parameter_ = context, made
        context._users += 1

    def __del__(self):
        self._free(self)
        self.context._drop()


class Image(_Object):
    _free = _core.kldve_image_free
    width = property(lambda self: _core.kldve_image_width(self))
    height = property(lambda self: _core.kldve_image_height(self))

    def save(self, path, quality=0):
        self.context.call(_core.kldve_image_save, self.context._ctx, self, os.fsencode(path), quality)


class Labels(_Object):
    _free = _core.kldve_labels_free

    def __len__(self):
        return _core.kldve_labels_count(self)

    def __getitem__(self, index):
        name = c.c_char_p()
        if _core.kldve_labels_name(self, index, c.byref(name)):
            raise IndexError(index)
        return name.value.decode()

    def find(self, what):
        index = c.c_int32()
        self.context.call(_core.kldve_labels_find, self.context._ctx, self, what.encode(), c.byref(index))
        return index.value


class Network(_Object):
    _free = _core.kldve_explainer_free

    @property
    def shape(self):
        shape = _Shape()
        self.context.call(_core.kldve_explainer_shape, self, c.byref(shape))
        return {name: getattr(shape, name) for name, _ in shape._fields_[1:]}

    def _size(self, shape):
        return shape["in_channels"] * shape["in_height"] * shape["in_width"]

    def input(self, picture):
        """What the network is given of an Image: float32, [in_channels][in_height][in_width] in a row."""
        values = (c.c_float * self._size(self.shape))()
        self.context.call(_core.kldve_explainer_input, self, picture, values)
        return memoryview(values).cast("B").cast("f")

    def forward(self, inputs):
        """Logits of one input after the other, float32, without explaining."""
        address, count = _borrow(inputs, "f")
        shape = self.shape
        if count % self._size(shape):
            raise ValueError("the inputs have not the network's size")
        count //= self._size(shape)
        logits = (c.c_float * (count * shape["classes"]))()
        self.context.call(_core.kldve_explainer_forward, self, c.c_void_p(address), c.c_int32(count), None, logits)
        return logits

    def explain(self, picture, **options):
        """picture: an Image, or an array of float32, [in_channels][in_height][in_width].
        options: the members of kldve_options; target and targets set target_kind too."""
        how = c.byref(_options(options))
        if isinstance(picture, Image):
            return self.context.make(Heatmap, _core.kldve_explain, self, picture, how)
        address, count = _borrow(picture, "f")
        shape = self.shape
        if count != self._size(shape):
            raise ValueError("the input has not the network's size")
        return self.context.make(Heatmap, _core.kldve_explain_input, self, c.c_void_p(address), how)

    def parameters(self):
        """The layers with parameters, from the logits to the input."""
        names, name = [], c.c_char_p()
        while True:
            try:
                self.context.call(_core.kldve_explainer_parameters, self, len(names), c.byref(name))
            except Error as error:
                if error.status == NOT_FOUND:
                    return names
                raise
            names.append(name.value.decode())

    def randomise(self, kind, layer=0, seed=0):
        """Random parameters, for sanity metrics; RANDOMISE_NONE: its own again."""
        self.context.call(_core.kldve_explainer_randomise, self, kind, layer, c.c_uint64(seed))


class Heatmap(_Object):
    _free = _core.kldve_heatmap_free

    @property
    def record(self):
        record = _Record()
        self.context.call(_core.kldve_heatmap_record, self, c.byref(record))
        found = {name: getattr(record, name) for name, _ in record._fields_[1:]}
        return dict(found, method=found["method"].decode(), box=list(found["box"]))

    @property
    def flags(self):
        """What everyone who sees the map should know: {name: sentence}."""
        flags = self.record["flags"]
        return {_core.kldve_result_flag_name(1 << bit).decode(): _core.kldve_result_flag_sentence(1 << bit).decode()
                for bit in range(64) if flags >> bit & 1}

    def truth_boxes(self, network, width, height, boxes):
        """Where an object is, for metric(): from boxes x0, y0, x1, y1 in a picture of that size to the network's input."""
        shape, flat = network.shape, [side for box in boxes for side in box]
        truth = (c.c_uint8 * (shape["in_height"] * shape["in_width"]))()
        self.context.call(_core.kldve_heatmap_truth_boxes, self.context._ctx, self, c.c_int32(width), c.c_int32(height),
                          (c.c_float * len(flat))(*flat), c.c_int32(len(flat) // 4), truth)
        return bytearray(truth)

    def metric(self, name, network=None, input=None, explained_with=None, truth=None, other=None, **options):
        """One number that describes or judges the map.  Metrics that run the network need it and the input that was
        explained; explained_with: the options of the explanation; truth: where the object is, a byte for each pixel of
        the input; other: a second map; options: the members of kldve_metric_options."""
        subject, settings, value = _Subject(), _MetricOptions(), c.c_double()
        how = _options(dict(explained_with or {}))
        _set(settings, options)
        subject.explainer = network and network._as_parameter_.value
        subject.input = None if input is None else _borrow(input, "f")[0]
        subject.truth = None if truth is None else _borrow(truth, "B")[0]
        subject.other = other and other._as_parameter_.value
        subject.explained_with, subject.options = c.addressof(how), c.addressof(settings)
        self.context.call(_core.kldve_metric_compute, self.context._ctx, self, name.encode(), c.byref(subject),
                          c.byref(value))
        return value.value

    def metrics(self, *names):
        """Several numbers that describe the map, which share the work on it."""
        values = (c.c_double * len(names))()
        self.context.call(_core.kldve_metric_compute_several, self.context._ctx, self,
                          (c.c_char_p * len(names))(*(name.encode() for name in names)), c.c_int32(len(names)), None,
                          values)
        return list(values)

    @property
    def remark(self):
        return (_core.kldve_heatmap_remark(self) or b"").decode() or None

    def array(self, name):
        """One of the arrays behind the map, without a copy; None where there is none."""
        address, count = c.c_void_p(), c.c_int32()
        if getattr(_core, "kldve_heatmap_" + name)(self, c.byref(address), c.byref(count)):
            return None
        kind = c.c_float if name in ("values", "error", "logits") else c.c_double
        found = (kind * count.value).from_address(address.value)
        found.owner = self  # keeps the map
        return found

    @property
    def values(self):
        """[height][width] in 0..1."""
        flat, record = self.array("values"), self.record
        return memoryview(flat).cast("B").cast("f", (record["height"], record["width"]))

    def save(self, path, picture=None, quality=0, **options):
        """Draw the map over the picture, or alone, into a PNG or JPEG file.  options: the members of
        kldve_render_options, such as opacity=1.0 or view=VIEW_CONTOURS."""
        how = _Render()
        _set(how, options)
        self.context.make(Image, _core.kldve_heatmap_render, self.context._ctx, self, picture,
                          c.byref(how)).save(path, quality)


def _options(given):
    """kldve_options from keywords."""
    options = _Options()
    if "targets" in given:
        targets = given.pop("targets")
        options._targets = (c.c_int32 * len(targets))(*targets)
        options.targets, options.target_count = c.addressof(options._targets), len(targets)
        options.target_kind = TARGET_SET
    elif "target" in given:
        options.target_kind = TARGET_INDEX
    _set(options, given)
    return options


def _set(options, given):
    for name, value in given.items():
        if name not in dict(options._fields_):
            raise TypeError("no such option: " + name)
        setattr(options, name, value.encode() if isinstance(value, str) else value)


def methods():
    """The names for the option `method`."""
    names, name = [], c.c_char_p()
    while not _core.kldve_method_name(len(names), c.byref(name)):
        names.append(name.value.decode())
    return names
